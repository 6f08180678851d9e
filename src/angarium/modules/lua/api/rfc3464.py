"""msys.rfc3464: reports to senders, made and read (RFC 3464).

What is told of the recipient is the reply policy has set, of the message or of the session; without
one, that of the action.
"""

import secrets
from collections.abc import Mapping
from typing import Final

from angarium.core.address import routing_domain, split
from angarium.core.message import Message, Recipient
from angarium.core.reply import Reply
from angarium.mail.format.draft import Draft
from angarium.mail.format.tree import tree
from angarium.mail.report import status
from angarium.mail.report.dsn import Action, Notice, Outcome, build
from angarium.modules.lua import current
from angarium.modules.lua.api import constants, kinds
from angarium.modules.lua.api.core import means
from angarium.modules.lua.bind import LuaError, Runtime, lua
from angarium.modules.means import Means
from angarium.policy.injected import note_depth
from angarium.policy.mail import NOTHING, Mail, empty

ACTIONS: Final[Mapping[int, Action]] = {
    constants.FAILED: Action.FAILED,
    constants.DELAYED: Action.DELAYED,
    constants.DELIVERED: Action.DELIVERED,
    constants.RELAYED: Action.RELAYED,
    constants.EXPANDED: Action.EXPANDED,
}
_REPLIES: Final[Mapping[Action, Reply]] = {
    Action.FAILED: Reply(550, "refused by policy", "5.7.1"),
    Action.DELAYED: Reply(451, "not yet delivered", "4.0.0"),
}
_TAKEN: Final = Reply(250, "done", "2.0.0")


def _report(lua: Runtime, msg: Mail, action: int, reply: Reply | None = None) -> bytes:
    """Return a report about a message, whole."""
    wanted = ACTIONS.get(action)
    if wanted is None:
        raise LuaError("an action is msys.core.FAILED, DELAYED, DELIVERED, RELAYED or EXPANDED")
    session = current.session(lua)
    said = reply or msg.reply or (session.reply if session is not None else None)
    failed = wanted is Action.FAILED
    if said is None or (failed and said.code < 400) or (not failed and said.permanent):
        said = _REPLIES.get(wanted, _TAKEN)
    worker = lua.services.parts.get(Means)
    host = worker.host if isinstance(worker, Means) else "localhost"
    recipients = [msg.recipient] if msg.recipient is not None else msg.recipients
    if not recipients:
        raise LuaError("a report is about a recipient, and the message has none")
    message = msg.message
    return build(
        Notice(
            host=host,
            daemon=f"MAILER-DAEMON@{host}",
            sender=msg.sender,
            outcomes=[Outcome(each.address, wanted, said, each.orcpt) for each in recipients],
            date=lua.services.clock.time(),
            arrived=message.received_at or lua.services.clock.time(),
            token=secrets.token_hex(12),
            envid=message.envid,
            original=msg.draft.header_octets,
        )
    )


def _fields(report: bytes | Draft) -> dict[str, str] | None:
    """Return the fields for machines: of the message, and of the first recipient."""
    found = status.read(tree(Draft(report) if isinstance(report, bytes) else report))
    if found is None:
        return None
    return dict([*found.message.fields, *found.recipients[0].fields])


@lua("msys.rfc3464.compute_delivery_status")
def compute_delivery_status(lua: Runtime, msg: Mail, action: int) -> dict[str, str]:
    """Return the fields a report on a message would have, as a table of names and values."""
    return _fields(_report(lua, msg, action)) or {}


@lua("msys.rfc3464.compute_delivery_status_string")
def compute_delivery_status_string(
    lua: Runtime, response_text: Mail | bytes, action: int = constants.FAILED
) -> str:
    """Return the fields a report would have, as lines which end with CRLF.

    `response_text`: what a host said, of the message the script is called for; or a message.
    """
    if isinstance(response_text, Mail):
        fields = _fields(_report(lua, response_text, action)) or {}
    else:
        mail = current.mail(lua) or Mail(Message("", NOTHING), [Recipient("", "")])
        fields = _fields(_report(lua, mail, action, kinds.reply(0, response_text))) or {}
    return "".join(f"{name}: {value}\r\n" for name, value in fields.items())


@lua("msys.rfc3464.extract_delivery_status")
def extract_delivery_status(msg: Mail) -> dict[str, str] | None:
    """Return the fields of a report that came, as a table of names and values; nil if it is none.

    Those of the message and those of the first recipient.
    """
    return _fields(msg.draft)


def _made(lua: Runtime, msg: Mail, action: int) -> Mail:
    content = _report(lua, msg, action)
    message = empty("", now=lua.services.clock.time(), protocol="internal")
    domain = routing_domain(split(msg.sender)[1]) or ""
    mail = Mail(message, [Recipient(msg.sender, domain)])
    mail.draft.set_raw(content)
    mail.finish()
    return mail


@lua("msys.rfc3464.create_mdn")
def create_mdn(lua: Runtime, msg: Mail, action: int) -> Mail:
    """Make a report on a message, to its sender, as a message of its own."""
    return _made(lua, msg, action)


@lua("msys.rfc3464.send_mdn")
def send_mdn(lua: Runtime, msg: Mail, action: int) -> int:
    """Make a report on a message and send it; return 1, or 0 if there is nobody to tell.

    Mail from the null sender is a report itself, and none is sent about it.
    """
    if not msg.sender:
        return 0
    report = _made(lua, msg, action)
    worker = means(lua)

    def done(refused: object) -> None:
        if refused is not None:
            lua.panic(f"a report to {msg.sender} was not taken: {refused}")

    note_depth(report.message, lua.situation)
    worker.admit.inject(report.message, report.recipients, done)
    return 1
