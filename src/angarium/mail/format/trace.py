"""What we put before a message: Return-Path, Received, Date, Message-ID (RFC 5321 section 4.4).

The form of Received and Message-ID is Momentum's, so that tools which read them go on working.
"""

import functools
from datetime import UTC, datetime, tzinfo
from typing import Final

_DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS: Final = (
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
)  # fmt: skip
# Inside of a comment these would end it, or change what follows (RFC 5322 section 3.2.2).
_COMMENT: Final = str.maketrans({"(": "\\(", ")": "\\)", "\\": "\\\\"})


@functools.lru_cache(maxsize=16)
def date(seconds: int, zone: tzinfo | None = None) -> str:
    """Return a Unix time as a header has it, in the local zone if none is given.

    >>> date(1_700_000_000, UTC)
    'Tue, 14 Nov 2023 22:13:20 +0000'

    Source: RFC 5322 section 3.3. Kept for the second it is asked for again and again.
    """
    now = datetime.fromtimestamp(seconds, zone or UTC)
    if zone is None:
        now = now.astimezone()
    day, month = _DAYS[now.weekday()], _MONTHS[now.month - 1]
    return f"{day}, {now.day:02d} {month} {now:%Y %H:%M:%S %z}"


def message_id(printed: str, hostname: str) -> str:
    """Return a Message-ID made of the id of a message.

    >>> message_id("91/6D-07914-E67BC044", "mx.example")
    '<91.6D.07914.E67BC044@mx.example>'
    """
    return f"<{printed.replace('/', '.').replace('-', '.')}@{hostname}>"


def received_from(address: str, port: int, helo: str, hostname: str) -> str:
    """Return the beginning of Received, which is the same for a whole session.

    >>> received_from("192.0.2.1", 50033, "client.example", "mx.example")
    'Received: from [192.0.2.1] ([192.0.2.1:50033] helo=client.example)\\r\\n\\tby mx.example'
    """
    said = f" helo={helo}" if helo else ""
    if ":" in address:
        peer = f"[IPv6:{address}] ([{address}]:{port}{said})"
    else:
        peer = f"[{address}] ([{address}:{port}]{said})"
    return f"Received: from {peer}\r\n\tby {hostname}"


def received(start: str, sender: str, program: str, protocol: str, printed: str, when: str) -> str:
    """Return a Received field.

    Args:
        start: as `received_from` gives it.
        sender: as the client gave it, without the brackets.
        program: ours, with its version.
        protocol: "SMTP", "ESMTP", "UTF8SMTP" ... (RFC 3848, 6531).
        printed: the id of the message.
        when: as `date` gives it.
    """
    if "(" in sender or ")" in sender or "\\" in sender:
        sender = sender.translate(_COMMENT)
    return (
        f"{start} (envelope-from <{sender}>)\r\n\t({program}) with {protocol}\r\n"
        f"\tid {printed}; {when}\r\n"
    )


def brought_in(hostname: str, program: str, printed: str, when: str) -> str:
    """Return the Received field of a message which no connection has brought: it has no `from`."""
    return f"Received: by {hostname}\r\n\t({program})\r\n\tid {printed}; {when}\r\n"
