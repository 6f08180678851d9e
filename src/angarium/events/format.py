r"""The lines of the text logs: mainlog, bouncelog, rejectlog, paniclog.

One event, one line, in the layouts that log parsers know (docs/reference/logs.md). Fields of
mainlog and bouncelog stand between "@", so what a field holds is escaped, by one rule: a backslash
and a control character always, "@" in every field but the last. A reader splits at the "@" which
have no backslash before them, as often as the record has fields, and the rest is the last field.

    \\   a backslash          \n \r \t   as in C
    \@   an at sign           \xHH \uHHHH  any other control character or line separator

Almost no line needs it, so a line is joined as it is and looked at once, at C speed.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from angarium.core.address import split
from angarium.core.ident import printed
from angarium.events.schema import (
    Delivery,
    Discard,
    Heartbeat,
    Imported,
    PermanentFailure,
    Reception,
    Rejection,
    Transfer,
    TransientFailure,
)

Stamp = Callable[[float], str]
# From an event and its printed time to the fields of its line.
Fields = Callable[[Any, str], tuple[str, ...]]

PHASES: Final = (
    "just connected",
    "sending banner",
    "awaiting ehlo/helo",
    "sending ehlo/helo response",
    "awaiting mailfrom",
    "sending mailfrom response",
    "awaiting rcptto",
    "sending rcptto response",
    "data phase",
    "reading body",
    "sending body response",
    "async body handler",
    "async body response",
    "relaying denied",
    "extension 1",
    "extension 2",
    "extension 3",
    "extension 4",
    "concurrency limit",
    "rcptto list response",
    "rcptto list final response",
    "esmtp setup phase",
)

# C0, DEL, C1, and what Python and others take for the end of a line. "@" and backslash apart.
_CONTROL: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\\\\]")
_CONTROL_OR_AT: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\\\\@]")
_SPECIAL: Final = bytes(range(0x20)) + b"\x7f\\@"
_SHORT: Final = {"\\": r"\\", "@": r"\@", "\n": r"\n", "\r": r"\r", "\t": r"\t"}
# A value of a context variable which needs quotes, so that the list can be read back.
_QUOTED: Final = re.compile(r'[\s,\[\]"\\]')


def seconds(at: float) -> str:
    """Print a time as logs do: whole Unix seconds. Any float gives something."""
    try:
        return str(int(at))
    except (OverflowError, ValueError):  # infinite, or no number
        return "0"


def microseconds(at: float) -> str:
    """Print a time as logs do with log_hires_timestamp: 16 digits, microseconds."""
    return f"{at * 1e6:.0f}"


def line(fields: tuple[str, ...]) -> bytes:
    """Join the fields of a mainlog or bouncelog line, escaped where need be; no line end."""
    joined = "@".join(fields)
    if joined.isascii():
        octets = joined.encode()
        plain = len(octets) - len(fields) + 1
        surplus = plain - len(octets.translate(None, _SPECIAL))
        # What is special beyond the separators may all be "@" of the last field: it stays.
        if not surplus or surplus == fields[-1].count("@"):
            return octets
    escaped = [escape(field) for field in fields[:-1]]
    return "@".join([*escaped, escape_rest(fields[-1])]).encode()


def escape(field: str) -> str:
    """Escape a field which another one follows."""
    return _CONTROL_OR_AT.sub(_escaped, field)


def escape_rest(field: str) -> str:
    """Escape the last field of a line, in which "@" is only an at sign."""
    return _CONTROL.sub(_escaped, field)


def _escaped(found: re.Match[str]) -> str:
    character = found[0]
    if short := _SHORT.get(character):
        return short
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def host(endpoint: str) -> str:
    """Return the address of an endpoint.

    >>> host("192.0.2.1:25"), host("[2001:db8::1]:25"), host("2001:db8::1")
    ('192.0.2.1', '2001:db8::1', '2001:db8::1')
    """
    address, colon, _ = endpoint.rpartition(":")
    if not colon or ":" not in address:
        return address or endpoint
    return address[1:-1] if address[0] == "[" and address[-1] == "]" else endpoint.strip("[]")


def duration(elapsed: float) -> str:
    """Print seconds as logs do: two decimals, three where there are; never negative."""
    text = f"{elapsed:.3f}" if elapsed > 0 else "0.000"
    return text[:-1] if text[-1] == "0" else text


def _reception(event: Reception, at: str) -> tuple[str, ...]:
    local, domain = split(event.rcpt)
    sender_local, sender_domain = split(event.sender)
    source = host(event.source)
    if not source and event.protocol == "rest":
        source = "unknown"
    return (
        at,
        printed(event.id),
        printed(event.batch),
        printed(event.connection),
        "R",
        local,
        domain,
        sender_local,
        sender_domain,
        source,
        str(event.size),
        event.protocol,
        event.group,
        event.binding,
    )


def _arrival(code: str) -> Fields:
    def arrived(event: Delivery | Transfer, at: str) -> tuple[str, ...]:
        return (
            at,
            printed(event.id),
            printed(event.batch),
            printed(event.connection),
            code,
            event.domain,
            str(event.size),
            event.group,
            event.binding,
            str(event.attempt),
            duration(event.at - event.received_at),
            host(event.remote),
        )

    return arrived


def _failure(code: str) -> Fields:
    def failed(event: TransientFailure | PermanentFailure, at: str) -> tuple[str, ...]:
        return (
            at,
            printed(event.id),
            printed(event.batch),
            printed(event.connection),
            code,
            event.domain,
            str(event.bytes_sent),
            event.group,
            event.binding,
            str(event.stage),
            str(event.attempt),
            duration(event.at - event.received_at),
            host(event.remote),
            event.reason,
        )

    return failed


def _discard(event: Discard, at: str) -> tuple[str, ...]:
    # An entry of its own kind, but to a parser an end like any other: nothing was sent.
    return (
        at,
        printed(event.id),
        printed(event.batch),
        printed(event.connection),
        "P",
        event.domain,
        "0",
        event.group,
        event.binding,
        "0",
        str(event.attempt),
        duration(event.at - event.received_at),
        "",
        event.reason,
    )


def _bounce(code: str) -> Fields:
    def bounced(event: TransientFailure | PermanentFailure, at: str) -> tuple[str, ...]:
        local, domain = split(event.rcpt)
        sender_local, sender_domain = split(event.sender)
        return (
            at,
            printed(event.id),
            printed(event.batch),
            printed(event.connection),
            code,
            local,
            domain,
            sender_local,
            sender_domain,
            event.group,
            event.binding,
            str(event.stage),
            str(event.classification),
            str(event.size),
            host(event.remote),
            event.reason,
        )

    return bounced


def _heartbeat(code: str) -> Fields:
    def beat(event: Heartbeat, at: str) -> tuple[str, ...]:
        return (at, "", "", "", code)

    return beat


MAINLOG: Final[Mapping[type, Fields]] = {
    Reception: _reception,
    Delivery: _arrival("D"),
    TransientFailure: _failure("T"),
    PermanentFailure: _failure("P"),
    Discard: _discard,
    Transfer: _arrival("X"),
    Heartbeat: _heartbeat("M"),
}
BOUNCELOG: Final[Mapping[type, Fields]] = {
    PermanentFailure: _bounce("B"),
    TransientFailure: _bounce("T"),
    Heartbeat: _heartbeat("M1"),
}


def rejection(event: Rejection, at: str) -> str:
    """Return the rejectlog line of a refusal; no line end."""
    phase = PHASES[event.phase] if 0 <= event.phase < len(PHASES) else str(event.phase)
    return (
        f'{at}: R="{_inside(event.remote)}" L="{_inside(event.local)}"'
        f' C="{printed(event.connection)}"'
        f' PATH="{_inside(event.pathway)}" PATH_GRP="{_inside(event.pathway_group)}"'
        f' P="{phase}" E={event.code} M={_value(event.module)}'
        f" CTXCONN=[{_variables(event.conn_vars)}]"
        f" CTXMESS=[{_variables(event.mess_vars)}] {escape_rest(event.text)}"
    )


def _variables(variables: Mapping[str, str]) -> str:
    return ",".join([f"{_value(name)}={_value(text)}" for name, text in variables.items()])


def _value(text: str) -> str:
    return f'"{_inside(text)}"' if _QUOTED.search(text) or not text.isprintable() else text


def _inside(text: str) -> str:
    """Escape what stands between quotes."""
    return escape_rest(text).replace('"', r"\"")


def marker(at: str) -> str:
    """Return the heartbeat of rejectlog; no line end."""
    return f"{at}: Marker 1"


def account(at: str, endpoint: str, address: str, user: str, verdict: int, command: str) -> bytes:
    """Return the acctlog line of a command; no line end. All its fields are escaped alike."""
    fields = (at, "Z", endpoint, address, user, str(verdict), command)
    return "@".join(map(escape, fields)).encode()


def authentication(at: str, endpoint: str, address: str, user: str, outcome: int) -> bytes:
    """Return the acctlog line of a client which says who it is; no line end.

    Args:
        outcome: 1 it is that user, 0 it is not; -1 it took too long.
    """
    kind, result = ("T", "0") if outcome < 0 else ("N", str(outcome))
    return "@".join(map(escape, (at, kind, endpoint, address, user, result))).encode()


def panic(at: str, source: str, text: str) -> str:
    """Return a paniclog line; no line end.

    Args:
        source: the module or part which speaks; "": none, as of requests by HTTP.
    """
    return f"{at}:{escape_rest(source)}{': ' * bool(source)}{escape_rest(text)}"


def imported(event: Imported, at: str) -> bytes:
    """Return the importlog line of an entry; no line end."""
    return line(
        (at, printed(event.before), "I", printed(event.id), str(event.result), event.source)
    )
