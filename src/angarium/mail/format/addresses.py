"""Addresses in header fields (RFC 5322 sections 3.4 and 4.4, RFC 6532, RFC 2047).

    mailboxes(b"Team: =?utf-8?q?J=C3=B6rg?= <j@a.example>, b@c (Bob);")

Any octets give a list; what can be read of a broken field is read. Where a mail reader might see
several authors, all are returned: a policy which looks at the first only may still do so, and one
which looks at all is not deceived. Takes linear time.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from angarium.mail.format import words

COMPONENTS: Final = ("all", "localpart", "user", "detail", "domain")
DELIMITER: Final = "+"  # between user and detail (RFC 5233)

# Each alternative consumes all that its failing alternatives have looked at, or stops at what ends
# them: so the whole takes linear time. Unterminated quotes go on to the end.
_TOKEN: Final = re.compile(
    r'"(?P<quoted>(?:[^"\\]|\\.?)*)(?:"|\Z)'
    r"|(?P<blank>[ \t\r\n\0]+)"
    r"|\[(?P<literal>(?:[^\[\]\\]|\\.)*)\]"
    r"|(?P<encoded>=\?[^?\s]+\?[bBqQ]\?[^?\s]*\?=)"
    r"|(?P<special>[(),:;<>@.])"
    r'|(?P<atom>\\.?|[\[\])]|[^ \t\r\n\0()\[\],:;<>@."\\]+)',
    re.DOTALL,
)
_IN_COMMENT: Final = re.compile(r"\\.|[()]", re.DOTALL)
_PAIR: Final = re.compile(r"\\(.?)", re.DOTALL)
# What needs quotes in a local part. Dots at its ends or side by side are no dot-atom, but they are
# used without quotes wherever they are used.
_PLAIN: Final = re.compile(r'[^\x00-\x20\x7f()<>\[\]:;@\\,"]*')
_SPECIALS: Final = re.compile(r'[()<>\[\]:;@\\,."]')


@dataclass(frozen=True, slots=True)
class Mailbox:
    """One address of a field.

    Attributes:
        local: before the @, with quotes where it needs them.
        domain: after it, as it is written; "" if there is none.
        name: for people; "" if there is none.
        group: the name of the group it is in.
    """

    local: str
    domain: str
    name: str = ""
    group: str = ""

    @property
    def address(self) -> str:
        return f"{self.local}@{self.domain}" if self.domain else self.local

    def component(self, which: str, delimiter: str = DELIMITER) -> str | None:
        """Return one of `COMPONENTS`; None if the address has none such.

        >>> Mailbox("bob+lists", "a.example").component("detail")
        'lists'
        """
        match which:
            case "all":
                return self.address
            case "localpart":
                return self.local
            case "domain":
                return self.domain or None
        user, found, detail = _unquoted(self.local).partition(delimiter)
        if which == "user":
            return user
        if which == "detail":
            return detail if found else None
        raise ValueError(f"no component of an address: {which}")

    def __str__(self) -> str:
        if not self.name:
            return self.address if self.domain else f"<{self.address}>"
        name = quoted(self.name) if _SPECIALS.search(self.name) else self.name
        return f"{name} <{self.address}>"


def mailboxes(value: bytes) -> list[Mailbox]:
    """Return the addresses of a field, given its value unfolded."""
    return list(_Reader(value.decode("utf-8", "surrogateescape")).run())


def components(value: bytes, which: str, delimiter: str = DELIMITER) -> list[str]:
    """Return one component of each address which has it; see `Mailbox.component`."""
    found = [each.component(which, delimiter) for each in mailboxes(value)]
    return [each for each in found if each is not None]


def quoted(text: str) -> str:
    """Return text as a quoted string."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _unquoted(local: str) -> str:
    if len(local) > 1 and local.startswith('"') and local.endswith('"'):
        return _PAIR.sub(r"\1", local[1:-1])
    return local


@dataclass(slots=True)
class _Run:
    """Words which belong together: an address, or one word of a name."""

    pieces: list[str] = field(default_factory=list)
    shown: list[str] = field(default_factory=list)  # the same with the blanks between, as a name
    at: int = -1  # which piece is the last @
    joins: bool = False  # ends in what joins it to the next word, blanks or not

    def add(self, piece: str, *, gap: bool, special: bool = False) -> None:
        if special and piece == "@":
            self.at = len(self.pieces)
        self.joins = special
        self.shown.append(f" {piece}" if gap and self.pieces else piece)
        self.pieces.append(piece)

    def split(self) -> tuple[str, str]:
        if self.at < 0:
            return _local("".join(self.pieces)), ""
        return _local("".join(self.pieces[: self.at])), "".join(self.pieces[self.at + 1 :])


def _local(text: str) -> str:
    return text if _PLAIN.fullmatch(text) else quoted(text)


def _name(runs: list[_Run]) -> str:
    text = " ".join(["".join(run.shown) for run in runs])
    return words.decoded(text.encode("utf-8", "surrogateescape"))


class _Reader:
    """Goes through a value once."""

    __slots__ = ("_angle", "_comment", "_found", "_gap", "_group", "_runs", "_text")

    def __init__(self, text: str) -> None:
        self._text = text
        self._runs: list[_Run] = []
        self._gap = True  # a blank or comment was seen
        self._angle = False  # within <...>
        self._comment = ""  # the last one of this element
        self._group = ""
        self._found: list[tuple[str, _Run]] = []  # name and address, of this element

    def run(self) -> Iterator[Mailbox]:
        at = 0
        while found := _TOKEN.match(self._text, at):
            at = found.end()
            kind, text = found.lastgroup, found[0]
            if kind == "blank":
                self._gap = True
            elif kind == "quoted":
                self._word(_PAIR.sub(r"\1", found["quoted"]))
            elif kind != "special":
                self._word(text)
            elif text == "(":
                at = self._skip(at)
            elif text in ".@":
                self._join(text)
            else:
                yield from self._special(text)
        yield from self._end()

    def _word(self, text: str) -> None:
        if not self._runs or (self._gap and not self._runs[-1].joins):
            self._runs.append(_Run())
        self._runs[-1].add(text, gap=self._gap)
        self._gap = False

    def _join(self, text: str) -> None:
        if not self._runs:
            self._runs.append(_Run())
        self._runs[-1].add(text, gap=self._gap, special=True)
        self._gap = False

    def _skip(self, at: int) -> int:
        """Return where the comment ends which began before `at`."""
        depth, start, end = 1, at, len(self._text)
        for found in _IN_COMMENT.finditer(self._text, at):
            depth += {"(": 1, ")": -1}.get(found[0], 0)
            if not depth:
                end = found.start()
                at = found.end()
                break
        else:
            at = end
        self._comment = _PAIR.sub(r"\1", self._text[start:end]).strip(" \t\r\n\0")
        self._gap = True
        return at

    def _special(self, text: str) -> Iterator[Mailbox]:
        self._gap = True
        if text == "<":
            if self._angle:
                self._end_angle()
            self._found.append((self._phrase(), _Run()))
            self._angle = True
        elif text == ">":
            self._end_angle()
        elif text == ":":
            yield from self._colon()
        elif text == ";":
            yield from self._end()
            self._group = ""
        elif not (self._angle and self._is_route()):
            yield from self._end()

    def _colon(self) -> Iterator[Mailbox]:
        if self._angle and self._is_route():
            self._runs.clear()  # hosts to go by (RFC 5322 section 4.4)
        elif self._found or any(run.at >= 0 for run in self._runs):
            yield from self._end()
        else:
            self._group = self._phrase()

    def _is_route(self) -> bool:
        return bool(self._runs) and self._runs[0].pieces[0] == "@"

    def _phrase(self) -> str:
        """Take the words which were read as a name."""
        text = _name(self._runs)
        self._runs.clear()
        return text

    def _end_angle(self) -> None:
        if self._angle:
            name, _ = self._found.pop()
            addresses = [run for run in self._runs if run.at >= 0]
            if not addresses and len(self._runs) == 1:
                addresses = self._runs
            self._found += [(name, run) for run in addresses]
            self._runs.clear()
            self._angle = False

    def _end(self) -> Iterator[Mailbox]:
        """An element of the list is over."""
        self._end_angle()
        addresses = [run for run in self._runs if run.at >= 0]
        if not addresses and len(self._runs) == 1 and not self._found:
            addresses = self._runs
        named = [run for run in self._runs if run.at < 0] if addresses is not self._runs else []
        self._found += [(_name(named), run) for run in addresses]
        comment = words.decoded(self._comment.encode("utf-8", "surrogateescape"))
        for name, run in self._found:
            local, domain = run.split()
            yield Mailbox(local, domain, name or comment, self._group)
        self._runs.clear()
        self._found.clear()
        self._comment = ""
