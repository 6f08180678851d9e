"""Messages which scripts make and send, and what becomes of the one they are asked about."""

import secrets
from functools import partial
from typing import Final

from angarium.core.address import split
from angarium.core.body import MemoryBody
from angarium.core.message import Message, Notify, Recipient
from angarium.core.reply import Reply, from_text
from angarium.journal.errors import SpoolError
from angarium.mail.format import build
from angarium.modules.lua.api.content import EXTENDED, readable
from angarium.modules.lua.api.core import means
from angarium.modules.lua.api.files import IoObject
from angarium.modules.lua.api.kinds import octets, reply, text
from angarium.modules.lua.bind import LuaError, Runtime, Table, lua
from angarium.outbound.bounce import INTERNAL
from angarium.policy.context import Steps
from angarium.policy.injected import note_depth
from angarium.policy.mail import Mail, empty, traits_of

DISCARDED: Final = "550 5.7.0 discarded by policy"
NO_REASON: Final = Reply(550, "[internal] discarded by policy", "5.7.1")


@lua("msys.core.ec_message_new")
def message_new(lua: Runtime, now: float | None = None) -> Mail:
    """Make an empty message, for msg:build."""
    at = lua.services.clock.time() if now is None else now
    return Mail(empty("", now=at, protocol=INTERNAL), [])


@lua("msg:copy", package=EXTENDED)
def copy(self: Mail) -> Mail:
    """Return a copy of the message, to be changed and sent by itself."""
    draft = readable(self).copy()
    before = self.message
    message = Message(
        self.sender,
        draft.content(),
        draft.front,
        protocol=INTERNAL,
        received_at=before.received_at,
        variables=dict(before.variables),
        session_variables=dict(before.session_variables),
    )
    made = Mail(message, [Recipient(self.rcptto, "")] if self.rcptto else [])
    message.traits = traits_of(message.body, before.traits)
    return made


# -- making -------------------------------------------------------------------------------------


def _string(value: object, what: str) -> bytes:
    if not isinstance(value, bytes):
        raise LuaError(f"{what} is a string")
    return value


def _pairs(table: Table, what: str) -> list[tuple[str, bytes]]:
    """Return names with values; one in a table of several comes several times."""
    found = []
    for name, value in table.items():
        several = value.array() if isinstance(value, Table) else [value]
        found += [(text(_string(name, what)), _string(each, what)) for each in several]
    return found


def _attachment(given: object) -> build.Attachment | build.Enclosed:
    if not isinstance(given, Table):
        raise LuaError("an attachment is a table")
    content = given.get("content")
    if isinstance(content, Mail):
        return build.Enclosed(content.draft.whole())
    name = text(given.text("name", b"") or b"")
    kind = text(given.text("type", b"application/octet-stream") or b"")
    fields = given.text("headers", b"") or b""
    if isinstance(content, IoObject):
        content.seek("set", 0)
        data = content.read(b"*a")
        held = data if isinstance(data, bytes) else b""
        return build.Attachment(kind, name, held, "base64", fields, encoded=True)
    return build.Attachment(
        kind, name, _string(content, "the content of an attachment"), "quoted-printable", fields
    )


@lua("msg:build", package=EXTENDED)
def build_message(
    self: Mail, headers: Table, parts: Table, attachments: Table | None = None
) -> None:
    """Fill an empty message: header fields, contents of which a reader shows one, attachments.

    `parts`: a Content-Type and its content; text without a charset goes in quoted-printable, all
    else in base64. An attachment has `type`, `name`, `headers` and `content`: a string, a file
    that is base64 already, or a message.
    """
    if self.draft.size:
        raise LuaError("the message is not empty; it is to come from msys.core.ec_message_new")
    content = build.message(
        _pairs(headers, "a header field"),
        _pairs(parts, "a content"),
        [_attachment(each) for each in (attachments.array() if attachments else [])],
        secrets.token_hex(8),
    )
    self.edited.set_raw(content)


# -- sending ------------------------------------------------------------------------------------


def recipients_of(given: str, *, notify: int) -> list[Recipient]:
    """Return the recipients of addresses with commas between. Raises LuaError."""
    addresses = [each.strip().strip("<>") for each in given.split(",") if each.strip()]
    for each in addresses:
        if not split(each)[1]:
            raise LuaError(f"'{each}' is no address of a recipient")
    if not addresses:
        raise LuaError("there is no recipient")
    return [Recipient(each, "", notify=notify) for each in dict.fromkeys(addresses)]


def send(lua: Runtime, message: Message, recipients: list[Recipient]) -> None:
    """Hand a message of ours to the queue; what it cannot take is told in the panic log.

    Raises:
        TooDeepError: scripts send mail about mail which they have sent, again and again.
    """
    there = means(lua)
    note_depth(message, lua.situation)
    message.protocol = INTERNAL
    message.batch = there.next_id(there.clock.time())
    there.admit.inject(message, recipients, partial(_settled, lua))


def _settled(lua: Runtime, error: SpoolError | None) -> None:
    if error is not None:
        lua.panic(f"mail of a script was not taken: {error}")


@lua("msg:inject", package=EXTENDED)
def inject(lua: Runtime, self: Mail, mailfrom: str, rcptto: str) -> None:
    """Send the message; several recipients have commas between them."""
    sender = mailfrom.strip().strip("<>")
    to = recipients_of(rcptto, notify=Notify.UNSET if sender else Notify.NEVER)
    draft = readable(self).copy()
    before = self.message
    body = draft.content()
    message = Message(
        sender,
        body,
        draft.front,
        traits=traits_of(body, before.traits),
        received_at=lua.services.clock.time(),
        variables=dict(before.variables),
        session_variables=dict(before.session_variables),
        priority=before.priority,
    )
    send(lua, message, to)


@lua("msg:forward", package=EXTENDED)
def forward(
    lua: Runtime,
    self: Mail,
    sender: str,
    rcptto: str,
    text: bytes,
    subject: str | None = None,
    charset: str = "",
) -> None:
    """Send a new message with this one attached; `text` which is not ASCII needs its charset."""
    fields: list[tuple[str, str | bytes]] = [("From", sender), ("To", rcptto)]
    if subject is not None:
        fields.append(("Subject", subject))
    original = readable(self).whole()
    content = build.forward(fields, text, charset, original, secrets.token_hex(8))
    body = MemoryBody(content)
    address = sender.strip().strip("<>")
    message = Message(
        address, body, traits=traits_of(body, 0), received_at=lua.services.clock.time()
    )
    notify = Notify.UNSET if address else Notify.NEVER
    send(lua, message, recipients_of(rcptto, notify=notify))


# -- what becomes of it -------------------------------------------------------------------------


def _not_in_binding(mail: Mail, name: str) -> None:
    if mail.step == Steps.BINDING:
        raise LuaError(f"'{name}' cannot be used in validate_set_binding")


@lua("msg:discard", package=EXTENDED)
def discard(self: Mail, reason: str = DISCARDED) -> None:
    """Drop the message while its sender hears yes; the script goes on.

    A reason which begins with no code of SMTP becomes "550 5.7.1 [internal] discarded by policy".
    """
    _not_in_binding(self, "msg:discard")
    coded = reason[:3].isdigit() and "200" <= reason[:3] <= "599"
    self.discard(from_text(reason) if coded else NO_REASON)


def _response(lua: Runtime, mail: Mail) -> bytes:
    """Return the response of a message: what was set, or what the hook tells of."""
    if mail.reply is not None:
        return octets(str(mail.reply))
    note = getattr(lua.situation, "note", "")
    return octets(note) if isinstance(note, str) else b""


@lua("msg:code", package=EXTENDED)
def code(lua: Runtime, self: Mail, number: int | None = None, str: bytes = b"") -> bytes:
    """Return the response of the message; with a number and a text, set it: 0 is in the text.

    In reception vctx:set_code is what sets the reply.
    """
    if number is not None:
        _not_in_binding(self, "msg:code")
        self.reply = reply(number, str)
    return _response(lua, self)


@lua("msg:get_code", package=EXTENDED)
def get_code(lua: Runtime, self: Mail) -> bytes:
    """Return the response of the message; in hooks of logs, what the host said."""
    return _response(lua, self)


@lua("msg:set_code", package=EXTENDED)
def set_code(self: Mail, code: int, str: bytes) -> None:
    """Set the response of the message; in core_log_permanent_failure_v1, what is logged."""
    _not_in_binding(self, "msg:set_code")
    self.reply = reply(code, str)
