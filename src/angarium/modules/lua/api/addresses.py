"""msys.parseRFC2822Addresses: addresses of header fields, taken apart."""

from angarium.mail.format.addresses import COMPONENTS, components
from angarium.modules.lua.bind import LuaError, lua


@lua("msys.parseRFC2822Addresses", since="3.0")
def parse_addresses(addressstring: bytes, component: str = "all") -> list[str]:
    """Return one component of each address of a list, as it stands in a header.

    `component`: all, localpart, user, detail or domain; an address without it is left out.
    """
    if component not in COMPONENTS:
        raise LuaError(f"an address has {', '.join(COMPONENTS)}, not '{component}'")
    return components(addressstring, component)
