"""exim_logger: the main log of Exim, for programs which read that, such as eximstats."""

from typing import Final

from angarium.events import format as lines
from angarium.events.schema import (
    Delivery,
    Discard,
    PermanentFailure,
    Reception,
    Rejection,
    Transfer,
    TransientFailure,
)
from angarium.modules.loggers.options.formats import EximLogger
from angarium.modules.loggers.others import Others, Texts, chosen, named
from angarium.modules.loggers.places import Places
from angarium.modules.options import LOG_MODE

HEAD: Final = "%Y-%m-%d %H:%M:%S "
WAY: Final = (
    "R=dnslookup T=remote_smtp"  # the router and transport of its own default configuration
)
_DIGITS: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_VERBS: Final = {4: "MAIL", 6: "RCPT", 7: "RCPT", 13: "RCPT", 19: "RCPT"}  # by reception state


class Logger(Others):
    """One `exim_logger` stanza."""

    __slots__ = ()

    def __init__(self, options: EximLogger, places: Places, stamp: lines.Stamp) -> None:
        texts = chosen(TEXTS, options.log_transient_failures)
        super().__init__(options.mainlog, places, texts, HEAD)


def identity(ident: int) -> str:
    """Return an id as Exim's look: six, six and two digits of base 62."""
    text = ""
    for _ in range(14):
        ident, digit = divmod(ident, 62)
        text = _DIGITS[digit] + text
    return f"{text[:6]}-{text[6:12]}-{text[12:]}"


def _host(endpoint: str) -> str:
    return f" H=[{lines.host(endpoint)}]" if endpoint else ""


def _reception(event: Reception) -> list[str]:
    source = _host(event.source) if event.source else " U=angarium"
    way = event.protocol if event.source else "local"
    return [
        f"{identity(event.id)} <= {event.sender or '<>'}{source} P={way} S={event.size}"
        f" for {event.rcpt}"
    ]


def _delivery(event: Delivery | Transfer) -> list[str]:
    ident = identity(event.id)
    waited = max(0, round(event.at - event.received_at))
    return [
        f"{ident} => {event.rcpt} {WAY}{_host(event.remote)} QT={waited}s"
        f' C="{event.reply.replace(chr(34), chr(39))}"',
        f"{ident} Completed",
    ]


def _deferred(event: TransientFailure) -> list[str]:
    return [f"{identity(event.id)} == {event.rcpt} {WAY} defer (0): {event.reason}"]


def _failed(event: PermanentFailure) -> list[str]:
    ident = identity(event.id)
    failed = f"{ident} ** {event.rcpt} {WAY}{_host(event.remote)}: {event.reason}"
    return [failed, f"{ident} Completed"]


def _discarded(event: Discard) -> list[str]:
    ident = identity(event.id)
    return [f"{ident} => discarded ({event.reason}) <{event.rcpt}>", f"{ident} Completed"]


def _rejection(event: Rejection) -> list[str]:
    sender, rcpt = named(event, "mailfrom"), named(event, "rcptto")
    verb = _VERBS.get(event.phase, "connection" if event.phase < 4 else "after DATA")
    who = f"H=[{lines.host(event.remote)}]"
    if verb == "RCPT":
        return [f"{who} F=<{sender}> rejected RCPT <{rcpt}>: {event.text}"]
    if verb == "MAIL":
        return [f"{who} rejected MAIL <{sender}>: {event.text}"]
    return [f"{who} rejected {verb}: {event.text}"]


TEXTS: Final[dict[type, Texts]] = {
    Reception: _reception,
    Delivery: _delivery,
    Transfer: _delivery,
    TransientFailure: _deferred,
    PermanentFailure: _failed,
    Discard: _discarded,
    Rejection: _rejection,
}


def paniclog(options: EximLogger) -> tuple[str | None, int]:
    """Return where faults of the server go too, and the mode of that log; None: nowhere."""
    return options.paniclog, LOG_MODE
