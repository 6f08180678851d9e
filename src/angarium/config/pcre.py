r"""PCRE, as the files have it, to what Python's `re` understands.

A pattern is gone through once, piece by piece; what means the same in both is copied, what can be
said otherwise is, and the rest is an error with its place. Letters are those of ASCII, as in PCRE.

A pattern that could take longer than anybody waits, as `(a+)+`, is refused: see `backtrack`.
"""

import re
import warnings
from bisect import bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from angarium.config.backtrack import LINE_END, NOTHING, Automaton, Piece, mask

MAX_LENGTH: Final = 4096
SHOWN: Final = 60  # of a pattern, in a fault

# Classes of characters, for use inside brackets.
POSIX: Final[Mapping[str, str]] = {
    "alnum": "0-9A-Za-z",
    "alpha": "A-Za-z",
    "ascii": r"\x00-\x7f",
    "blank": r" \t",
    "cntrl": r"\x00-\x1f\x7f",
    "digit": "0-9",
    "graph": "!-~",
    "lower": "a-z",
    "print": " -~",
    "punct": r"!-/:-@\[-`{-~",
    "space": r"\s",
    "upper": "A-Z",
    "word": r"\w",
    "xdigit": "0-9A-Fa-f",
    "^digit": r"\D",
    "^space": r"\S",
    "^word": r"\W",
}
# Escapes outside of brackets which Python has not, or means otherwise.
ESCAPES: Final[Mapping[str, str]] = {
    "z": r"\Z",
    "Z": r"(?=\n?\Z)",
    "K": "",  # where a match begins; here only whether there is one matters
    "E": "",
    "h": r"[ \t]",
    "H": r"[^ \t]",
    "v": r"[\n\x0b\f\r]",
    "V": r"[^\n\x0b\f\r]",
    "R": r"(?:\r\n|[\n\x0b\f\r])",
    "N": r"[^\n]",
    "e": r"\x1b",
}
SAME: Final = frozenset("AbBdDwWsSafnrt")
# The same inside of them; without a meaning there: None.
CLASS_ESCAPES: Final[Mapping[str, str]] = {"h": r" \t", "v": r"\n\x0b\f\r", "e": r"\x1b", "E": ""}
CLASS_SAME: Final = frozenset("bdDwWsSafnrt")

_COUNT: Final = re.compile(r"\{(\d+)(,(\d*))?\}")
_POSIX: Final = re.compile(r"\[:(\^?\w+):\]")
_FLAGS: Final = re.compile(r"\?([imsx]*(?:-[imsx]+)?)([:)])")
_NAMED: Final = re.compile(r"\?P?(?:<([A-Za-z_]\w*)>|'([A-Za-z_]\w*)')")
_DOT_ALL: Final = re.compile(r"\(\?[imx]*s")
_CONDITION: Final = re.compile(r"\?\((?:<(\w+)>|'(\w+)'|(\d+|[A-Za-z_]\w*))\)")
_VERB: Final = re.compile(r"\(\*(?:UTF8?|UCP|CR|LF|CRLF|ANYCRLF|ANY|BSR_\w+)\)")
_REFERENCE: Final = re.compile(r"g\{?(-?\d+)\}?|g\{([A-Za-z_]\w*)\}|k(?:<(\w+)>|'(\w+)'|\{(\w+)\})")
_CODE: Final = re.compile(
    r"x\{([0-9A-Fa-f]{1,6})\}|x([0-9A-Fa-f]{0,2})|o\{([0-7]{1,7})\}|(0[0-7]{0,2})"
)


class PatternError(ValueError):
    """What is wrong, and at which character, from 0."""

    def __init__(self, message: str, at: int) -> None:
        super().__init__(message)
        self.at = at


@dataclass(frozen=True, slots=True)
class Regex:
    """A pattern: as it was written, and as it is tried.

    Attributes:
        power: the longest search takes this power of the length of a line, or of the whole text
            if `crosses`.
    """

    source: str
    compiled: re.Pattern[str]
    power: int = 1
    crosses: bool = False

    @property
    def search(self) -> Callable[[str], re.Match[str] | None]:
        return self.compiled.search

    def __str__(self) -> str:
        return self.source


def regex(source: str, flags: int = 0) -> Regex:
    """Compile a pattern of the file. Raises ValueError with the place of the fault in it."""
    shown = source if len(source) <= SHOWN else source[:SHOWN] + "..."
    try:
        translation = _Translation(source, dot_all=bool(flags & re.DOTALL))
        translation.run()
    except PatternError as wrong:
        raise ValueError(_fault(shown, str(wrong), wrong.at)) from None
    try:
        with warnings.catch_warnings():
            # A future Python may read "[[" or "&&" otherwise; it is not the operator's concern.
            warnings.simplefilter("ignore", FutureWarning)
            made = re.compile("".join(translation.out), flags | re.ASCII)
    except re.error as wrong:
        raise ValueError(_fault(shown, wrong.msg, translation.place(wrong.pos or 0))) from None
    except (RecursionError, OverflowError) as wrong:
        # "((((..." and "a{9999999999}" are typing errors too.
        raise ValueError(f"{shown!r} is no regular expression: {wrong}") from None
    automaton = translation.automaton
    # What ends with a repetition stops where that does; not so if something has to hold after it.
    row = max(automaton.row, translation.asserts and automaton.endless)
    return Regex(source, made, row + 1, automaton.crosses)


def _fault(shown: str, message: str, at: int) -> str:
    return f"{shown!r} is no regular expression: {message} at character {at + 1}"


@dataclass(slots=True)
class _Group:
    """An open group. `switches` were opened inside it and are closed with each of its ways."""

    at: int
    behind: str = ""  # "(?<=" or "(?<!"
    silent: bool = False  # matches no characters
    atomic: bool = False  # nothing goes back into it
    extended: bool = False
    switches: list[str] = field(default_factory=list)
    ways: list[Piece] = field(default_factory=list)
    now: list[Piece] = field(default_factory=list)


class _Translation:
    """Goes through a pattern once; `out` is what Python gets."""

    __slots__ = (
        "_at", "_captures", "_dot_all", "_groups", "_marks", "_text", "_written", "asserts",
        "automaton", "out",
    )  # fmt: skip

    def __init__(self, text: str, *, dot_all: bool = False) -> None:
        if len(text) > MAX_LENGTH:
            raise PatternError(f"a pattern has {MAX_LENGTH} characters at most", MAX_LENGTH)
        self._text = text
        self._at = 0
        self._captures = 0
        self._dot_all = dot_all or _DOT_ALL.search(text) is not None
        self._groups = [_Group(0)]
        self.asserts = False  # something has to hold at a place, other than its beginning
        self.automaton = Automaton()
        self.out: list[str] = []
        self._written = 0
        self._marks: list[tuple[int, int]] = []  # offsets in what was written, and in the text

    def place(self, written: int) -> int:
        """Return where in the pattern it stands what was written there."""
        index = bisect_right(self._marks, (written, len(self._text) + 1)) - 1
        return self._marks[index][1] if index >= 0 else 0

    def run(self) -> None:
        while verb := _VERB.match(self._text, self._at):
            self._at = verb.end()
        while self._at < len(self._text):
            self._marks.append((self._written, self._at))
            self._step(self._text[self._at])
        if len(self._groups) > 1:
            raise PatternError("( is never closed", self._groups[-1].at)
        self._write(")" * len(self._groups[0].switches))
        self._end_way(self._groups[0])
        danger = self.automaton.danger(self.automaton.choice(self._groups[0].ways))
        if danger:
            raise PatternError(danger, 0)

    def _step(self, here: str) -> None:
        if here == "\\":
            self._escape()
        elif here == "[":
            self._class()
        elif here == "(":
            self._open()
        elif here == ")":
            self._close()
        elif here == "|":
            self._way()
        elif here in "*+?" or (here == "{" and _COUNT.match(self._text, self._at)):
            self._repeat(here)
        elif here == "#" and self._groups[-1].extended:
            end = self._text.find("\n", self._at)
            self._at = len(self._text) if end < 0 else end + 1
        else:
            blank = self._groups[-1].extended and here in " \t\n\r\f\v"
            if blank or here in "^$":
                self._put(here, 1, None if blank else NOTHING)
            else:
                self._character_is("\\{" if here == "{" else here, 1)

    def _write(self, text: str) -> None:
        self.out.append(text)
        self._written += len(text)

    def _character_is(self, text: str, length: int) -> None:
        """Write what stands for one character, or one of a set."""
        try:
            taken = mask(text)
        except re.error as wrong:
            raise PatternError(wrong.msg, self._at) from None
        if text == "." and not self._dot_all:
            taken &= ~LINE_END
        self._put(text, length, self.automaton.atom(taken))

    def _put(self, text: str, length: int, piece: Piece | None) -> None:
        """Write what stands for the next `length` characters."""
        self._write(text)
        self._at += length
        if piece is not None:
            self.asserts |= piece is NOTHING and text not in ("^", "\\A")
            self._groups[-1].now.append(piece)

    # Groups.

    def _open(self) -> None:
        text, at = self._text, self._at
        outer = self._groups[-1]
        group = _Group(at, extended=outer.extended)
        if text.startswith("(?#", at):
            end = text.find(")", at)
            if end < 0:
                raise PatternError("(?# is never closed", at)
            self._at = end + 1
            return
        if text.startswith("(*", at):
            raise PatternError("verbs such as (*FAIL) are not supported", at)
        if not text.startswith("(?", at):
            self._captures += 1
            opening, length = "(", 1
        elif flags := _FLAGS.match(text, at + 1):
            on, _, off = flags[1].partition("-")
            extended = ("x" in on) or (outer.extended and "x" not in off)
            if flags[2] == ")":
                self._switch(flags[1], extended, len(flags[0]) + 1)
                return
            opening, length = f"(?{flags[1]}:", len(flags[0]) + 1
            group.extended = extended
        else:
            opening, length = self._special(group)
        self._put(opening, length, None)
        self._groups.append(group)

    def _special(self, group: _Group) -> tuple[str, int]:
        """Return what opens a group which begins with (?, and how long it is in the pattern."""
        text, at = self._text, self._at
        for opening in ("(?>", "(?=", "(?!", "(?<=", "(?<!"):
            if text.startswith(opening, at):
                group.silent, group.atomic = opening != "(?>", opening == "(?>"
                if opening in ("(?<=", "(?<!"):
                    # Ways of different lengths are a look behind each; Python wants one length.
                    group.behind = opening
                    return f"(?:{opening}", len(opening)
                return opening, len(opening)
        if named := _NAMED.match(text, at + 1):
            self._captures += 1
            return f"(?P<{named[1] or named[2]}>", len(named[0]) + 1
        if condition := _CONDITION.match(text, at + 1):
            return f"(?({condition[1] or condition[2] or condition[3]})", len(condition[0]) + 1
        if text.startswith("(?P=", at):
            end = text.find(")", at)
            group.atomic = True
            return text[at : end if end > 0 else at + 4], max(end - at, 4)
        raise PatternError(f"{text[at : at + 4]} is not supported", at)

    def _switch(self, flags: str, extended: bool, length: int) -> None:
        """Take flags which hold to the end of the group: Python has them for groups only."""
        group = self._groups[-1]
        group.extended = extended
        opening = f"(?{flags}:"
        group.switches.append(opening)
        self._put(opening if flags else "(?:", length, None)

    def _end_way(self, group: _Group) -> None:
        group.ways.append(self.automaton.sequence(group.now))
        group.now = []

    def _way(self) -> None:
        group = self._groups[-1]
        self._end_way(group)
        closed = ")" * len(group.switches)
        between = "|"
        if group.behind:
            between = f")|{group.behind}" if group.behind == "(?<=" else f"){group.behind}"
        self._put(closed + between + "".join(group.switches), 1, None)

    def _close(self) -> None:
        if len(self._groups) == 1:
            raise PatternError(") without a ( it could close", self._at)
        group = self._groups.pop()
        self._end_way(group)
        closed = ")" * (len(group.switches) + (2 if group.behind else 1))
        piece = NOTHING if group.silent else self.automaton.choice(group.ways)
        self._put(closed, 1, self.automaton.opaque(piece) if group.atomic else piece)

    def _repeat(self, here: str) -> None:
        count = _COUNT.match(self._text, self._at)
        least = int(count[1][:9]) if count else int(here == "+")
        endless = here in "*+" or (count is not None and count[2] is not None and not count[3])
        length = len(count[0]) if count else 1
        after = self._text[self._at + length : self._at + length + 1]
        group = self._groups[-1]
        if not group.now:
            raise PatternError(f"there is nothing which {here} could repeat", self._at)
        most = int(count[3][:9]) if count and count[3] else least
        piece = self.automaton.repeated(
            group.now.pop(), least=least, endless=endless, often=most > max(least, 1)
        )
        if after == "+":
            piece = self.automaton.opaque(piece)
        length += after in ("?", "+")
        self._put(self._text[self._at : self._at + length], length, piece)

    # Characters.

    def _escape(self) -> None:
        text, at = self._text, self._at
        here = text[at + 1 : at + 2]
        if not here:
            raise PatternError("\\ stands at the end", at)
        if here == "Q":
            end = text.find("\\E", at)
            quoted = text[at + 2 : end if end >= 0 else len(text)]
            for each in quoted:
                self._character_is(re.escape(each), 0)
            self._at = end + 2 if end >= 0 else len(text)
        elif here in ESCAPES or here in SAME:
            text = ESCAPES.get(here, f"\\{here}")
            if here in "EKAbBzZ":
                self._put(text, 2, None if here in "EK" else NOTHING)
            else:
                self._character_is(text, 2)
        elif reference := _REFERENCE.match(text, at + 1):
            self._refer(self._reference(reference), len(reference[0]) + 1)
        elif here in "123456789":
            self._number()
        else:
            self._character_is(*self._character(at))

    def _refer(self, text: str, length: int) -> None:
        self._put(text, length, self.automaton.opaque(NOTHING))

    def _reference(self, found: re.Match[str]) -> str:
        name = found[2] or found[3] or found[4] or found[5]
        if name:
            return f"(?P={name})"
        number = int(found[1][:6])
        number = self._captures + 1 + number if number < 0 else number
        if number < 1:
            raise PatternError("there is no such group", self._at)
        return f"(?:\\{number})"

    def _number(self) -> None:
        """Take a reference to a group; from 10 on it may be a character, by its octal code."""
        found = re.compile(r"[0-9]{1,3}").match(self._text, self._at + 1)
        assert found is not None
        number = int(found[0])
        if number < 10 or number <= self._captures:
            self._refer(f"(?:\\{number})", len(found[0]) + 1)
            return
        octal = re.compile(r"[0-3]?[0-7]{1,2}").match(self._text, self._at + 1)
        if octal is None:
            raise PatternError("there is no such group", self._at)
        self._character_is(re.escape(chr(int(octal[0], 8))), len(octal[0]) + 1)

    def _character(self, at: int) -> tuple[str, int]:
        """Return what stands for an escaped character, and the length of the escape."""
        here = self._text[at + 1]
        if code := _CODE.match(self._text, at + 1):
            octal = code[3] or code[4]
            value = int(octal, 8) if octal else int(code[1] or code[2] or "0", 16)
            if value > 0x10FFFF:
                raise PatternError("there is no such character", at)
            return re.escape(chr(value)), len(code[0]) + 1
        if here == "c" and at + 2 < len(self._text) and self._text[at + 2].isascii():
            return re.escape(chr(ord(self._text[at + 2].upper()) ^ 64)), 3
        if here.isalnum():
            raise PatternError(f"\\{here} is not supported", at)
        return re.escape(here), 2

    def _class(self) -> None:
        text, start = self._text, self._at
        parts = ["["]
        at = start + 1
        if text.startswith("^", at):
            parts.append("^")
            at += 1
        first = at
        while not text.startswith("]", at) or at == first:
            if at >= len(text):
                raise PatternError("[ is never closed", start)
            part, at = self._member(at)
            parts.append(part)
        self._character_is("".join(parts) + "]", at + 1 - start)

    def _member(self, at: int) -> tuple[str, int]:
        """Return what stands for the next member of a class, and where the one after it is."""
        text, here = self._text, self._text[at]
        if posix := _POSIX.match(text, at):
            if posix[1] not in POSIX:
                raise PatternError(f"{posix[0]} is not supported", at)
            return POSIX[posix[1]], posix.end()
        if here != "\\":
            return ("\\" + here if here in "[&~|]" else here), at + 1
        escaped = text[at + 1 : at + 2]
        if not escaped:
            raise PatternError("\\ stands at the end", at)
        if escaped == "Q":
            end = text.find("\\E", at)
            if end < 0:
                raise PatternError("[ is never closed", self._at)
            return "".join(map(re.escape, text[at + 2 : end])), end + 2
        if escaped in CLASS_ESCAPES or escaped in CLASS_SAME:
            return CLASS_ESCAPES.get(escaped, f"\\{escaped}"), at + 2
        if escaped in "1234567" and (octal := re.compile(r"[0-3]?[0-7]{1,2}").match(text, at + 1)):
            return re.escape(chr(int(octal[0], 8))), octal.end()
        part, length = self._character(at)
        return part, at + length
