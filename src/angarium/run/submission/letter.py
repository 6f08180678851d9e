"""A message as a program of this machine gives it: read once, its header made complete.

The header is held in memory, at most MAX_HEADER octets of it; the body goes through a file. Line
ends become CRLF here and nowhere later, so no line of a body can end it but the one that does.
"""

import re
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime, formataddr
from typing import IO, Final

from angarium.core.errors import Error
from angarium.mail.format.header import Header
from angarium.run.submission.addresses import listed

MAX_HEADER: Final = 1 << 20
_PIECE: Final = 1 << 16
_IN_MEMORY: Final = 1 << 20
_FIELD: Final = re.compile(rb"[!-9;-~]+[ \t]*:")  # RFC 5322 section 2.2
_MBOX: Final = re.compile(rb">?From ")
_BLIND: Final = (b"bcc", b"resent-bcc")
_RECIPIENTS: Final = (b"to", b"cc", b"bcc")


class LetterError(Error):
    """What was given is no message that can be sent."""


@dataclass(slots=True)
class Letter:
    """A header and a body, with CRLF line ends.

    Attributes:
        size: octets of the body.
        eight_bit: there are octets above 127, somewhere.
    """

    header: bytes
    body: IO[bytes]
    size: int
    eight_bit: bool


def lines(stream: IO[bytes]) -> Iterator[tuple[bytes, bool]]:
    """Yield (octets, whether a line begins with them); a line that ends has CRLF.

    A line longer than a piece comes in several.
    """
    begins, held = True, b""
    while piece := stream.readline(_PIECE):
        piece = held + piece
        ends = piece.endswith(b"\n")
        # Whether a CR belongs to the end of a line is told by the octet after it.
        held = b"\r" if piece.endswith(b"\r") else b""
        if ends:
            piece = piece[: -2 if piece.endswith(b"\r\n") else -1] + b"\r\n"
        elif held:
            piece = piece[:-1]
        if piece:
            yield piece, begins
            begins = ends
    if not begins or held:
        yield b"\r\n", begins


def read(stream: IO[bytes], *, dots: bool, most: int) -> Letter:
    """Read a message. `dots`: a line of a dot alone is its end.

    Raises:
        LetterError: it is too large.
    """
    body = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 - lives as the letter
    try:
        letter = _read(stream, body, most, dots=dots)
    except (LetterError, OSError):
        body.close()
        raise
    body.seek(0)
    return letter


def _read(stream: IO[bytes], body: IO[bytes], most: int, *, dots: bool) -> Letter:
    header = bytearray()
    size, eight_bit, in_header = 0, False, True
    for number, (piece, begins) in enumerate(lines(stream)):
        if dots and begins and piece == b".\r\n":
            break
        eight_bit = eight_bit or not piece.isascii()
        if in_header and number == 0 and _MBOX.match(piece):
            continue
        if in_header and piece == b"\r\n" and begins:
            in_header = False
            continue
        # Whoever forgets the empty line has a body from the first line on that is no field.
        goes_on = not begins or (piece[:1] in (b" ", b"\t") and header)
        in_header = in_header and bool(goes_on or _FIELD.match(piece))
        if in_header:
            header += piece
            if len(header) > MAX_HEADER:
                raise LetterError(f"the header has more than {MAX_HEADER} octets")
            continue
        size += len(piece)
        if size > most:
            raise LetterError(f"the message has more than {most} octets")
        body.write(piece)
    return Letter(bytes(header), body, size, eight_bit)


def recipients(header: bytes) -> list[str]:
    """Return the addresses in To, Cc and Bcc; of a message that is sent again, those of Resent-.

    Raises:
        AddressError: one of the fields is no list of addresses.
        LetterError: one is no UTF-8.
    """
    fields = Header(header)
    again = any(name.startswith(b"resent-") for name in fields.names)
    prefix = b"resent-" if again else b""
    found: list[str] = []
    for name in _RECIPIENTS:
        for value in fields.values(prefix + name):
            try:
                found += listed(value.decode())
            except UnicodeDecodeError as error:
                raise LetterError("a field is no UTF-8", field=name.decode()) from error
    return found


def completed(
    header: bytes, *, sender: str, name: str, host: str, token: str, at: datetime,
    warnings: Sequence[str] = (),
) -> bytes:  # fmt: skip
    """Return a header without Bcc and with what every message has to have.

    Args:
        sender: of the envelope, "" for none.
        name: full name of the sender, "" for none.
        token: makes the Message-ID unique.
        warnings: for X-Authentication-Warning.
    """
    fields = Header(header)
    there = fields.names
    added = [f"X-Authentication-Warning: {each}" for each in warnings]
    if b"date" not in there:
        added.append(f"Date: {format_datetime(at)}")
    if b"from" not in there:
        added.append(f"From: {_from(name, sender or f'MAILER-DAEMON@{host}')}")
    if b"message-id" not in there:
        added.append(f"Message-ID: <{token}@{host}>")
    kept = fields.without(*_BLIND)
    return "".join(f"{each}\r\n" for each in added).encode() + kept


def _from(name: str, address: str) -> str:
    if not name:
        return address
    if address.isascii():
        return formataddr((name, address))
    quoted = name.replace("\\", r"\\").replace('"', r"\"")
    return f'"{quoted}" <{address}>'  # RFC 6532: UTF-8 as it is


def received(host: str, uid: int, token: str, at: datetime) -> bytes:
    """Return the field which says who has given us a message."""
    by = f"Received: by {host} (Angarium, from userid {uid})\r\n"
    return f"{by}\tid {token}; {format_datetime(at)}\r\n".encode()
