"""Messages in files: of a maildir, saved by a mail reader, from standard input.

file = read("message.eml")              or "-"
file.octets                             with CRLF, as mail is on its way
file.again(octets)                      with the line ends of the file
"""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

CRLF: Final = b"\r\n"


@dataclass(frozen=True, slots=True)
class MessageFile:
    """A message which was read.

    Attributes:
        octets: of the message, every line end of which is CRLF.
        plain: the first line of the file ended in LF alone.
    """

    octets: bytes
    plain: bool

    def again(self, octets: bytes) -> bytes:
        """Return a message as the file would have it."""
        return octets.replace(CRLF, b"\n") if self.plain else octets


def read(name: str) -> MessageFile:
    """Read a file; "-" is standard input. Raises OSError."""
    octets = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    return taken(octets)


def taken(octets: bytes) -> MessageFile:
    """Return the message of a file's octets.

    A first line as of an mbox ("From joe Mon ...") is none of the message, and left out.
    """
    end = octets.find(b"\n")
    plain = end >= 0 and octets[:end][-1:] != b"\r"
    if octets.startswith(b"From "):
        octets = octets[end + 1 :] if end >= 0 else b""
    return MessageFile(octets.replace(CRLF, b"\n").replace(b"\n", CRLF), plain)
