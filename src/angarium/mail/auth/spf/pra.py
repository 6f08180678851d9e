"""The purported responsible address of a message (RFC 4407): who last put it on its way.

purported(Header(octets))       "joe@example.com"; "" if the header does not say it clearly
"""

from angarium.mail.format.addresses import mailboxes
from angarium.mail.format.header import Header


def purported(header: Header) -> str:
    """Return the address; "": there is none, so a check of it is an error (section 2)."""
    field = _resent(header)
    if field is None:
        field = _only(header, b"sender", empty=True)
    if field is None:
        field = _only(header, b"from", empty=False)
    found = mailboxes(field) if field else []
    if len(found) != 1 or not found[0].local or not found[0].domain:
        return ""
    return found[0].address


def _resent(header: Header) -> bytes | None:
    """Return the field of who sent it again last; fields are added on top (steps 1 and 2)."""
    first: dict[bytes, tuple[int, bytes]] = {}
    for name in (b"resent-sender", b"resent-from"):
        places = [at for at, each in enumerate(header.names) if each == name]
        for at, value in zip(places, header.values(name), strict=True):
            if value.strip():
                first[name] = at, value
                break
    sender, author = first.get(b"resent-sender"), first.get(b"resent-from")
    if sender is None or author is None:
        chosen = sender or author
        return chosen[1] if chosen else None
    between = header.names[author[0] + 1 : sender[0]]
    # A hop between the two says that they were not added by the same one.
    if b"received" in between or b"return-path" in between:
        return author[1]
    return sender[1]


def _only(header: Header, name: bytes, *, empty: bool) -> bytes | None:
    """Return the one field of a name; b"" if there are several (steps 3 and 4)."""
    values = [value for value in header.values(name) if value.strip()]
    if not values and empty:
        return None
    return values[0] if len(values) == 1 else b""
