"""Canonical forms of bodies and fields: RFC 6376 section 3.4, and RFC 4870 section 3.4.

    canonical = BODY["relaxed"](sha256.update)
    for piece in pieces:
        canonical.feed(piece)
    canonical.end()

The body goes through in the pieces it comes in, and what is canonical goes on to `out`. Everything
is done by methods of `bytes`, and one regular expression, on whole pieces, so that the work is done
in C. The rule that makes it possible: what the next piece could still change is at most a blank and
a CR, and a number of line ends; these are kept, as `_rest` and `_lines`.

A CR or LF that stands alone is an octet as any other.
"""

import re
from collections.abc import Callable
from typing import Final, Literal, Protocol

Canon = Literal["simple", "relaxed"]
Out = Callable[[bytes], object]

CRLF: Final = b"\r\n"
# Two blanks and more: with two octets in front the search runs twice as fast as `in` does.
_BLANKS: Final = re.compile(rb"   *")
_BLOCK: Final = CRLF * 4096  # so many line ends at once, where a body has more than it has words


class Canonical(Protocol):
    """Octets on their way into their canonical form."""

    def feed(self, piece: bytes) -> None: ...

    def end(self) -> None:
        """Say that there is no more: the last octets go on."""
        ...


class _Lines:
    """What all forms have in common: line ends wait until something follows them."""

    __slots__ = ("_lines", "_out", "_rest", "_some")

    def __init__(self, out: Out) -> None:
        self._out = out
        self._rest = b""  # the end of the last piece, of which not all is known yet
        self._lines = 0  # line ends before `_rest` behind which nothing came yet
        self._some = False  # whether anything went out

    def _take(self, octets: bytes, rest: bytes) -> None:
        """Pass on all but the line ends behind it; `rest` comes before what is fed next."""
        self._rest = rest
        stem = octets.rstrip(CRLF)
        tail = len(octets) - len(stem)
        if tail:
            # Lone CR and LF are content: only what is CRLF to the end waits.
            end = octets[-tail:]
            if not end.endswith(b"\n"):
                begin = tail
            else:
                begin = max(end.rfind(b"\r\r"), end.rfind(b"\n\n")) + 1
                if end[begin] == 10:
                    begin += 1
            if begin:
                stem = octets[: len(stem) + begin]
            lines = (tail - begin) // 2
        else:
            lines = 0
        if stem:
            if self._lines:
                self._blank()
            self._out(stem)
            self._some = True
            self._lines = lines
        else:
            self._lines += lines

    def _blank(self) -> None:
        self._some = True
        while self._lines > 4096:
            self._out(_BLOCK)
            self._lines -= 4096
        self._out(_BLOCK[: 2 * self._lines])
        self._lines = 0

    def _finish(self) -> None:
        if self._rest:
            if self._lines:
                self._blank()
            self._out(self._rest)
            self._some = True
            self._rest = b""


class SimpleBody(_Lines):
    """Lines as they are; one line end at the end (section 3.4.3)."""

    __slots__ = ()

    def feed(self, piece: bytes) -> None:
        octets = self._rest + piece if self._rest else piece
        if octets.endswith(b"\r"):
            self._take(octets[:-1], b"\r")
        else:
            self._take(octets, b"")

    def end(self) -> None:
        self._finish()
        self._out(CRLF)


class RelaxedBody(_Lines):
    """Blanks become one, none ends a line, and of a body of blanks nothing is left (3.4.4)."""

    __slots__ = ()

    def feed(self, piece: bytes) -> None:
        octets = one_blank(self._rest + piece if self._rest else piece)
        # As `replace`, which looks through all of it twice; from behind it is faster, too.
        octets = CRLF.join(octets.rsplit(b" \r\n"))
        if octets.endswith(b" "):
            self._take(octets[:-1], b" ")
        elif octets.endswith(b"\r"):
            cut = 2 if octets.endswith(b" \r") else 1
            self._take(octets[:-cut], octets[-cut:])
        else:
            self._take(octets, b"")

    def end(self) -> None:
        if self._rest == b" ":
            self._rest = b""
        self._finish()
        if self._some:
            self._out(CRLF)


class BareBody(_Lines):
    """Lines without any blank in them: nofws of DomainKeys (RFC 4870 section 3.4.2.2)."""

    __slots__ = ()

    def feed(self, piece: bytes) -> None:
        octets = self._rest + piece if self._rest else piece
        rest = b""
        if octets.endswith(b"\r"):
            octets, rest = octets[:-1], b"\r"
        self._take(bare(octets), rest)

    def end(self) -> None:
        self._rest = b""
        if self._some:
            self._out(CRLF)


class PlainBody(SimpleBody):
    """Lines as they are, and nothing at all where all are empty: simple of DomainKeys."""

    __slots__ = ()

    def end(self) -> None:
        self._finish()
        if self._some:
            self._out(CRLF)


BODY: Final[dict[str, Callable[[Out], Canonical]]] = {
    "simple": SimpleBody,
    "relaxed": RelaxedBody,
    "nofws": BareBody,
    "plain": PlainBody,
}


def one_blank(octets: bytes) -> bytes:
    """Return the octets with one space for each run of blanks."""
    if b"\t" in octets:
        octets = octets.replace(b"\t", b" ")
    return b" ".join(_BLANKS.split(octets))


def bare(octets: bytes) -> bytes:
    """Return the octets without blanks, and without CR and LF which end no line."""
    ends = octets.count(CRLF)
    if octets.count(b"\r") != ends or octets.count(b"\n") != ends:
        # Before the blanks go: a blank between CR and LF would leave a line end.
        octets = CRLF.join([line.translate(None, CRLF) for line in octets.split(CRLF)])
    return octets.translate(None, b" \t")


def relaxed_lines(header: bytes) -> list[bytes]:
    """Return the lines of a header without their folds, with one space for each run of blanks."""
    unfolded = header.replace(b"\t", b" ").replace(b"\r\n ", b" ")
    return one_blank(unfolded).removesuffix(CRLF).split(CRLF)


def relaxed_field(name: bytes, value: bytes) -> bytes:
    """Return a field in its relaxed form, without a line end (section 3.4.2).

    Args:
        name: in lower case.
        value: what stands behind the colon, with its folds.
    """
    if b"\n" in value:
        value = value.replace(CRLF, b"")
    if b"\t" in value or b"  " in value:
        value = one_blank(value)
    return name + b":" + value.strip(b" ")
