"""Formats of log lines with macros, as custom_logger has them: %r, %t{%H:%M}, %{vctx_mess:key}.

A name after % goes on as far as letters do, with single ":" or "_" between them; so no letter may
follow a macro as text. A macro nobody knows stands for nothing, as does one whose value an event
does not have. A line stays a line: what remains of control characters is escaped in every value.
"""

import re
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from angarium.core.address import split
from angarium.core.ident import printed
from angarium.events import format as lines
from angarium.events.schema import Event, Reception, Rejection
from angarium.mail.report.codes import CLASSES, STAGES

UNKNOWN_STAGE: Final = 22  # where an event has none
TLS: Final = "outbound_tls"  # namespace of the macros about TLS
# %name, %name{argument}, %{name}, %{name:argument}
_MACRO: Final = re.compile(
    r"%(?:\{(?P<quoted>[^{}]*)\}"
    r"|(?P<name>[A-Za-z]+(?:[:_][A-Za-z]+)*)(?:\{(?P<argument>[^{}]*)\})?)"
)
_CONTROL: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_SANITIZERS: Final = re.compile(
    r"\s*(?:(?P<word>special_characters|non_printable)"
    r"|tr/(?P<these>(?:[^/\\]|\\.)+)/(?P<those>(?:[^/\\]|\\.)*)/)\s*(?:,|$)"
)

# From an event, with its printed time, to a text.
Value = Callable[[Any, str], str]
Clean = Callable[[str], str]
Line = Callable[[Event, str], bytes]


def sanitizer(text: str) -> Clean:
    """Return what makes data of others harmless, as the option `sanitize` says.

    Raises:
        ValueError: it is no list of special_characters, non_printable and tr/THESE/THOSE/.
    """
    steps: list[Clean] = []
    at = 0
    while at < len(text):
        found = _SANITIZERS.match(text, at)
        if found is None:
            raise ValueError(
                f"{text[at:]!r} is none of special_characters, non_printable, tr/FROM/TO/"
            )
        if found["these"] is not None:
            steps.append(_mapping(_characters(found["these"]), _characters(found["those"])))
        else:
            steps.append(lines.escape_rest if found["word"] == "special_characters" else _decimal)
        at = found.end()
    return _chain(steps)


def _chain(steps: list[Clean]) -> Clean:
    def clean(text: str) -> str:
        for step in steps:
            text = step(text)
        return text

    return clean


def _decimal(text: str) -> str:
    return "".join([each if each.isprintable() else str(ord(each)) for each in text])


def _characters(text: str) -> list[str]:
    """Return what a list such as "a-z_" names, in order."""
    plain = re.findall(r"\\?(?:.)", text)
    singles = [(each[-1], each == "-") for each in plain]
    found: list[str] = []
    at = 0
    while at < len(singles):
        if at + 2 < len(singles) and singles[at + 1][1]:
            first, last = ord(singles[at][0]), ord(singles[at + 2][0])
            found += [chr(code) for code in range(first, min(last, first + 0xFF) + 1)]
            at += 3
        else:
            found.append(singles[at][0])
            at += 1
    return found


def _mapping(these: list[str], those: list[str]) -> Clean:
    # As tr: without characters to put in, none is changed; the last one stands for those missing.
    those = those or these
    pairs = {each: those[min(number, len(those) - 1)] for number, each in enumerate(these)}
    table = str.maketrans(pairs)
    return lambda text: text.translate(table)


class Formatted:
    """Prints times in a form of strftime; a second is formatted once.

    Args:
        hires: six digits of the second follow each %S and %T.
    """

    __slots__ = ("_form", "_hires", "_last", "_text")

    def __init__(self, form: str, *, hires: bool) -> None:
        self._hires = hires
        # Doubled signs are kept apart, so that "%%T" is not taken for a time.
        parts = form.split("%%")
        if hires:
            parts = [re.sub(r"%([ST])", "%\\1.\x01", part) for part in parts]
        self._form = "%%".join(parts)
        self._last = -1
        self._text = ""

    def __call__(self, at: float) -> str:
        second = int(at)
        if second != self._last:
            self._text, self._last = time.strftime(self._form, time.localtime(second)), second
        if self._hires:
            return self._text.replace("\x01", f"{int((at - second) * 1_000_000):06d}")
        return self._text


def _of(name: str) -> Value:
    return lambda event, at: str(getattr(event, name, ""))


def _id(name: str) -> Value:
    return lambda event, at: printed(getattr(event, name, 0))


def _inward(event: Any, at: str) -> str:
    own = isinstance(event, Reception | Rejection)
    return printed(event.connection if own else getattr(event, "inward", 0))


def _outward(event: Any, at: str) -> str:
    own = isinstance(event, Reception | Rejection)
    return "" if own else printed(getattr(event, "connection", 0))


def _host(event: Any, at: str) -> str:
    return lines.host(getattr(event, "source", "") or getattr(event, "remote", ""))


def _mailbox(name: str, part: int) -> Value:
    variable = {"sender": "mailfrom", "rcpt": "rcptto"}[name] + ("_localpart", "_domain")[part]

    def found(event: Any, at: str) -> str:
        if isinstance(event, Rejection):
            return event.mess_vars.get(variable, "")
        return split(getattr(event, name, ""))[part]

    return found


def _reply(event: Any, at: str) -> str:
    for name in ("reply", "reason", "text"):
        if (said := getattr(event, name, None)) is not None:
            return str(said)
    return ""


def _class_name(event: Any, at: str) -> str:
    code = getattr(event, "classification", None)
    found = CLASSES.get(code) if code is not None else None
    return found.name if found else ""


def _stage(event: Any, at: str) -> str:
    return str(getattr(event, "stage", UNKNOWN_STAGE))


def _stage_name(event: Any, at: str) -> str:
    stage = getattr(event, "stage", None)
    return STAGES.get(stage, "") if stage is not None else ""


def _elapsed(digits: int) -> Value:
    def elapsed(event: Any, at: str) -> str:
        seconds = event.at - getattr(event, "received_at", event.at)
        return f"{max(seconds, 0.0):.{digits}f}"

    return elapsed


PLAIN: Final[Mapping[str, Value]] = {
    "b": _of("binding"),
    "B": lambda event, at: str(getattr(event, "size", 0)),
    "BI": _id("batch"),
    "c": _class_name,
    "C": _of("classification"),
    "CI": _inward,
    "d": _of("domain"),
    "g": _of("group"),
    "H": _host,
    "i": _id("id"),
    "N": lambda event, at: str(getattr(event, "attempt", 0)),
    "OC": _outward,
    "p": lambda event, at: getattr(event, "protocol", "") or "unknown",
    "P": _of("pathway"),
    "PG": _of("pathway_group"),
    "s": _stage_name,
    "S": _stage,
    "t": lambda event, at: at,
    "T": _elapsed(2),
}
# What others say: it goes through the sanitizer.
FOREIGN: Final[Mapping[str, Value]] = {
    "m": _mailbox("sender", 0),
    "M": _mailbox("sender", 1),
    "n": _reply,
    "r": _mailbox("rcpt", 0),
    "R": _mailbox("rcpt", 1),
}


def _of_tls(place: int) -> Value:
    def found(event: Any, at: str) -> str:
        parts = getattr(event, "tls", "").split("\t")
        return str(parts[place]) if place < len(parts) else ""

    return found


def _tls(event: Any, at: str) -> str:
    if getattr(event, "tls", ""):
        return "TLS"
    return "SMTP" if getattr(event, "remote", "") else "unknown"


def _tls_type(event: Any, at: str) -> str:
    return str(getattr(event, "tls", "").partition("\t")[0]) or "no"


# Of the events of attempts: see `Tls` in events/schema.
_OF_TLS: Final[Mapping[str, Value]] = {
    "outbound_tls": _tls,
    "outbound_tls_type": _tls_type,
    "outbound_tls_protocol": _of_tls(1),
    "outbound_tls_cipher": _of_tls(2),
    "outbound_tls_cipher_algbits": _of_tls(3),
    "outbound_tls_cipher_usebits": _of_tls(4),
    "outbound_tls_verified": _of_tls(5),
    # The manual calls it so, and means the address to which mail was sent.
    "local_ip": _host,
}
_SHOWN: Final[Mapping[str, Value]] = {
    "outbound_tls_issuer": _of_tls(6),
    "outbound_tls_subject": _of_tls(7),
}


class Format:
    """A format, as a function from an event and its printed time to a line.

    Args:
        text: as it is written.
        hires: whether times of strftime have microseconds.
        clean: makes data of others harmless.
        namespaces: where macros are looked for.
    """

    __slots__ = ("_parts",)

    def __init__(
        self,
        text: str,
        *,
        hires: bool = False,
        clean: Clean | None = None,
        namespaces: tuple[str, ...] = ("custom_logger",),
    ) -> None:
        found: list[str | Value] = []
        at = 0
        for macro in _MACRO.finditer(text):
            found.append(text[at : macro.start()])
            name, argument = macro["name"] or "", macro["argument"]
            if macro["quoted"] is not None:
                name, _, argument = macro["quoted"].partition(":")
                if name == TLS:
                    name, argument = f"{TLS}:{argument}", ""
            found.append(_value(name, argument or "", hires, clean, namespaces))
            at = macro.end()
        found.append(text[at:])
        self._parts = [part for part in found if part != ""]

    def __call__(self, event: Event, at: str) -> str:
        return "".join([part if isinstance(part, str) else part(event, at) for part in self._parts])


def _value(
    name: str, argument: str, hires: bool, clean: Clean | None, namespaces: tuple[str, ...]
) -> Value | str:
    if name in ("t", "T", "us") and argument:
        return _with_argument(name, argument, hires)
    if name in PLAIN:
        return _guarded(PLAIN[name], None)
    if name in FOREIGN:
        return _guarded(FOREIGN[name], clean)
    if name in ("vctx_conn", "vctx_mess"):
        return _guarded(_variable(name, argument), clean)
    space, colon, rest = name.rpartition(":")
    if space == TLS or (not colon and TLS in namespaces):
        if rest in _OF_TLS:
            return _guarded(_OF_TLS[rest], None)
        return _guarded(_SHOWN[rest], clean) if rest in _SHOWN else ""
    return ""


def _with_argument(name: str, argument: str, hires: bool) -> Value | str:
    if name == "t":
        printer = Formatted(argument, hires=hires)
        return lambda event, at: printer(event.at)
    if not argument.isdecimal() or int(argument) > 9:
        return ""
    digits = int(argument)
    if name == "T":
        return _elapsed(digits)
    return lambda event, at: f"{event.at:.{min(digits, 6)}f}"


def _variable(name: str, key: str) -> Value:
    def found(event: Any, at: str) -> str:
        if isinstance(event, Rejection):
            variables = event.conn_vars if name == "vctx_conn" else event.mess_vars
        else:
            variables = getattr(event, "context", {}) if name == "vctx_mess" else {}
        return str(variables.get(key, ""))

    return found


def _guarded(value: Value, clean: Clean | None) -> Value:
    def guarded(event: Any, at: str) -> str:
        text = value(event, at)
        if clean is not None:
            text = clean(text)
        return text if text.isprintable() else _CONTROL.sub(_escaped, text)

    return guarded


def _escaped(found: re.Match[str]) -> str:
    return lines.escape_rest(found[0])
