"""The Received-SPF field (RFC 7208 section 9.1), which tells who reads the message what was found.

    received_spf(finding, client, "mx.example.org")     b"Received-SPF: pass (...) ...\\r\\n"

What a peer said of itself stands there in quotes, and nothing of it can end a line or a string.
"""

import re
from typing import Final

from angarium.mail.auth.spf.check import Finding
from angarium.mail.auth.spf.client import Client
from angarium.mail.auth.spf.record import Result

NAME: Final = "Received-SPF"
_WORD: Final = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_UNPRINTABLE: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_LINE: Final = 78  # RFC 5322 section 2.1.1
_MAX_VALUE: Final = 300  # octets of a value; an address has no more


def received_spf(finding: Finding, client: Client, host: str) -> bytes:
    """Return the field with its line end."""
    pairs = [
        ("receiver", host),
        ("client-ip", str(client.address)),
        ("envelope-from", client.sender),
        ("helo", client.helo),
        ("identity", finding.identity),
        ("mechanism", finding.mechanism),
    ]
    if finding.result in (Result.PERMERROR, Result.TEMPERROR):
        pairs.append(("problem", finding.reason))
    words = [f"{NAME}: {finding.result}", f"({_comment(f'{host}: {finding.reason}')})"]
    words += [f"{name}={_value(value)};" for name, value in pairs if value]
    return _folded(words).encode("utf-8", "surrogateescape")


def _comment(text: str) -> str:
    text = _UNPRINTABLE.sub("?", text)[:_MAX_VALUE]
    return re.sub(r"([()\\])", r"\\\1", text)


def _value(text: str) -> str:
    text = _UNPRINTABLE.sub("?", text)[:_MAX_VALUE]
    if _WORD.fullmatch(text):
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _folded(words: list[str]) -> str:
    """Join words, with a line end before one which would make the line too long."""
    lines, line = [], ""
    for word in words:
        if line and len(line) + 1 + len(word) > _LINE:
            lines.append(line)
            line = f"\t{word}"
        else:
            line = f"{line} {word}" if line else word
    return "\r\n".join([*lines, line]).removesuffix(";") + "\r\n"
