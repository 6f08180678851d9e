"""New parts and whole messages (RFC 2046)."""

from angarium.mail.format import parameters
from angarium.mail.format.tree import Part


def leaf(mimetype: str, body: bytes = b"", encoding: str = "7bit") -> Part:
    """Return a new part which holds no others; the body is encoded already."""
    part = Part(b"", body)
    part.header.append("Content-Type", mimetype)
    if encoding != "7bit":
        part.header.append("Content-Transfer-Encoding", encoding)
    return part


def container(mimetype: str, boundary: str) -> Part:
    """Return a new part which holds others, and none yet."""
    part = Part(b"", b"")
    part.header.append("Content-Type", parameters.written(mimetype, {"boundary": boundary}))
    part.hold(boundary)
    return part


def boundary_beside(token: str, *tops: Part) -> str:
    """Return a boundary made of a token: nowhere in these parts, and none of theirs in it.

    Args:
        token: letters and digits nobody can guess.
    """
    octets = b"\n".join([top.raw for top in tops])
    taken = [part.boundary for top in tops for part in top.walk() if part.boundary]
    boundary = f"=_{token}"
    while boundary.encode() in octets or any(each in boundary.encode() for each in taken):
        boundary = f"=_{len(boundary)}{boundary[2:]}"
    return boundary
