"""The messages of a load: how big, to whom, and each with a number of its own.

The recipient of message 17 is u000000000017@DOMAIN, so that what was acknowledged can be compared
with what arrived by recipient and not only by totals.
"""

import itertools
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from angarium.core import units

_LINE: Final = b"The quick brown fox jumps over the lazy dog, and it does so once more today.\r\n"
_LINES: Final = _LINE * 256
_RANGE: Final = re.compile(r"(.*)\{(\d+)\.\.(\d+)\}(.*)")
MOST_DOMAINS: Final = 10_000_000


@dataclass(slots=True)
class Letter:
    """One message for one session: envelope, and content as it goes after DATA.

    `content` is dot-stuffed and has its final dot. Parameters are as in the command, without
    the ones for eight bits, which depend on what the server offers.
    """

    number: int
    sender: str
    recipients: Sequence[str]
    content: bytes
    size: int
    sender_parameters: str = ""
    recipient_parameters: str = ""
    eight_bit: bool = False


def stuffed(content: bytes) -> bytes:
    """Return what goes after DATA for this content (RFC 5321 section 4.5.2).

    A content without a final CRLF gets one: DATA can't carry it otherwise.
    """
    if content and not content.endswith(b"\r\n"):
        content += b"\r\n"
    return (b"\r\n" + content).replace(b"\r\n.", b"\r\n..")[2:] + b".\r\n"


def sizes(text: str) -> list[tuple[int, float]]:
    """Read "10k" or "1k:50,10k:50" as octets and weights. Raises ValueError."""
    found = []
    for each in text.split(","):
        size, colon, weight = each.partition(":")
        found.append((units.size(size), float(weight) if colon else 1.0))
    if not any(weight > 0 for _, weight in found) or any(weight < 0 for _, weight in found):
        raise ValueError(f"{text!r} has no weight over 0; write such as 1k:50,10k:50")
    return found


def domains(text: str) -> list[str]:
    """Read "1000", "m{1..50}.test" or "a.test,b.test" as domains. Raises ValueError."""
    if text.isascii() and text.isdigit():
        text = f"d{{1..{text}}}.sink.test"
    found: list[str] = []
    for each in text.split(","):
        match = _RANGE.fullmatch(each)
        first, last = (int(match[2]), int(match[3])) if match else (0, 0)
        if last - first >= MOST_DOMAINS:
            raise ValueError(f"{each!r} are more than {MOST_DOMAINS} domains")
        names = (f"{match[1]}{n}{match[4]}" for n in range(first, last + 1)) if match else (each,)
        found += (name for name in names if name)
    if not found:
        raise ValueError(f"{text!r} names no domain; write such as 100, m{{1..50}}.test or a.test")
    return found


class Letters:
    """An endless supply of messages.

    Args:
        sizes: octets of the whole content, and how often relative to each other.
        domains: taken in turn.
        recipients: of each message, all in its domain.
        prefix: begins each local part; names the run.
        seed: for the choice of sizes.
    """

    def __init__(
        self,
        sizes: Sequence[tuple[int, float]] = ((10240, 1.0),),
        domains: Sequence[str] = ("sink.test",),
        *,
        sender: str = "load@sender.test",
        recipients: int = 1,
        prefix: str = "u",
        seed: int = 0,
    ) -> None:
        self._sizes = [size for size, _ in sizes]
        self._weights = list(itertools.accumulate(weight for _, weight in sizes))
        self._domains = domains
        self._sender = sender
        self._recipients = recipients
        self._prefix = prefix
        self._random = random.Random(seed)
        self._number = 0

    def next(self, date: str) -> Letter:
        """Return the next message; `date` is the text of its Date field."""
        self._number += 1
        number = self._number
        domain = self._domains[(number - 1) % len(self._domains)]
        name = f"{self._prefix}{number:012d}"
        if self._recipients == 1:
            recipients = [f"{name}@{domain}"]
        else:
            recipients = [f"{name}.{n}@{domain}" for n in range(1, self._recipients + 1)]
        size = self._sizes[0]
        if len(self._sizes) > 1:
            size = self._random.choices(self._sizes, cum_weights=self._weights)[0]
        header = (
            f"From: <{self._sender}>\r\nTo: <{recipients[0]}>\r\nSubject: load {name}\r\n"
            f"Date: {date}\r\nMessage-ID: <{name}@load.sender.test>\r\n\r\n"
        ).encode()
        body = filler(size - len(header))
        return Letter(
            number,
            self._sender,
            recipients,
            b"%b%b.\r\n" % (header, body),
            len(header) + len(body),
        )


def filler(size: int) -> bytes:
    """Return so many octets of text in whole lines, none of which begins with a dot."""
    if size < 2:
        return b""
    lines, rest = divmod(size - 2, len(_LINE))
    times, lines = divmod(lines, 256)
    return b"%b%b%b\r\n" % (_LINES * times, _LINES[: lines * len(_LINE)], b"x" * rest)
