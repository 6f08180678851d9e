"""What a script does about a session: replies, recipients, delays, what EHLO offers."""

from functools import lru_cache

from angarium.core.address import split
from angarium.core.message import Recipient
from angarium.modules.lua.api.audit import sessions
from angarium.modules.lua.api.kinds import octets, reply, text
from angarium.modules.lua.bind import LuaError, Runtime, Table, lua, lua_field
from angarium.policy.context import Session, Steps
from angarium.policy.mail import Mail
from angarium.policy.shared.presence import SMTP

EXTENDED = "msys.extended.vctx"
AC = "msys.extended.ac"
# Most seconds a session is held up by one call: RFC 5321 section 4.5.3.2 lets clients wait for 5
# minutes and more.
LONGEST_TARPIT = 3600.0


@lua("vctx:set_code", package="msys.core")
def set_code(self: Session, codenum: int, message: bytes = b"") -> None:
    """Set the reply; from 400 on it refuses what is asked. Return VALIDATE_DONE after it."""
    self.reply = reply(codenum, message)


@lua("vctx:disconnect", package="msys.core")
def disconnect(self: Session, code: int, message: bytes = b"") -> None:
    """Set the reply, and hang up after it."""
    self.refuse(reply(code, message), disconnect=True)


@lua("vctx:tarpit", package=EXTENDED, since="3.0")
def tarpit(self: Session, interval: float) -> None:
    """Let the next answer wait for so many seconds; the script goes on."""
    if self.service != "SMTP":
        raise LuaError("only a session of SMTP can be delayed")
    self.tarpit = max(self.tarpit, min(max(interval, 0.0), LONGEST_TARPIT))


def _disconnect(session: Session, value: object) -> None:
    session.disconnect = bool(value)


def _code(session: Session) -> int:
    return 0 if session.reply is None else session.reply.code


def _set_code(session: Session, value: object) -> None:
    if not isinstance(value, int | float):
        raise LuaError("a code is a number")
    said = b"" if session.reply is None else session.reply.text.encode()
    session.reply = reply(int(value), said)


lua_field(
    "vctx.disconnect",
    lambda session: int(session.disconnect),
    _disconnect,
    doc="Set to 1: hang up after the reply. Read, it is the method.",
)
lua_field(
    "vctx.code",
    _code,
    _set_code,
    doc="Code of the reply that was set; 0 without one. Set, it refuses from 400 on.",
)


def _addresses(given: object) -> list[str]:
    """Return addresses of a string or a table. Raises LuaError."""
    several = given.array() if isinstance(given, Table) else [given]
    found = []
    for each in several:
        if not isinstance(each, bytes):
            raise LuaError("an address is a string")
        one = text(each).strip().strip("<>")
        if not split(one)[1]:
            raise LuaError(f"'{one}' is no address")
        found.append(one)
    return found


def _open_list(session: Session) -> Mail:
    """Return the message whose recipients may still be changed. Raises LuaError."""
    if session.step >= Steps.EACH:
        raise LuaError("the list of recipients is final")
    if session.mail is None:
        raise LuaError("there is no message yet")
    return session.mail


def _add(mail: Mail, addresses: list[str]) -> None:
    known = {each.address for each in mail.recipients}
    mail.recipients += [
        Recipient(each, "") for each in dict.fromkeys(addresses) if each not in known
    ]


@lua("vctx:add_recipient", package=EXTENDED, since="3.0")
def add_recipient(self: Session, address: bytes | Table) -> None:
    """Add a recipient, or those of a table; not after validate_rcptto_list_final."""
    _add(_open_list(self), _addresses(address))


@lua("vctx:remove_recipient", package=EXTENDED, since="3.0")
def remove_recipient(self: Session, address: bytes | Table) -> None:
    """Remove a recipient, or those of a table; not after validate_rcptto_list_final."""
    mail, gone = _open_list(self), {each.lower() for each in _addresses(address)}
    mail.recipients[:] = [each for each in mail.recipients if each.address.lower() not in gone]


@lua("vctx:recipient_list", package=EXTENDED, since="3.0")
def recipient_list(self: Session, addresses: bytes | Table | None = None) -> list[bytes]:
    """Return all recipients; with addresses, make them the recipients first. Not in rcptto."""
    if self.step == Steps.RCPT:
        raise LuaError("the list of recipients is not known yet")
    if addresses is not None:
        mail, wanted = _open_list(self), _addresses(addresses)
        mail.recipients[:] = [each for each in mail.recipients if each.address in wanted]
        _add(mail, wanted)
    if self.mail is None:
        return []
    return [octets(each.address) for each in self.mail.recipients]


# -- the accept construct -----------------------------------------------------------------------


@lru_cache(maxsize=4096)
def _endpoint(host: str, port: int) -> bytes:
    """An address with its port, behind a dot where the address has colons."""
    return f"{host}.{port}".encode() if ":" in host else f"{host}:{port}".encode()


def _esmtp(session: Session) -> None:
    if session.service != "SMTP":
        raise LuaError("the session is not on an SMTP listener")
    if session.step > Steps.EHLO:
        raise LuaError("EHLO is answered already")


@lua("ac:esmtp_capability_add", package=AC, phases=("connect", "ehlo"), since="3.1")
def capability_add(self: Session, name: str) -> None:
    """Offer one more line in the answer to EHLO."""
    _esmtp(self)
    if not name.isascii() or not name.isprintable() or not name.strip():
        raise LuaError("a capability is a line of ASCII")
    if name not in self.added:
        self.added.append(name)
    self.removed.discard(name.partition(" ")[0].upper())


@lua("ac:esmtp_capability_remove", package=AC, phases=("connect", "ehlo"), since="3.1")
def capability_remove(self: Session, name: str) -> None:
    """Leave a word out of the answer to EHLO."""
    _esmtp(self)
    word = name.partition(" ")[0].upper()
    self.added[:] = [each for each in self.added if each.partition(" ")[0].upper() != word]
    self.removed.add(word)


@lua("ac:inbound_session_count", package=AC, since="3.0")
def session_count(
    lua: Runtime, self: Session, cidr: bytes | None = None, service_type: str = SMTP
) -> int | float:
    """Count the sessions which are open, from the peer's address or a block.

    `cidr`: "/24" (the peer's), "addr/mask" or "addr"; nil is the peer's address.
    """
    return sessions(lua, self if cidr is None else cidr, service_type)


@lua("msys.core.accept_construct_get_message_construct", seen_as="mc")
def message_construct(ac: Session) -> Session:
    """Return what a session keeps of its message; its field `message` is the message."""
    return ac


lua_field("mc.message", lambda mc: mc.mail, doc="The message under way, or nil.", kind=Mail)
lua_field("mc.accept", lambda mc: mc, doc="The accept construct.", kind=Session)
lua_field(
    "ac.remote_addr",
    lambda session: _endpoint(session.address, session.port),
    doc="Address and port of the peer.",
)
lua_field(
    "ac.local_addr",
    lambda session: _endpoint(session.local_address, session.local_port),
    doc="Address and port on our side.",
)
