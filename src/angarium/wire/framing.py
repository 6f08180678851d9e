"""How a message is framed after DATA and BDAT, and what its octets have (RFC 5321, 3030).

    body, rest = reader.feed(data)      octets of the content; what follows its end (None: no end)
    reader.traits, reader.smuggled      what was seen so far

Only CRLF . CRLF ends a body. A lone CR or LF is content: taking it for the end of a line is what
makes SMTP smuggling possible. Any cutting of the input gives the same content and the same traits.
The rule which keeps it cheap: an ordinary piece is looked at three times, at C speed, and copied
once; all else happens only when one of the three looks found something.
"""

import re
from typing import Final

from angarium.core.message import Trait

CRLF: Final = b"\r\n"
END: Final = b"\r\n.\r\n"

# Plain ints: `|` of an IntFlag costs more than all the looks at a short body.
_EIGHT_BIT: Final = int(Trait.EIGHT_BIT)
_DOTS: Final = int(Trait.DOTS)
_LONE: Final = int(Trait.LONE)
_NO_FINAL_CRLF: Final = int(Trait.NO_FINAL_CRLF)

# The first CR which is alone, or begins CRLF before a dot, or a CRLF with nothing behind it yet:
# one search for lone CRs, stuffed lines and the end. It begins with a literal, hence is as fast
# as memchr; the same for LF needs a look back, which costs forty times as much.
_SUSPECT: Final = re.compile(rb"\r(?!\n[^.])")
_LONE_CR: Final = re.compile(rb"\r(?!\n)")
# What is not CR or LF, to be deleted. Where no CR is alone, what is left must be CRLF repeated.
_REST: Final = bytes(octet for octet in range(256) if octet not in CRLF)
_PAIRS: Final = CRLF * 4096
# A dot alone on what somebody may take for a line, but CRLF . CRLF.
_SMUGGLE: Final = re.compile(rb"\.(?<=[\r\n]\.)[\r\n](?:(?<!\r\n\.\r)|(?!\n))")
# What must wait for more octets: the longest beginning of an end, rightful or not.
_UNDECIDED: Final = re.compile(rb"(?:\r\n|\r|\n)(?:\.\r?)?\Z")


def _undecided(raw: bytes) -> int:
    """Return how many octets at the end of `raw` must wait for more."""
    found = _UNDECIDED.search(raw, max(0, len(raw) - 4))
    return len(raw) - found.start() if found else 0


class _Reader:
    """What both framings share: the looks at the content."""

    __slots__ = ("_fresh", "_held", "_lead", "smuggled", "traits")

    def __init__(self) -> None:
        self._held = b""
        self._fresh = True
        self._lead = 0  # octets of `_held` which are no part of the content
        self.traits = 0
        self.smuggled = False

    def _with_held(self, data: bytes) -> bytes:
        """Return what waited and what came."""
        if self._held:
            return self._held + data
        if self._fresh and data.startswith(b"."):
            # The CRLF before the content may begin an end, but is no part of it.
            self._lead = 2
            data = CRLF + data
        self._fresh = False
        return data

    def _look(self, raw: bytes, content: bytes, size: int, suspect: int) -> None:
        """Note what `content`, the last of raw[:size], has.

        Nothing before `suspect` is a lone CR, or CRLF before a dot.
        """
        if not content.isascii():
            self.traits |= _EIGHT_BIT
        lone = suspect < size and _LONE_CR.search(raw, suspect, size) is not None
        if not lone:
            pairs = content.translate(None, _REST)
            if len(pairs) <= len(_PAIRS):
                lone = not _PAIRS.startswith(pairs)
            else:
                lone = pairs.count(CRLF) * 2 != len(pairs)
        if lone:
            self.traits |= _LONE
        # A forbidden end has a lone CR or LF in it, or has it in the octet behind `size`.
        if lone or (size < len(raw) and raw.endswith((b"\r.", b"\n."), 0, size)):
            found = _SMUGGLE.search(raw)
            self.smuggled = self.smuggled or (found is not None and found.start() < size)


class DotReader(_Reader):
    """Undo dot-stuffing as octets arrive (RFC 5321 section 4.5.2)."""

    __slots__ = ()

    def feed(self, data: bytes) -> tuple[bytes, bytes | None]:
        """Return octets of the body, and what follows its end (None: no end yet)."""
        raw = self._with_held(data)
        found = _SUSPECT.search(raw)
        suspect = found.start() if found else len(raw)
        rest: bytes | None
        if suspect == len(raw) - len(END) and raw.endswith(END):
            size, rest = suspect + 2, b""
        elif (end := raw.find(END, suspect)) >= 0:
            size, rest = end + 2, raw[end + len(END) :]
        else:
            size, rest = len(raw) - _undecided(raw), None
            self._held = raw[size:]
        lead = self._lead
        if size <= lead:
            return b"", rest
        self._lead = 0
        body = raw[lead:size]
        self._look(raw, body, size, suspect)
        if suspect < size - 2:
            if raw.find(b"\r\n..", suspect, size) >= 0:
                self.traits |= _DOTS
            # Of any line that begins with a dot the first one goes, also of ".x".
            body = raw[:size].replace(b"\r\n.", CRLF)[lead:]
        return body, rest


class ChunkReader(_Reader):
    """Take a message sent as BDAT chunks (RFC 3030); the content is as sent."""

    __slots__ = ("_ends",)

    def __init__(self) -> None:
        super().__init__()
        self._ends = False  # with CRLF, so far

    def feed(self, data: bytes) -> bytes:
        """Return octets of the content; `data` is of a chunk, and never behind one."""
        raw = self._with_held(data)
        size = len(raw) - _undecided(raw)
        self._held = raw[size:]
        return self._take(raw, size)

    def finish(self) -> bytes:
        """Return what is left of the content after the last chunk."""
        raw, self._held = self._held, b""
        # Whoever sends it on by DATA puts CRLF behind it, so a dot may not be before that.
        whole = raw.endswith(CRLF) or (not raw and self._ends)
        content = self._take(raw if whole else raw + CRLF, len(raw))
        if not whole:
            self.traits |= _NO_FINAL_CRLF
        return content

    def _take(self, raw: bytes, size: int) -> bytes:
        lead = self._lead
        if size <= lead:
            return b""
        self._lead = 0
        content = raw[lead:size]
        if raw.find(b"\r\n.", 0, size) >= 0:
            self.traits |= _DOTS
        self._look(raw, content, size, 0)
        self._ends = content.endswith(CRLF)
        return content


def stuff(body: bytes) -> bytes:
    """Frame `body`, which ends in CRLF or is empty, for sending after DATA."""
    return (CRLF + body).replace(b"\r\n.", b"\r\n..")[2:] + b".\r\n"
