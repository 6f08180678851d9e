"""A transcript holds, or says at which line something else happened."""

from pathlib import Path

import pytest

from angarium.run.stage.play import Outcome, play
from angarium.run.stage.transcript import parse

SCRIPT = """
from angarium.policy.script import Message, Refuse, Server, Session, on

@on.sender
async def slow(session: Session, server: Server) -> None:
    await server.sleep(float(server.settings.get("seconds", "0")))

@on.recipient
def no(address: str) -> None:
    if address.startswith("no"):
        raise Refuse(550, "5.7.1 no such luck")

@on.message
def tag(message: Message) -> None:
    message.headers["X-Tag"] = "yes"
    message.variables["tenant"] = "7"

@on.failed
def failed(message: Message, server: Server) -> None:
    server.log(f"failed: {message.reply}")
"""
HEAD = "policy p.py\n    seconds = 30\nconnect 192.0.2.1\n< 220\n> EHLO x\n< 250\n"
MAIL = """> MAIL FROM:<a@x.test>
< 250
> RCPT TO:<b@y.test>
< 250
message
    Subject: x

    y
< 250
"""


def played(tmp_path: Path, text: str, script: str = SCRIPT) -> Outcome:
    (tmp_path / "p.py").write_text(script)
    (tmp_path / "p.py").chmod(0o644)
    return play(parse(text, tmp_path / "t.test"))


def test_what_happens_as_it_is_written_holds(tmp_path: Path) -> None:
    expect = (
        "expect to b@y.test\n    # so it is\n    sender a@x.test\n    header X-Tag: yes\n"
        "    no header X-Other\n    variable tenant = 7\n    session ehlo_domain = x\n"
        "    body y\n    binding default\n    group default\n    domain y.test\n    priority 0\n"
        "expect nothing\nfailed 550 5.1.1 gone\nexpect panic failed: 550 5.1.1 gone\n"
        "expect report to a@x.test\n> RCPT TO:<no@y.test>\n< 503\nwait 5\n"
        "> MAIL FROM:<a@x.test>\n< 250\n> RCPT TO:<no@y.test>\n< 550 5.7.1 no\nexpect refusal 550\n"
        "leave\n"
    )
    outcome = played(tmp_path, HEAD + MAIL + expect)
    assert (outcome.line, outcome.why) == (0, "")
    assert outcome.held
    assert {name for _, name, tally in outcome.tallies if tally.calls} == {
        "p slow", "p no", "p tag", "p failed",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        ("> NOOP\n< 251", "was to hear '251', and hears '250 2.0.0 OK'"),
        ("> NOOP\n> NOOP\n< 250", "one answer"),
        ("< 250", "hears nothing"),
        (MAIL + "expect to c@y.test", "queued for c@y.test, and is for b@y.test"),
        (MAIL + "expect nothing", "nothing was to be queued"),
        (MAIL + "expect to b@y.test\n    binding b1", "binding was to be 'b1', and is 'default'"),
        (MAIL + "expect to b@y.test\n    header X-Tag: no", "X-Tag was to be 'no', and is ['yes']"),
        (MAIL + "expect to b@y.test\n    no header X-Tag", "there was to be no X-Tag"),
        (MAIL + "expect to b@y.test\n    variable tenant = 8", "tenant was to be '8'"),
        (MAIL + "expect to b@y.test\n    body z", "the body was to have 'z'"),
        (MAIL + "expect to b@y.test\n    colour red", "says nothing about a message"),
        ("expect refusal 550", "'550' was to be refused, and refused is nothing"),
        ("expect panic x", "paniclog was to say 'x', and says nothing"),
        ("expect so", "expect to ADDRESS"),
        ("failed 550 x", "which message?"),
        ("wait x", "no number of seconds"),
    ],
)
def test_what_does_not_hold_is_told_with_its_line(tmp_path: Path, lines: str, why: str) -> None:
    text = HEAD + lines
    outcome = played(tmp_path, text)
    assert why in outcome.why
    assert text.split("\n")[outcome.line - 1].startswith(("<", "expect", "failed", "wait"))


def test_whoever_says_something_has_to_connect(tmp_path: Path) -> None:
    assert "nobody has connected" in played(tmp_path, "policy p.py\n> NOOP\n").why


def test_a_script_that_cannot_be_loaded_fails_the_test(tmp_path: Path) -> None:
    outcome = played(tmp_path, HEAD, "1 / 0\n")
    assert "ZeroDivisionError" in outcome.why
    outcome = played(tmp_path, "policy q.py\n")
    assert "there is no file q.py" in outcome.why


def test_a_line_of_the_configuration_which_is_wrong_is_told(tmp_path: Path) -> None:
    assert "no option colour" in played(tmp_path, "config colour = 3\n" + HEAD).why


def test_an_answer_which_is_none_fails_at_its_line(tmp_path: Path) -> None:
    outcome = played(tmp_path, "policy p.py\ndns x\n")
    assert (outcome.line, outcome.why.startswith("dns NAME")) == (2, True)
