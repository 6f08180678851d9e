"""What a sink has got: messages octet for octet, sessions, and counts of everything."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import msgspec

from angarium.lab.handshake import Secured
from angarium.lab.script import Stage


@dataclass(slots=True)
class Received:
    """A message as it came, and what the sink said to it.

    `content` is what came by DATA, dot-stuffing undone, or the chunks of BDAT; `None` where
    neither memory nor disk was asked to keep it. `reply` is the code after the end of the
    message; 0 if the sink said nothing.
    """

    session: int
    peer: str
    helo: str
    number: int = 0
    at: float = 0.0  # Unix seconds
    sender: str = ""
    sender_parameters: str = ""
    recipients: list[str] = field(default_factory=list)
    recipient_parameters: list[str] = field(default_factory=list)
    command: str = ""  # DATA or BDAT
    octets: int = 0
    reply: int = 0
    content: bytes | None = None
    tls: str = ""  # version

    @property
    def accepted(self) -> bool:
        return 200 <= self.reply < 400


@dataclass(slots=True)
class Session:
    """One connection: who, and each command line as it came, without its CRLF, if kept.

    `secured`: what STARTTLS came to.
    """

    number: int
    peer: str
    commands: list[str] = field(default_factory=list)
    secured: Secured | None = None


@dataclass(slots=True)
class Counts:
    """How much of everything, since the start. `messages` and below: accepted ones only."""

    connections: int = 0
    open: int = 0
    messages: int = 0
    recipients: int = 0
    octets: int = 0
    ends: dict[str, int] = field(default_factory=dict)  # connections the script ended, and how
    # Commands and bodies sent before the answer they had to wait for (RFC 2920 section 3.1).
    early: int = 0
    handshakes: dict[str, int] = field(default_factory=dict)  # by version; or "failed"
    replies: dict[str, dict[int, int]] = field(default_factory=lambda: {each: {} for each in Stage})

    def to_json(self, rules: dict[int, int]) -> bytes:
        """Return one line; `rules` says how often the rule of each line was followed."""
        shown = msgspec.to_builtins(self) | {"rules": rules}
        shown["replies"] = {stage: codes for stage, codes in self.replies.items() if codes}
        return msgspec.json.encode(shown)


class Recorder:
    """Puts each message into a directory: NUMBER.eml as it came, NUMBER.json about it.

    Files of an earlier run stay; numbers go on behind them. Nothing is synced.
    """

    DIGITS: Final = 8

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._directory = directory
        taken = (int(each.stem) for each in directory.glob("*.json") if each.stem.isdigit())
        self._number = max(taken, default=0)

    def __call__(self, message: Received) -> None:
        self._number += 1
        name = f"{self._number:0{self.DIGITS}d}"
        about = msgspec.to_builtins(message) | {"number": self._number}
        del about["content"]
        (self._directory / f"{name}.eml").write_bytes(message.content or b"")
        (self._directory / f"{name}.json").write_bytes(msgspec.json.encode(about) + b"\n")
