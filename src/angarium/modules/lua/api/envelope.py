"""The envelope of a message: sender, recipient, where it goes, where it came from."""

from collections.abc import Callable
from typing import Final

from angarium.core.address import split
from angarium.core.ident import printed
from angarium.modules.lua.api.constants import EC_MSG_ENV_COMPLETE, EC_MSG_ENV_FROM, EC_MSG_ENV_TO
from angarium.modules.lua.api.core import means
from angarium.modules.lua.api.kinds import Text, octets, text
from angarium.modules.lua.bind import LuaError, Runtime, lua, lua_field
from angarium.policy.context import Steps
from angarium.policy.mail import Mail

EXTENDED: Final = "msys.extended.message"
ROUTING: Final = "msys.extended.message_routing"
# As constants.py numbers them.
_METHODS: Final = {"smtp": 1, "esmtp": 2, "ecstream": 3, "internal": 4, "http": 5, "pickup": 6}
_MOST_OCTETS: Final = 320  # of an address: RFC 3696, 64 + "@" + 255


Given = Text | bytes | None


def _given(value: Given) -> str:
    return text(value.octets if isinstance(value, Text) else value or b"")


def _address(given: str) -> str:
    given = given.strip()
    if given.startswith("<") and given.endswith(">"):
        given = given[1:-1]
    if len(given) > _MOST_OCTETS or any(each <= " " or each == "\x7f" for each in given):
        raise LuaError(f"'{given[:80]}' is no address")
    return given


@lua("msg:mailfrom", package=EXTENDED)
def mailfrom(self: Mail, address: Given = None) -> bytes:
    """Return the sender; with an address, make it the sender first."""
    if address is not None:
        self.sender = _address(_given(address))
    return octets(self.sender)


@lua("msg:rcptto", package=EXTENDED)
def rcptto(self: Mail, address: Given = None) -> bytes:
    """Return the recipient; with an address, from each_rcpt on, make it that first."""
    if address is not None:
        if self.recipient is None:
            raise LuaError("a recipient can be changed from validate_data_spool_each_rcpt on")
        wanted = _address(_given(address))
        if not split(wanted)[1]:
            raise LuaError(f"'{wanted}' is no address of a recipient")
        self.readdress(wanted)
    return octets(self.rcptto)


@lua("msg:get_envelope2", package=EXTENDED)
def get_envelope2(
    self: Mail, flags: int, localpart_str: Text, domain_str: Text | None = None
) -> None:
    """Put the local part and the domain of sender or recipient into two strings.

    `flags`: msys.core.EC_MSG_ENV_FROM or EC_MSG_ENV_TO; with EC_MSG_ENV_COMPLETE the whole address
    goes into the first.
    """
    wanted = flags & (EC_MSG_ENV_FROM | EC_MSG_ENV_TO)
    if wanted not in (EC_MSG_ENV_FROM, EC_MSG_ENV_TO):
        raise LuaError("either EC_MSG_ENV_FROM or EC_MSG_ENV_TO is wanted")
    address = self.sender if wanted == EC_MSG_ENV_FROM else self.rcptto
    if flags & EC_MSG_ENV_COMPLETE:
        localpart_str.octets = octets(address)
        return
    local, domain = split(address)
    localpart_str.octets = octets(local)
    if domain_str is not None:
        domain_str.octets = octets(domain)


@lua("msg:routing_domain", package=ROUTING)
def routing_domain(self: Mail, domain: Given = None) -> bytes:
    """Return the domain it is routed by; with one, route it by that.

    In rcptto it is that of all recipients, from each_rcpt on that of one.
    """
    if domain is not None:
        if self.step > Steps.BINDING:
            raise LuaError("its routing is decided")
        self.routing_domain = _given(domain).strip().rstrip(".")
    return octets(self.routing_domain)


# -- where it leaves ----------------------------------------------------------------------------


def _bindable(mail: Mail) -> None:
    if mail.recipient is None or mail.step > Steps.BINDING:
        raise LuaError("a binding is chosen in validate_set_binding")


@lua("msg:binding", package=EXTENDED, phases=("set_binding",))
def binding(lua: Runtime, self: Mail, name: Given = None) -> bytes | None:
    """Return the binding; with a name, choose it. Returns nil if there is no such binding."""
    if name is not None:
        wanted = _given(name)
        _bindable(self)
        assert self.recipient is not None
        for group, known in means(lua).configuration.bindings():
            if known == wanted:
                self.recipient.binding_group, self.recipient.binding = group, known
                return octets(known)
        return None
    chosen = self.recipient.binding if self.recipient is not None else ""
    return octets(chosen) if chosen else None


@lua("msg:binding_group", package=EXTENDED, phases=("set_binding",))
def binding_group(lua: Runtime, self: Mail, value: str | None = None) -> bytes | None:
    """Return the binding group; with a name, leave by one of its bindings. nil: no such group."""
    if value is not None:
        _bindable(self)
        assert self.recipient is not None
        if all(group != value for group, _ in means(lua).configuration.bindings()):
            return None
        self.recipient.binding_group, self.recipient.binding = value, ""
        return octets(value)
    chosen = self.recipient.binding_group if self.recipient is not None else ""
    return octets(chosen) if chosen else None


@lua("msg:get_delivery_method", package="msys.core")
def get_delivery_method(self: Mail) -> bytes:
    """Return by what it is delivered: "smtp"."""
    return b"smtp"


@lua("msg:is_mcmt", package=EXTENDED)
def is_mcmt(self: Mail) -> bool:
    """Say whether it is a message of several channels: there are none."""
    return False


# -- where it came from -------------------------------------------------------------------------


def _endpoint(host: str, port: str, flag: str | None) -> bytes:
    if flag is None or flag == "all":
        return f"{host}:{port}".encode() if host else b""
    if flag not in ("ip", "port"):
        raise LuaError(f"the flag is ip, port or all, not '{flag}'")
    return (host if flag == "ip" else port).encode()


@lua("msg:reception_peer", package=EXTENDED)
def reception_peer(self: Mail, flag: str | None = None) -> bytes:
    """Return address and port of who brought it: `flag` is ip, port or all."""
    host, _, port = self.message.source.rpartition(":")
    if self.session is not None and not host:
        host, port = self.session.address, str(self.session.port)
    return _endpoint(host, port, flag)


@lua("msg:listener_addr", package=EXTENDED)
def listener_addr(self: Mail, flag: str | None = None) -> bytes:
    """Return our address and port at which it came, while its session lasts."""
    session = self.session
    if session is None:
        return _endpoint("", "", flag)
    return _endpoint(session.local_address, str(session.local_port), flag)


# -- fields -------------------------------------------------------------------------------------


def _id(mail: Mail) -> bytes:
    recipient = mail.recipient
    number = recipient.id if recipient is not None and recipient.id else mail.message.batch
    return printed(number).encode()


def _connection(mail: Mail) -> bytes:
    number = mail.message.connection
    if not number and mail.session is not None:
        number = mail.session.connection
    return printed(number).encode()


def _priority(mail: Mail, value: object) -> None:
    if not isinstance(value, int | float) or not 0 <= value <= 1:
        raise LuaError("a priority is 0 or 1")
    mail.priority = int(value)


def _field(name: str, read: Callable[[Mail], object], doc: str) -> None:
    lua_field(f"msg.{name}", read, package=EXTENDED, doc=doc)


_field("id", _id, "Its id, as mainlog shows it.")
_field("batch_id", lambda mail: printed(mail.message.batch).encode(), "Id of its content.")
_field("conn_id", _connection, "Id of the connection it came by.")
_field("recv_method", lambda mail: _METHODS.get(mail.message.protocol, 0), "How: msys.core.P_*.")
_field("size", lambda mail: mail.size, "Octets.")
lua_field("msg.priority", lambda mail: mail.priority, _priority, doc="1 goes before all others.")
lua_field(
    "ac.conn_id", lambda session: printed(session.connection).encode(), doc="Id of the connection."
)


@lua("msg:get_message_size", package="msys.core")
def get_message_size(self: Mail) -> int:
    """Return its size in octets."""
    return self.size
