"""What a sink does to whom: a script of rules, one a line.

    without CHUNKING BINARYMIME
    at rcpt to *@full.test reply 452 4.2.2 mailbox full
    at dot probability 0.1 delay 2s answer
    at data first 3 drop

At each stage of a session the first rule of that stage whose conditions hold is followed; without
one the sink answers as a well-behaved server. A condition on how often (first, nth, every, after)
counts the times at which the rule's other conditions held, a probability is asked last. The
grammar stands in `script_grammar` and, for people, in docs/reference/sink-script.md.
"""

import enum
import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol


class Stage(enum.StrEnum):
    """Where in a session a rule may stand; a string, for its quick hash."""

    CONNECT = "connect"
    BANNER = "banner"
    EHLO = "ehlo"
    HELO = "helo"
    STARTTLS = "starttls"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"
    BDAT = "bdat"
    BODY = "body"
    DOT = "dot"
    RSET = "rset"
    NOOP = "noop"
    QUIT = "quit"
    OTHER = "other"


class Often(enum.Enum):
    """How a rule counts."""

    ALWAYS = "always"
    FIRST = "first"
    NTH = "nth"
    EVERY = "every"
    AFTER = "after"

    def holds(self, turn: int, number: int) -> bool:
        """Say whether the rule is followed the `turn`-th time (from 1) it could be."""
        match self:
            case Often.FIRST:
                return turn <= number
            case Often.NTH:
                return turn == number
            case Often.EVERY:
                return turn % number == 0
            case Often.AFTER:
                return turn > number
        return True


class Babble(enum.Enum):
    """What the sink says beside what it should."""

    GARBAGE = "garbage"  # a line of random octets before the answer
    ENDLESS = "endless"  # a reply of many lines which never ends
    UNSOLICITED = "unsolicited"  # a reply nobody asked for, after the answer
    TWICE = "twice"  # the answer, twice


class End(enum.Enum):
    """What the sink does instead of going on."""

    DROP = "drop"  # closes
    RESET = "reset"  # closes with RST
    HANG = "hang"  # reads and never answers again
    DEAF = "deaf"  # neither reads nor answers again


@dataclass(frozen=True, slots=True)
class Answer:
    """Octets to send; `code` is what the sink believes to have said."""

    code: int
    octets: bytes

    @property
    def positive(self) -> bool:
        return self.code < 400


@dataclass(frozen=True, slots=True)
class Deed:
    """What is done at one stage, in the order of the fields."""

    delay: float = 0.0  # seconds before anything
    sip: float = 0.0  # seconds between the octets that are read, from now on
    babble: Babble | None = None
    answers: bool = True  # False: nothing is said before the end
    answer: Answer | None = None  # None: as a well-behaved server would
    trickle: float = 0.0  # seconds between the octets of the answer
    end: End | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    stage: Stage
    deed: Deed
    peer: re.Pattern[str] | None = None
    sender: re.Pattern[str] | None = None
    recipient: re.Pattern[str] | None = None
    past: int = 0  # octets of the body
    often: Often = Often.ALWAYS
    number: int = 0
    per_connection: bool = False
    probability: float = 1.0
    line: int = 0
    text: str = ""


EXTENSIONS: Final[Mapping[str, str]] = {
    "PIPELINING": "",
    "SIZE": "104857600",
    "8BITMIME": "",
    "SMTPUTF8": "",
    "ENHANCEDSTATUSCODES": "",
    "DSN": "",
    "CHUNKING": "",
    "BINARYMIME": "",
}


@dataclass(frozen=True, slots=True)
class Script:
    """Rules by stage, and what the sink says of itself. The empty one is a good server."""

    rules: Mapping[Stage, Sequence[Rule]] = field(default_factory=dict)
    name: str = "sink.test"
    extensions: Mapping[str, str] = field(default_factory=lambda: EXTENSIONS)

    @property
    def size_limit(self) -> int:
        """Octets; 0 for none (RFC 1870)."""
        return int(self.extensions.get("SIZE") or "0")

    @property
    def thresholds(self) -> Sequence[int]:
        """Octets of a body after which its rules are asked, rising."""
        return sorted({rule.past for rule in self.rules.get(Stage.BODY, ())})


class Scene(Protocol):
    """What the conditions of a rule may look at, of one session."""

    @property
    def peer(self) -> str: ...
    @property
    def sender(self) -> str: ...
    @property
    def recipients(self) -> Sequence[str]: ...
    @property
    def turns(self) -> dict[int, int]:
        """How often the rule of a line could be followed in this session."""
        ...


class Play:
    """A script while it is played: it counts. One for all sessions of a sink."""

    __slots__ = ("_random", "_turns", "hits", "script")

    def __init__(self, script: Script, randomness: random.Random) -> None:
        self.script = script
        self.hits: dict[int, int] = {}  # line to how often its rule was followed
        self._turns: dict[int, int] = {}
        self._random = randomness

    def at(self, stage: Stage, scene: Scene, past: int = 0) -> Deed | None:
        """Return what to do at this stage; None: as a well-behaved server.

        `past` is the number of octets after which the body is asked about, see `thresholds`.
        """
        for rule in self.script.rules.get(stage, ()):
            if rule.past == past and self._holds(rule, scene):
                self.hits[rule.line] = self.hits.get(rule.line, 0) + 1
                return rule.deed
        return None

    def garbage(self) -> bytes:
        """Return a line of random octets."""
        return self._random.randbytes(self._random.randint(1, 512)) + b"\r\n"

    def _holds(self, rule: Rule, scene: Scene) -> bool:
        if rule.peer and not rule.peer.fullmatch(scene.peer):
            return False
        if rule.sender and not rule.sender.fullmatch(scene.sender):
            return False
        if rule.recipient and not any(map(rule.recipient.fullmatch, scene.recipients)):
            return False
        if rule.often is not Often.ALWAYS:
            turns = scene.turns if rule.per_connection else self._turns
            turn = turns[rule.line] = turns.get(rule.line, 0) + 1
            if not rule.often.holds(turn, rule.number):
                return False
        return rule.probability >= 1.0 or self._random.random() < rule.probability
