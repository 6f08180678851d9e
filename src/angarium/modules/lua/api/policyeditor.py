"""msys.policyeditor: what scripts of the policy editor of Momentum 3 call.

Each takes a table of what the callout was given (`msg`, `vctx`, `accept`), one of the script's own
variables, and its parameters by name. What the first one has not is that of the callout itself.
"""

from random import Random
from typing import Final, cast

from angarium.core.address import routing_domain, split
from angarium.core.message import Recipient
from angarium.modules.lua import current
from angarium.modules.lua.api.context import written
from angarium.modules.lua.api.core import means
from angarium.modules.lua.api.envelope import binding, binding_group
from angarium.modules.lua.api.kinds import octets, text
from angarium.modules.lua.api.pcre import captured, prepared
from angarium.modules.lua.api.snmp import snmp_trap
from angarium.modules.lua.bind import LuaError, Runtime, Table, lua
from angarium.policy.context import Session, Which
from angarium.policy.injected import note_depth
from angarium.policy.mail import Mail, empty

_MOST: Final = 10_000  # things which are sent now and then
_HEADER: Final = (
    "From: <{sender}>\r\nTo: <{recipient}>\r\nSubject: {subject}\r\n"
    "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
    "Content-Transfer-Encoding: 8bit\r\nAuto-Submitted: auto-generated\r\n\r\n"
)


def _mail(lua: Runtime, ctx: Table) -> Mail:
    for key in ("msg", "message"):
        found = ctx.get(key)
        if isinstance(found, Mail):
            return found
    mail = current.mail(lua)
    if mail is None:
        raise LuaError("there is no message yet")
    return mail


def _session(lua: Runtime, ctx: Table) -> Session:
    for key in ("vctx", "accept", "ac"):
        found = ctx.get(key)
        if isinstance(found, Session):
            return found
    session = current.session(lua)
    if session is None:
        raise LuaError("there is no session")
    return session


def _param(params: Table, name: str) -> bytes:
    found = params.text(name)
    if found is None:
        raise LuaError(f"the parameter '{name}' is missing")
    return found


# -- the message ------------------------------------------------------------------------------


@lua("msys.policyeditor.get_header")
def get_header(lua: Runtime, ctx: Table, vars: Table, params: Table) -> bytes | None:
    """Return the first field `header` of the header; nil without one."""
    return _mail(lua, ctx).draft.value(text(_param(params, "header")))


@lua("msys.policyeditor.del_header")
def del_header(lua: Runtime, ctx: Table, vars: Table, params: Table) -> int:
    """Take the fields `header` out of the header; return how many."""
    return _mail(lua, ctx).edited.delete(text(_param(params, "header")))


@lua("msys.policyeditor.get_mailfrom")
def get_mailfrom(lua: Runtime, ctx: Table, vars: Table, params: Table) -> bytes:
    """Return the sender of the envelope."""
    return octets(_mail(lua, ctx).sender)


@lua("msys.policyeditor.get_rcptto")
def get_rcptto(lua: Runtime, ctx: Table, vars: Table, params: Table) -> bytes:
    """Return the recipient."""
    return octets(_mail(lua, ctx).rcptto)


@lua("msys.policyeditor.get_mess_recv_from")
def get_mess_recv_from(lua: Runtime, ctx: Table, vars: Table, params: Table) -> bytes:
    """Return address and port of who brought the message."""
    session = current.session(lua)
    if session is not None and session.address:
        return f"{session.address}:{session.port}".encode()
    return octets(_mail(lua, ctx).message.source)


@lua("msys.policyeditor.get_mess_recv_via")
def get_mess_recv_via(lua: Runtime, ctx: Table, vars: Table, params: Table) -> bytes:
    """Return our address and port at which the message came."""
    session = _session(lua, ctx)
    return f"{session.local_address}:{session.local_port}".encode()


@lua("msys.policyeditor.set_binding", phases=("set_binding",))
def set_binding(lua: Runtime, ctx: Table, vars: Table, params: Table) -> bool:
    """Let the message leave by `binding`, or by any of several with commas between."""
    chosen = _any(lua, _param(params, "binding"))
    return binding(lua, _mail(lua, ctx), chosen) is not None


@lua("msys.policyeditor.set_binding_group", phases=("set_binding",))
def set_binding_group(lua: Runtime, ctx: Table, vars: Table, params: Table) -> bool:
    """Let the message leave by a binding of `binding_group`, or of any of several."""
    chosen = _any(lua, _param(params, "binding_group"))
    return binding_group(lua, _mail(lua, ctx), text(chosen)) is not None


def _any(lua: Runtime, names: bytes) -> bytes:
    random: Random = means(lua).random
    return random.choice([each.strip() for each in names.split(b",")])


# -- variables --------------------------------------------------------------------------------


@lua("msys.policyeditor.get_variable")
def get_variable(ctx: Table, vars: Table, params: Table) -> object:
    """Return the variable `name` of the script."""
    return vars.get(_param(params, "name"))


@lua("msys.policyeditor.set_variable")
def set_variable(ctx: Table, vars: Table, params: Table) -> None:
    """Set the variable `name` of the script to `value`."""
    vars.set(_param(params, "name"), params.get("value"))


@lua("msys.policyeditor.vctx_conn_get")
def vctx_conn_get(lua: Runtime, ctx: Table, vars: Table, params: Table) -> bytes:
    """Return the variable `key` of the connection; "" without one."""
    return octets(_session(lua, ctx).variables.get(text(_param(params, "key")), ""))


@lua("msys.policyeditor.vctx_conn_set")
def vctx_conn_set(lua: Runtime, ctx: Table, vars: Table, params: Table) -> None:
    """Set the variable `key` of the connection to `value`."""
    session = _session(lua, ctx)
    session.variables[text(_param(params, "key"))] = written(params.get("value"))


@lua("msys.policyeditor.vctx_mess_get")
def vctx_mess_get(lua: Runtime, ctx: Table, vars: Table, params: Table) -> bytes:
    """Return the variable `key` of the message; "" without one."""
    return octets(_mail(lua, ctx).get(Which.MESSAGE, text(_param(params, "key"))) or "")


@lua("msys.policyeditor.vctx_mess_set")
def vctx_mess_set(lua: Runtime, ctx: Table, vars: Table, params: Table) -> None:
    """Set the variable `key` of the message to `value`."""
    key, value = text(_param(params, "key")), written(params.get("value"))
    _mail(lua, ctx).set(Which.MESSAGE, key, value)


@lua("msys.policyeditor.pcre_match")
def pcre_match(ctx: Table, vars: Table, params: Table) -> bool:
    """Search `subject` by `pattern`; say whether it matches.

    The script's variable $0 becomes the subject, $1 ... what groups took, $name what a named one.
    """
    subject = _param(params, "subject")
    expression, characters, codec = prepared(subject, _param(params, "pattern"))
    found = expression.search(characters)
    if found is None:
        return False
    for name, value in captured(found, codec).items():
        vars.set(f"${name}", subject if name == 0 else value)
    return True


# -- what is sent -----------------------------------------------------------------------------


class Throttles:
    """When something was sent last, by what it was."""

    def __init__(self) -> None:
        self._sent: dict[object, float] = {}

    def allow(self, key: object, seconds: float, now: float) -> bool:
        """Say whether it may be sent; if so it counts as sent."""
        last = self._sent.get(key)
        if seconds > 0 and last is not None and now - last < seconds:
            return False
        if len(self._sent) >= _MOST:
            del self._sent[next(iter(self._sent))]
        self._sent.pop(key, None)
        self._sent[key] = now
        return True


def _allowed(lua: Runtime, params: Table, key: object) -> bool:
    throttles = cast(Throttles, lua.services.parts.setdefault(Throttles, Throttles()))
    seconds = params.number("throttle", 0.0) or 0.0
    return throttles.allow(key, seconds, lua.services.clock.monotonic())


@lua("msys.policyeditor.send_email")
def send_email(lua: Runtime, ctx: Table, vars: Table, params: Table) -> bool:
    """Send a plain message; say whether it was.

    `from` and `to` are addresses alone, then `subject` and `body`. `throttle`: seconds between two
    messages with the same addresses and subject.
    """
    sender, recipient, subject = (text(_param(params, each)) for each in ("from", "to", "subject"))
    domain = routing_domain(split(recipient)[1])
    if domain is None or any(each in f"{sender}{recipient}" for each in " <>\r\n"):
        raise LuaError(f"'{recipient}' or '{sender}' is no address")
    if not _allowed(lua, params, (sender, recipient, subject)):
        return False
    header = _HEADER.format(sender=sender, recipient=recipient, subject=" ".join(subject.split()))
    body = _param(params, "body").replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    mail = Mail(empty(sender, now=lua.services.clock.time(), protocol="internal"),
                [Recipient(recipient, domain)])  # fmt: skip
    mail.draft.set_raw(octets(header) + body + b"\r\n")

    def done(refused: object) -> None:
        if refused is not None:
            lua.panic(f"a message to {recipient} was not taken: {refused}")

    message = mail.finish()
    note_depth(message, lua.situation)
    means(lua).admit.inject(message, mail.recipients, done)
    return True


@lua("msys.policyeditor.send_trap")
def send_trap(lua: Runtime, ctx: Table, vars: Table, params: Table) -> bool:
    """Send a trap; say whether it was. The parameters are those of msys.snmpTrap.

    `throttle`: seconds between two traps with the same identifier and payload.
    """
    key = (params.text("mib"), params.text("type"), params.text("payload"))
    return _allowed(lua, params, key) and snmp_trap(lua, params) > 0
