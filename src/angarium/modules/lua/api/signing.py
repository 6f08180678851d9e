"""What functions which sign and check have in common: orders, the message meant, what failed."""

from collections.abc import Awaitable, Callable
from typing import cast

from angarium.mail.auth.domainkeys import responsible
from angarium.mail.auth.fields import Fields
from angarium.modules.lua import current
from angarium.modules.lua.api.content import editable, readable
from angarium.modules.lua.api.core import means
from angarium.modules.lua.api.kinds import text
from angarium.modules.lua.bind import LuaError, Runtime, Several, Table
from angarium.modules.sign.orders import Done, Order, OrderError, Orders
from angarium.policy.mail import Mail


def orders(lua: Runtime) -> Orders:
    """Return who takes the orders of this worker's scripts."""
    found = lua.services.parts.get(Orders)
    if found is None:
        found = lua.services.parts[Orders] = Orders(means(lua))
    return cast(Orders, found)


def meant(lua: Runtime, msg: Mail | None) -> Mail:
    """Return a message, or the one the script is called for. Raises LuaError."""
    found = msg if msg is not None else current.mail(lua)
    if found is None:
        raise LuaError("there is no message")
    return found


def order_of(options: Table | None, *, marked: bool = False) -> Order:
    """Return the order in a table of options. Raises LuaError."""
    if options is None:
        return Order()

    def said(*names: str) -> str:
        found = (options.text(name, b"") for name in names)
        return next((text(each) for each in found if each), "")

    length = options.get("body_length_limit")
    return Order(
        domain=said("base_domain", "signing_domain"),
        selector=said("selector"),
        keyfile=said("keyfile"),
        keybuf=said("keybuf"),
        header_canon=said("header_canon").lower(),
        body_canon=said("body_canon").lower(),
        digest=said("digest").lower(),
        headers=_names(options, "headerlist"),
        oversigned=_names(options, "oversign_headerlist"),
        marked=marked,
        identity=said("identity"),
        body_length=None if length is None else options.flag("body_length_limit"),
        authserv_id=said("authservid"),
    )


def _names(options: Table, name: str) -> str:
    """Return names of fields with colons between them; a script has those, or a table."""
    given = options.get(name)
    if isinstance(given, Table):
        return ":".join([text(each) for each in given.array() if isinstance(each, bytes)])
    return text(options.text(name, b"") or b"")


def carried_out(
    lua: Runtime, msg: Mail | None, sign: Callable[[Mail], Done]
) -> Several | Awaitable[Several]:
    """Sign a message; return true, or false with the reason, which stands in paniclog, too."""
    mail = meant(lua, msg)
    editable(mail)
    try:
        done = sign(mail)
    except OrderError as fault:
        return refused(lua, fault)
    return Several(done) if isinstance(done, bool) else _later(lua, done)


async def _later(lua: Runtime, signing: Awaitable[bool]) -> Several:
    try:
        return Several(await signing)
    except OrderError as fault:
        return refused(lua, fault)


def refused(lua: Runtime, fault: OrderError) -> Several:
    lua.panic(f"not signed: {fault}")
    return Several(False, str(fault))


def responsible_domain(lua: Runtime, msg: Mail | None) -> str:
    """Return the domain of Sender, else of From; "" where there is none."""
    return responsible(Fields(readable(meant(lua, msg)).header_octets))[1]
