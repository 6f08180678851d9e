"""Blocks of addresses as scripts and operators write them: 10.0.0.1, 10.0.0.0/8, /24."""

import ipaddress
from functools import lru_cache

from angarium.core.errors import Error


class BlockError(Error):
    """What was written is no address and no block of addresses."""


@lru_cache(maxsize=4096)  # the same few are asked for with each command of a session
def packed(address: str) -> bytes:
    """Return an address as it is a key: 4 octets or 16. Raises BlockError.

    An IPv4 address in an IPv6 one is that IPv4 address; a zone does not count.
    """
    plain = address.strip().strip("[]").partition("%")[0]
    try:
        found = ipaddress.ip_address(plain)
    except ValueError as error:
        raise BlockError(f"{address!r} is no address") from error
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is not None:
        return found.ipv4_mapped.packed
    return found.packed


def block(text: str, peer: str = "") -> tuple[bytes, int]:
    """Return the address of a block, and how many of its bits count. Raises BlockError.

    Args:
        peer: the address which counts where none is written.
    """
    address, slash, mask = text.strip().partition("/")
    key = packed(address or peer) if address or peer else b""
    if not key:
        raise BlockError("no address is given, and nobody is connected")
    if not slash:
        return key, len(key) * 8
    if not mask.strip("]").isdecimal() or int(mask.strip("]")) > len(key) * 8:
        raise BlockError(f"{text!r} has no prefix length of 0 to {len(key) * 8}")
    return key, int(mask.strip("]"))


def shown(key: bytes) -> str:
    """Return an address as people write it."""
    return str(ipaddress.ip_address(key))


def network(key: bytes, bits: int) -> int:
    """Return the bits of an address which count."""
    return int.from_bytes(key, "big") >> (len(key) * 8 - bits)
