"""What scripts in Python set: looked at where they set it, and told to them if it is no such thing.

Behind this everything is of the type it has by its annotation. A number where text belongs would
else be found when the message is written, by code which has no script to tell.
"""

import math
from collections.abc import Iterator, MutableMapping
from typing import Final

from angarium.policy.context import Which
from angarium.policy.mail import Mail

# RFC 5321, section 4.5.3.1.3 has 256 for a path and 255 for a domain; some senders take more.
LONGEST_ADDRESS: Final = 1000
LONGEST_DOMAIN: Final = 255
# Of a variable, which goes with each record of the message.
LONGEST_TEXT: Final = 1 << 20


def text(value: object, what: str) -> str:
    """Return a text. Raises TypeError, ValueError: it is none, too long, or cannot be encoded."""
    if not isinstance(value, str):
        raise TypeError(f"{what} is to be a string, not {_shown(value)}")
    try:
        octets = len(value.encode("utf-8", "surrogateescape"))
    except UnicodeEncodeError as error:
        raise ValueError(f"{what} has half a character in it: {_shown(value)}") from error
    if octets > LONGEST_TEXT:
        raise ValueError(f"{what} has {octets} octets, and may have {LONGEST_TEXT}")
    return value


def address(value: object, what: str) -> str:
    """As `text`, of an address: one line of moderate length."""
    return _line(text(value, what), what, LONGEST_ADDRESS)


def domain(value: object, what: str) -> str:
    """As `text`, of a domain: no space either."""
    found = _line(text(value, what), what, LONGEST_DOMAIN)
    if " " in found:
        raise ValueError(f"{what} may have no space in it: {_shown(value)}")
    return found


def _line(value: str, what: str, most: int) -> str:
    if len(value) > most:
        raise ValueError(f"{what} has {len(value)} characters, and may have {most}")
    if any(each < " " or each == "\x7f" for each in value):
        raise ValueError(f"{what} is to be one line: {_shown(value)}")
    return value


def whole(value: object, what: str, most: int) -> int:
    """Return a whole number from 0 to `most`; what is beyond it is the nearest one."""
    if not isinstance(value, int):
        raise TypeError(f"{what} is to be a whole number, not {_shown(value)}")
    return min(max(int(value), 0), most)


def octets(value: object, what: str) -> bytes:
    if not isinstance(value, bytes):
        raise TypeError(f"{what} is to be bytes, not {_shown(value)}")
    return value


def span(value: object, what: str) -> float:
    """Return seconds, not less than 0."""
    if not isinstance(value, int | float):
        raise TypeError(f"{what} is to be a number of seconds, not {_shown(value)}")
    if not (math.isfinite(value) and value >= 0):
        raise ValueError(f"{what} is to be a number of seconds, not {_shown(value)}")
    return float(value)


def _shown(value: object) -> str:
    return f"{value!r:.60}" if isinstance(value, str | int | float) else type(value).__name__


class Headers(MutableMapping[str, str]):
    """The fields of a header: names in any case, values as text, encoded words decoded.

    `headers["Subject"]` is the first field of that name; to set one replaces all of them.
    """

    __slots__ = ("_mail",)

    def __init__(self, mail: Mail) -> None:
        self._mail = mail

    def __getitem__(self, name: str) -> str:
        found = self._mail.draft.text(text(name, "the name of a field"))
        if found is None:
            raise KeyError(name)
        return found

    def __setitem__(self, name: str, value: str) -> None:
        self._mail.edited.set(text(name, "the name of a field"), text(value, name))

    def __delitem__(self, name: str) -> None:
        if not self._mail.edited.delete(text(name, "the name of a field")):
            raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter([name.decode("latin-1") for name, _ in self._mail.draft.items()])

    def __len__(self) -> int:
        return len(self._mail.draft.names)

    def all(self, name: str) -> list[str]:
        """Return the values of all fields of that name."""
        return self._mail.draft.texts(text(name, "the name of a field"))

    def add(self, name: str, value: str) -> None:
        """Put a field behind the others."""
        self._mail.edited.append(text(name, "the name of a field"), text(value, name))

    def prepend(self, name: str, value: str) -> None:
        """Put a field before the others, as trace fields are."""
        self._mail.edited.prepend(text(name, "the name of a field"), text(value, name))


class Variables(MutableMapping[str, str]):
    """One of the two dictionaries; values are strings, and go to the logs and to the disk."""

    __slots__ = ("_mail", "_which")

    def __init__(self, mail: Mail, which: Which) -> None:
        self._mail = mail
        self._which = which

    def __getitem__(self, name: str) -> str:
        found = self._mail.get(self._which, name)
        if found is None:
            raise KeyError(name)
        return found

    def __setitem__(self, name: str, value: str) -> None:
        self._mail.set(self._which, text(name, "the name of a variable"), text(value, name))

    def __delitem__(self, name: str) -> None:
        if not self._mail.delete(self._which, name):
            raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._mail.variables(self._which))

    def __len__(self) -> int:
        return len(self._mail.variables(self._which))


class Strings(MutableMapping[str, str]):
    """A dictionary of strings which others hold."""

    __slots__ = ("_of",)

    def __init__(self, of: dict[str, str]) -> None:
        self._of = of

    def __getitem__(self, name: str) -> str:
        return self._of[name]

    def __setitem__(self, name: str, value: str) -> None:
        self._of[text(name, "the name of a variable")] = text(value, name)

    def __delitem__(self, name: str) -> None:
        del self._of[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._of)

    def __len__(self) -> int:
        return len(self._of)
