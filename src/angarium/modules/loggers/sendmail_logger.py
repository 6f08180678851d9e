"""sendmail_logger: the log of Sendmail, for programs which read that."""

import os
import socket
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
from angarium.modules.loggers.options.formats import SendmailLogger
from angarium.modules.loggers.others import Others, Texts, code_of, named
from angarium.modules.loggers.places import Places
from angarium.modules.options import LOG_MODE

# By enhanced code, as RFC 3463 and Sendmail's own words have it.
_WORDS: Final = {
    "5.1.1": "User unknown",
    "5.1.2": "Host unknown (Name server: host not found)",
    "5.2.2": "Mailbox full",
}


class Logger(Others):
    """One `sendmail_logger` stanza."""

    __slots__ = ()

    def __init__(self, options: SendmailLogger, places: Places, stamp: lines.Stamp) -> None:
        # A % in the name of a host would be one of strftime.
        host = socket.gethostname().split(".")[0].replace("%", "")
        super().__init__(
            options.mainlog, places, TEXTS, f"%b %e %H:%M:%S {host} sendmail[{os.getpid()}]: "
        )


def identity(ident: int) -> str:
    """Return an id which Sendmail's programs take for one of its own."""
    return f"{ident:016x}"


def elapsed(seconds: float) -> str:
    """Return a duration: hours, minutes and seconds; days before them where there are."""
    whole = max(0, round(seconds))
    days, rest = divmod(whole, 86400)
    clock = f"{rest // 3600:02}:{rest // 60 % 60:02}:{rest % 60:02}"
    return f"{days}+{clock}" if days else clock


def _relay(endpoint: str) -> str:
    return f", relay=[{lines.host(endpoint)}]" if endpoint else ""


def _reception(event: Reception) -> list[str]:
    relay = _relay(event.source) or ", relay=angarium@localhost"
    return [
        f"{identity(event.id)}: from=<{event.sender}>, size={event.size}, class=0, nrcpts=1,"
        f" proto={event.protocol.upper()}, daemon=MTA{relay}"
    ]


Tried = Delivery | Transfer | TransientFailure | PermanentFailure | Discard


def _tried(event: Tried, remote: str, size: int, code: str, status: str) -> list[str]:
    return [
        f"{identity(event.id)}: to=<{event.rcpt}>, delay={elapsed(event.at - event.received_at)},"
        f" xdelay=00:00:00, mailer=esmtp, pri={30000 + size}{_relay(remote)}, dsn={code},"
        f" stat={status}"
    ]


def _delivery(event: Delivery | Transfer) -> list[str]:
    code = code_of(event.reply, "2.0.0")
    return _tried(event, event.remote, event.size, code, f"Sent ({event.reply})")


def _deferred(event: TransientFailure) -> list[str]:
    code = code_of(event.reason, "4.0.0")
    return _tried(event, event.remote, event.size, code, f"Deferred: {event.reason}")


def _failed(event: PermanentFailure) -> list[str]:
    code = code_of(event.reason, "5.0.0")
    status = _WORDS.get(code, f"Service unavailable: {event.reason}")
    return _tried(event, event.remote, event.size, code, status)


def _discarded(event: Discard) -> list[str]:
    return [f"{identity(event.id)}: to=<{event.rcpt}>, discarded: {event.reason}"]


def _rejection(event: Rejection) -> list[str]:
    rcpt, sender = named(event, "rcptto"), named(event, "mailfrom")
    ruleset = "check_relay" if not event.mess_vars else "check_rcpt" if rcpt else "check_mail"
    about = rcpt or sender
    argument = f"<{about}>" if event.mess_vars else f"[{lines.host(event.remote)}]"
    return [
        f"{identity(event.connection)}: ruleset={ruleset}, arg1={argument}"
        f"{_relay(event.remote)}, reject={event.code} {event.text}"
    ]


TEXTS: Final[dict[type, Texts]] = {
    Reception: _reception,
    Delivery: _delivery,
    Transfer: _delivery,
    TransientFailure: _deferred,
    PermanentFailure: _failed,
    Discard: _discarded,
    Rejection: _rejection,
}


def paniclog(options: SendmailLogger) -> tuple[str | None, int]:
    """Return where faults of the server go too, and the mode of that log; None: nowhere."""
    return options.paniclog, LOG_MODE
