"""What lines of the service log mean."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from angarium.modules.monitor.alarms import RULES, sign_of

SOURCE = Path(__file__).parents[3] / "src" / "angarium"


@pytest.mark.parametrize(
    ("text", "fields", "kind", "about"),
    [
        ("worker died", {"worker": "3", "status": "-9"}, "worker", "3"),
        ("worker died over a message", {"message": "01/1"}, "message", ""),
        ("does not answer", {"who": "worker 1"}, "stuck", "worker 1"),
        ("hose died; mail goes on", {"status": "1"}, "logs", ""),
        ("no mail is taken in: the disk of the spool is full", {"process": "worker 0"}, "intake",
         "worker 0"),
        ("memory: no mail is taken in (this worker ...)", {"process": "worker 0"}, "memory",
         "worker 0"),
        ("logs cannot be written, the streams keep the events: x", {"process": "hose"}, "logs", ""),
        ("binding bulk is suspended: 192.0.2.1 is not an address of this machine",
         {"process": "worker 0"}, "binding", "bulk"),
        ("reload refused, the old configuration stays", {"reason": "x"}, "configuration", ""),
        ("message 00/1 cannot be read: gone", {"process": "worker 0"}, "message", ""),
        ("queues were not sound, and are mended: x", {}, "soundness", ""),
        ("no new certificate for /mx.pem: no; again in 5 minutes", {}, "certificate", "/mx.pem"),
        ("the certificate in /mx.pem ends on 2027-01-01, and there is no new one", {},
         "certificate", "/mx.pem"),
        ("a new certificate is not shown", {"reason": "x"}, "certificate", ""),
        ("something nobody thought of", {"process": "worker 0"}, "alarm", ""),
    ],
)  # fmt: skip
def test_what_is_wrong_has_a_kind(text: str, fields: dict[str, str], kind: str, about: str) -> None:
    sign = sign_of("error", text, fields)
    assert sign is not None
    assert (sign.kind, sign.about, sign.over) == (kind, about, False)
    assert sign.text.startswith(text)


@pytest.mark.parametrize(
    ("begin", "end"),
    [
        ("no mail is taken in: full", "mail is taken in"),
        ("mail is taken in; nothing is delivered, as it can't be recorded", "mail is taken in"),
        ("logs cannot be written, the streams keep the events: x", "logs are written again, after"),
        ("binding bulk is suspended: x", "binding bulk goes on: its address is there"),
        ("memory: new sessions are refused (x)", "memory: there is enough again (x)"),
        ("memory: no mail is taken in (x)", "memory: caches and contents of waiting mail are"),
        ("does not answer", "answers again"),
    ],
)
def test_what_lasts_has_an_end(begin: str, end: str) -> None:
    fields = {"process": "worker 1", "who": "worker 1"}
    first, last = (sign_of("error", text, fields) for text in (begin, end))
    assert first is not None
    assert last is not None
    assert (first.lasting, first.over, last.over) == (True, False, True)
    assert (first.kind, first.about) == (last.kind, last.about)


def test_a_warning_or_a_note_is_nothing_unless_it_is_known() -> None:
    assert sign_of("info", "worker died", {}) is None
    assert sign_of("warning", "needs restart", {"option": "x"}) is None
    assert sign_of("warning", "answers again", {"who": "hose"}) is not None


def test_a_line_is_told_with_its_fields() -> None:
    sign = sign_of("error", "worker died", {"worker": "1", "status": "-9", "trace": "long"})
    assert sign is not None
    assert sign.text == "worker died (worker=1 status=-9)"


def spoken() -> Iterator[str]:
    """Yield what the server says, as far as it is written down: the texts of its modules."""
    for path in sorted(SOURCE.rglob("*.py")):
        if path.name != "alarms.py":
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    yield node.value
                elif isinstance(node, ast.JoinedStr):
                    yield "".join(
                        str(each.value) if isinstance(each, ast.Constant) else "x"
                        for each in node.values
                    )


# Texts which are put together of pieces: of a dictionary of words, of the fields of an error.
PUT_TOGETHER = ("memory", "spool", "hose|logs", "nothing is delivered")


def test_each_rule_is_about_something_the_server_says() -> None:
    texts = list(spoken())
    unheard = [
        rule.pattern.pattern
        for rule in RULES
        if not any(rule.pattern.search(text) for text in texts)
        and not re.search("|".join(PUT_TOGETHER), rule.pattern.pattern)
    ]
    assert unheard == []
