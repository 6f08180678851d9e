"""SMTP replies: a code, an enhanced code, a text (RFC 5321 section 4.2, RFC 3463).

A reply made here can be sent as it is: its text holds no control character and no line is too
long. A reply read from a peer is made by `wire/smtp_reply`, which cleans it first.
"""

import re
from typing import Final

_ENHANCED: Final = re.compile(r"([245]\.\d{1,3}\.\d{1,3})(?:\s+|$)")
_UNSAFE: Final = re.compile(r"[\x00-\x09\x0b-\x1f\x7f]")


class Reply:
    """What one side of SMTP answers.

    Args:
        code: 200 to 599.
        text: without codes; lines separated by "\\n".
        enhanced: e.g. "5.7.1"; empty where RFC 2034 wants none (banner, EHLO, 3xx).

    Raises:
        ValueError: a code out of range, or a control character in the text.
    """

    __slots__ = ("_encoded", "code", "enhanced", "text")

    def __init__(self, code: int, text: str, enhanced: str = "") -> None:
        if not 200 <= code <= 599:
            raise ValueError(f"no SMTP reply code: {code}")
        if _UNSAFE.search(text):
            raise ValueError(f"control character in reply text: {text!r}")
        self.code = code
        self.text = text
        self.enhanced = enhanced
        lead = f"{enhanced} " if enhanced else ""
        lines = [lead + line for line in text.split("\n")]
        rows = [f"{code}-{line}\r\n" for line in lines[:-1]] + [f"{code} {lines[-1]}\r\n"]
        self._encoded = "".join(rows).encode("utf-8", "replace")

    def encode(self) -> bytes:
        """Return the bytes for the wire; made once."""
        return self._encoded

    @property
    def positive(self) -> bool:
        return self.code < 400

    @property
    def temporary(self) -> bool:
        return 400 <= self.code < 500

    @property
    def permanent(self) -> bool:
        return self.code >= 500

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Reply) and self._encoded == other._encoded

    def __hash__(self) -> int:
        return hash(self._encoded)

    def __str__(self) -> str:
        """One line, as logs show it: "550 5.1.1 no such user"."""
        text = self.text.replace("\n", " ") if "\n" in self.text else self.text
        if self.enhanced:
            text = f"{self.enhanced} {text}" if text else self.enhanced
        return f"{self.code} {text}" if text else str(self.code)

    def __repr__(self) -> str:
        return f"<Reply {self}>"


def from_text(line: str, default: int = 250) -> Reply:
    """Read "550 5.1.1 no such user" as configuration and consoles write it.

    Without a leading code `default` is taken. Control characters become spaces.
    """
    clean = _UNSAFE.sub(" ", line).strip()
    code, text = default, clean
    if re.match(r"[2-5]\d\d(?:\s|$)", clean):
        code, text = int(clean[:3]), clean[4:]
    found = _ENHANCED.match(text)
    if found and found[1][0] == str(code)[0]:
        return Reply(code, text[found.end() :], found[1])
    return Reply(code, text)
