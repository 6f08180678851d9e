import random
from dataclasses import dataclass, field

import pytest

from angarium.lab.script import Often, Play, Stage
from angarium.lab.script_grammar import parse


@dataclass
class Session:
    peer: str = "127.0.0.1"
    sender: str = "alice@a.test"
    recipients: list[str] = field(default_factory=lambda: ["bob@b.test"])
    turns: dict[int, int] = field(default_factory=dict)


def play(text: str) -> Play:
    return Play(parse(text), random.Random(1))


def code(played: Play, stage: Stage, session: Session, past: int = 0) -> int:
    """What is answered by rule, 0 without one."""
    deed = played.at(stage, session, past)
    return deed.answer.code if deed and deed.answer else 0


def test_the_first_rule_that_holds_is_followed() -> None:
    played = play("at rcpt to *@c reply 451 c\nat rcpt to bob@* reply 452 b\nat rcpt reply 453 x")
    assert code(played, Stage.RCPT, Session()) == 452
    assert code(played, Stage.RCPT, Session(recipients=["eve@d"])) == 453
    assert code(played, Stage.MAIL, Session()) == 0
    assert played.hits == {2: 1, 3: 1}


def test_one_recipient_of_several_is_enough() -> None:
    assert code(play("at dot to x@* reply 500 n"), Stage.DOT, Session(recipients=["a@", "X@y"]))


def test_sender_and_peer_are_looked_at() -> None:
    played = play("at mail from *@a.test peer 127.* reply 450 no")
    assert code(played, Stage.MAIL, Session()) == 450
    assert code(played, Stage.MAIL, Session(sender="")) == 0
    assert code(played, Stage.MAIL, Session(peer="::1")) == 0


@pytest.mark.parametrize(
    ("often", "turns"),
    [("first 2", [1, 2]), ("nth 3", [3]), ("every 2", [2, 4, 6]), ("after 4", [5, 6])],
)
def test_a_rule_counts_the_times_it_could_be_followed(often: str, turns: list[int]) -> None:
    played = play(f"at rcpt to bob@* {often} reply 450 x")
    found = []
    for turn in range(1, 7):
        assert not code(played, Stage.RCPT, Session(recipients=["other@b.test"]))
        if code(played, Stage.RCPT, Session()):
            found.append(turn)
    assert found == turns


def test_a_rule_counts_by_connection_where_it_says_so() -> None:
    played = play("at mail nth 2 per connection reply 421 enough")
    first, second = Session(), Session()
    said = [code(played, Stage.MAIL, each) for each in (first, second, first, second, first)]
    assert said == [0, 0, 421, 421, 0]


def test_a_probability_is_a_share_of_the_times() -> None:
    played = play("at dot probability 0.25 reply 451 x")
    assert 200 < sum(code(played, Stage.DOT, Session()) == 451 for _ in range(1000)) < 300
    assert not code(play("at dot probability 0 reply 451 x"), Stage.DOT, Session())


def test_the_body_is_asked_at_its_own_threshold() -> None:
    played = play("at body past 1k reply 552 big\nat body reply 450 x")
    assert code(played, Stage.BODY, Session()) == 450
    assert code(played, Stage.BODY, Session(), past=1024) == 552


def test_garbage_is_a_line() -> None:
    assert play("").garbage().endswith(b"\r\n")


def test_always_is_always() -> None:
    assert Often.ALWAYS.holds(1, 0)
