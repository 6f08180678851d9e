"""The command line of sendmail(8): what is asked for, and what is let pass without effect.

Nothing of it names a file or a server: whoever smuggles an option into the call of a careless
program gets nothing by `-oQ`, `-C` or `-X`. Words after `--` are recipients.
"""

import enum
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from angarium.core.errors import Error

# As getopt(3) writes it; q is treated apart, its value only ever stands beside it.
_VALUED: Final = frozenset("ABbCDdeFfLMNOopRrVX")
_PLAIN: Final = frozenset("GhIimnstUvWx")
_QUIET: Final = frozenset("pqw")  # of -e: who has failed is not told on the terminal
_NOTIFY: Final = frozenset({"success", "failure", "delay"})
_SHOWN: Final = 40


class Mode(enum.Enum):
    """What to do."""

    TAKE = "m"
    SPEAK = "s"
    LIST = "p"
    FLUSH = "q"
    VERIFY = "v"
    NOTHING = "i"
    HELP = "h"


class UsageError(Error):
    """The command line asks for what cannot be."""


@dataclass(slots=True)
class Request:
    """See above.

    Attributes:
        sender: of the envelope; None: the user who calls.
        name: full name of the sender; None: that of the user.
        scan: recipients stand in the header too.
        dots: a line of a dot alone is the end.
        notify: NOTIFY of RFC 3461, "" if it was not asked for.
        returned: RET, "FULL" or "HDRS".
        envid: ENVID, as xtext.
    """

    mode: Mode = Mode.TAKE
    sender: str | None = None
    name: str | None = None
    scan: bool = False
    dots: bool = True
    quiet: bool = False
    verbose: bool = False
    notify: str = ""
    returned: str = ""
    envid: str = ""
    recipients: list[str] = field(default_factory=list)


def parse(words: Sequence[str]) -> Request:
    """Return what a command line asks for. Raises UsageError."""
    request = Request()
    for letter, value in _options(words, request.recipients):
        _OPTIONS.get(letter, _ignored)(request, value)
    for text in (*request.recipients, request.sender or "", request.name or ""):
        if _CONTROL.search(text):
            raise UsageError(f"a control character in {text[:_SHOWN]!r}")
    return request


_CONTROL: Final = re.compile("[\x00-\x1f\x7f]")


def _options(words: Sequence[str], others: list[str]) -> Iterator[tuple[str, str]]:
    """Yield (letter, value); what is no option goes to `others`."""
    rest = list(reversed(words))
    while rest:
        word = rest.pop()
        if word == "--":
            others.extend(reversed(rest))
            return
        if not word.startswith("-") or word == "-":
            others.append(word)
            continue
        at = 1
        while at < len(word):
            letter = word[at]
            at += 1
            if letter == "q":
                yield letter, word[at:]
                break
            if letter in _VALUED:
                if at == len(word) and not rest:
                    raise UsageError(f"-{letter} wants a value")
                yield letter, word[at:] or rest.pop()
                break
            if letter == "h" and _hops(word[at:] or (rest[-1] if rest else "")):
                if at == len(word):
                    rest.pop()
                break
            if letter not in _PLAIN:
                raise UsageError(f"no such option: {word[:_SHOWN]!r}")
            yield letter, ""


def _hops(value: str) -> bool:
    """Say whether -h is that of sendmail: how many servers a message has passed."""
    return value.isascii() and value.isdigit()


def _ignored(request: Request, value: str) -> None:
    """An option of sendmail which says what is not for us, or for its own configuration."""


def _mode(request: Request, value: str) -> None:
    try:
        request.mode = Mode(value)
    except ValueError as error:
        raise UsageError(
            f"there is no -b{value[:_SHOWN]}; the server is started by `angarium serve`"
        ) from error
    if request.mode is Mode.HELP:
        raise UsageError("there is no -bh: nothing is known of hosts here")


def _flush(request: Request, value: str) -> None:
    if value:
        raise UsageError("-q takes no interval and no selection: all that waits is sent, once")
    request.mode = Mode.FLUSH


def _old_style(request: Request, value: str) -> None:
    """-oX of sendmail 8: of all of them three say something about this one message."""
    match value[:1]:
        case "i":
            request.dots = False
        case "e":
            _errors(request, value[1:])
        case "v":
            request.verbose = True


def _errors(request: Request, value: str) -> None:
    request.quiet = value[:1] in _QUIET and value[:1] != "p"


def _notify(request: Request, value: str) -> None:
    wanted = [each.strip().lower() for each in value.split(",")]
    if wanted != ["never"] and not _NOTIFY.issuperset(wanted):
        raise UsageError("-N takes never, or success, failure and delay with commas")
    request.notify = ",".join(dict.fromkeys(wanted)).upper()


def _returned(request: Request, value: str) -> None:
    if value.lower() not in ("full", "hdrs"):
        raise UsageError("-R takes full or hdrs")
    request.returned = value.upper()


def _envid(request: Request, value: str) -> None:
    # RFC 3461 section 4: printable ASCII; section 5.4: at most 100 of them.
    if not 0 < len(value) <= 100 or not value.isascii() or not value.isprintable():
        raise UsageError("-V takes up to 100 printable characters of ASCII")
    request.envid = re.sub(r"[^!-*,-<>-~]", lambda found: f"+{ord(found[0]):02X}", value)


def _sender(request: Request, value: str) -> None:
    request.sender = value


def _name(request: Request, value: str) -> None:
    request.name = value


def _scan(request: Request, value: str) -> None:
    request.scan = True


def _no_dots(request: Request, value: str) -> None:
    request.dots = False


def _verbose(request: Request, value: str) -> None:
    request.verbose = True


def _help(request: Request, value: str) -> None:
    request.mode = Mode.HELP


def _aliases(request: Request, value: str) -> None:
    request.mode = Mode.NOTHING


_OPTIONS: Final = {
    "b": _mode, "q": _flush, "o": _old_style, "e": _errors, "N": _notify, "R": _returned,
    "V": _envid, "f": _sender, "r": _sender, "F": _name, "t": _scan, "i": _no_dots,
    "v": _verbose, "h": _help, "I": _aliases,
}  # fmt: skip
