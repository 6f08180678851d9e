"""postfix_logger: the log of Postfix, for programs which read that, such as pflogsumm."""

import os
import socket
from collections.abc import Sequence
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
from angarium.modules.loggers.options.formats import PostfixLogger
from angarium.modules.loggers.others import Others, Texts, chosen, code_of, named, port_of
from angarium.modules.loggers.places import Places
from angarium.modules.options import LOG_MODE


class Logger(Others):
    """One `postfix_logger` stanza."""

    __slots__ = ()

    def __init__(self, options: PostfixLogger, places: Places, stamp: lines.Stamp) -> None:
        texts = chosen(TEXTS, options.log_transient_failures)
        # A % in the name of a host would be one of strftime.
        head = f"%b %e %H:%M:%S {socket.gethostname().split('.')[0].replace('%', '')} "
        super().__init__(options.mainlog, places, texts, head)


def identity(ident: int) -> str:
    """Return an id which Postfix's programs take for one of its own."""
    return f"{ident:016X}"


def _by(program: str, ident: int, text: str) -> str:
    return f"postfix/{program}[{os.getpid()}]: {identity(ident)}: {text}"


def _removed(ident: int) -> str:
    return _by("qmgr", ident, "removed")


def _reception(event: Reception) -> Sequence[str]:
    came = (
        _by("smtpd", event.id, f"client=unknown[{lines.host(event.source)}]")
        if event.source
        else _by("pickup", event.id, f"uid={os.getuid()} from=<{event.sender}>")
    )
    queued = f"from=<{event.sender}>, size={event.size}, nrcpt=1 (queue active)"
    return came, _by("qmgr", event.id, queued)


def _relay(endpoint: str) -> str:
    address = lines.host(endpoint)
    return f"{address}[{address}]:{port_of(endpoint) or '25'}" if address else "none"


def delay(seconds: float) -> str:
    """Return seconds as Postfix writes them: two digits that matter, no zeros behind them.

    >>> delay(0.004), delay(0.13), delay(1.26), delay(86400.4)
    ('0', '0.13', '1.3', '86400')
    """
    if seconds >= 10:
        return f"{seconds:.0f}"
    text = f"{seconds:.1f}" if seconds >= 1 else f"{max(seconds, 0.0):.2f}"
    return text.rstrip("0").rstrip(".")


Tried = Delivery | Transfer | TransientFailure | PermanentFailure | Discard


def _status(event: Tried, program: str, relay: str, code: str, status: str, text: str) -> str:
    waited = delay(event.at - event.received_at)
    return _by(
        program,
        event.id,
        f"to=<{event.rcpt}>, relay={relay}, delay={waited}, delays=0/{waited}/0/0,"
        f" dsn={code}, status={status} ({text})",
    )


def _delivery(event: Delivery | Transfer) -> Sequence[str]:
    code = code_of(event.reply, "2.0.0")
    sent = _status(event, "smtp", _relay(event.remote), code, "sent", event.reply)
    return sent, _removed(event.id)


def _deferred(event: TransientFailure) -> Sequence[str]:
    code = code_of(event.reason, "4.0.0")
    return (_status(event, "smtp", _relay(event.remote), code, "deferred", event.reason),)


def _failed(event: PermanentFailure) -> Sequence[str]:
    if event.kind == "expired":
        expired = f"from=<{event.sender}>, status=expired, returned to sender"
        return _by("qmgr", event.id, expired), _removed(event.id)
    if event.kind == "discarded":
        dropped = _status(event, "discard", "none", "2.0.0", "sent", event.reason)
        return dropped, _removed(event.id)
    program = "smtp" if event.remote else "error"
    code = code_of(event.reason, "5.0.0")
    bounced = _status(event, program, _relay(event.remote), code, "bounced", event.reason)
    return bounced, _removed(event.id)


def _discarded(event: Discard) -> Sequence[str]:
    dropped = _status(event, "discard", "none", "2.0.0", "sent", event.reason)
    return dropped, _removed(event.id)


def _rejection(event: Rejection) -> Sequence[str]:
    verb = _verb(event)
    code = code_of(event.text, f"{event.code // 100}.0.0")
    text = event.text.removeprefix(code).strip()
    sender, rcpt = named(event, "mailfrom"), named(event, "rcptto")
    about = f"<{rcpt}>: " if verb == "RCPT" else ""
    who = [f"from=<{sender}>"] if verb != "CONNECT" else []
    who += [f"to=<{rcpt}>"] if rcpt else []
    hello = event.conn_vars.get("ehlo_domain", "")
    who += ["proto=ESMTP", f"helo=<{hello}>"] if hello else ["proto=SMTP"]
    return (
        f"postfix/smtpd[{os.getpid()}]: NOQUEUE: reject: {verb} from"
        f" unknown[{lines.host(event.remote)}]: {event.code} {code} {about}{text};"
        f" {' '.join(who)}",
    )


def _verb(event: Rejection) -> str:
    if event.mess_vars.get("rcptto_string") and event.phase not in _CONTENT:
        return "RCPT"
    if event.phase in _CONTENT:
        return "END-OF-MESSAGE"
    return "MAIL" if event.mess_vars else "CONNECT"


_CONTENT: Final = frozenset((8, 9, 10, 11, 12))  # states of reception after DATA

TEXTS: Final[dict[type, Texts]] = {
    Reception: _reception,
    Delivery: _delivery,
    Transfer: _delivery,
    TransientFailure: _deferred,
    PermanentFailure: _failed,
    Discard: _discarded,
    Rejection: _rejection,
}


def paniclog(options: PostfixLogger) -> tuple[str | None, int]:
    """Return where faults of the server go too, and the mode of that log; None: nowhere."""
    return options.paniclog, LOG_MODE
