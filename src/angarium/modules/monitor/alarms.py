"""What a line of the service log means: something is wrong, something is over, or nothing.

The first pattern which is found in the text decides. A line of an error which none knows is an
alert of the kind "alarm": nothing serious is left out because nobody thought of it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Sign:
    """What a line says.

    Attributes:
        about: which one of its kind; see `incidents`.
        over: it says that something has ended.
        lasting: its end will be said.
    """

    kind: str
    about: str
    text: str
    over: bool = False
    lasting: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    """A pattern of texts, and what they mean.

    Attributes:
        about: name of a field of the line, or of a group of the pattern, which says which one.
    """

    pattern: re.Pattern[str]
    kind: str
    about: str = ""
    over: bool = False
    lasting: bool = False


def _rule(
    pattern: str, kind: str, about: str = "", *, over: bool = False, lasting: bool = False
) -> Rule:
    return Rule(re.compile(pattern), kind, about, over, lasting)


# Kinds, as receivers choose them; docs/guide/alerts.md says what each is.
RULES: Final = (
    _rule(r"^worker died over a message", "message"),
    _rule(r"^message \S+ (was put aside|cannot be read|was accepted and is lost)", "message"),
    _rule(r"^worker died", "worker", "worker"),
    _rule(r"^worker does not leave", "worker", "worker"),
    _rule(r"^(does not answer|stuck, and ended)", "stuck", "who", lasting=True),
    _rule(r"^answers again", "stuck", "who", over=True),
    _rule(r"^shards stay with a worker", "worker"),
    _rule(r"^(hose|logs|monitor) died", "logs"),
    _rule(r"^no mail is taken in", "intake", "process", lasting=True),
    _rule(r"^mail is taken in; nothing is delivered", "intake", "process", lasting=True),
    _rule(r"^mail is taken in", "intake", "process", over=True),
    _rule(r"^logs cannot be written", "logs", lasting=True),
    _rule(r"^logs are written again", "logs", over=True),
    _rule(r"logs have a gap", "logs"),
    _rule(r"^binding (?P<binding>\S+) is suspended", "binding", "binding", lasting=True),
    _rule(r"^binding (?P<binding>\S+) goes on", "binding", "binding", over=True),
    _rule(r"^memory: (there is enough again|caches)", "memory", "process", over=True),
    _rule(r"^memory: ", "memory", "process", lasting=True),
    _rule(r"^the ledger is full", "limits"),
    _rule(r"^queues were not sound", "soundness"),
    _rule(r"^reload refused", "configuration"),
    _rule(r"^the hose keeps the old configuration", "configuration"),
    _rule(r"^upgrade given up", "upgrade"),
    _rule(r"^no new certificate for (?P<path>\S+):", "certificate", "path", lasting=True),
    _rule(r"^the certificate in (?P<path>\S+) ends", "certificate", "path", lasting=True),
    _rule(r"^there is a new certificate in (?P<path>\S+)", "certificate", "path", over=True),
    _rule(r"^a new certificate is not shown", "certificate"),
    _rule(r"^(spool|shard|the spool|the disk|damage|writing|recording|compaction)", "spool"),
)
IGNORED: Final = ("info", "debug")


def sign_of(level: str, text: str, fields: Mapping[str, str]) -> Sign | None:
    """Return what a line says; None where nothing is wrong, and nothing has ended."""
    if level in IGNORED:
        return None
    for rule in RULES:
        found = rule.pattern.search(text)
        if found is not None:
            about = fields.get(rule.about) or found.groupdict().get(rule.about) or ""
            return Sign(rule.kind, about, told(text, fields), rule.over, rule.lasting)
    return Sign("alarm", "", told(text, fields)) if level != "warning" else None


def told(text: str, fields: Mapping[str, str]) -> str:
    """Return a line as one text."""
    shown = " ".join(f"{name}={value}" for name, value in fields.items() if name != "trace")
    return f"{text} ({shown})" if shown else text
