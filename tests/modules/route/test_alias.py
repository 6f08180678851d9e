"""alias: recipients become others, by a datasource."""

from pathlib import Path

import pytest

from angarium.run.stage.play import Outcome, play
from angarium.run.stage.transcript import parse

HEAD = """
config alias "alias" {
    scheme "users" {
      cache = "db"
      query = "SELECT a FROM t WHERE k = :k"
      map = [ k = "%{rcptto}" ]
    }
    scheme "boxes" {
      cache = "db"
      query = "SELECT x, a FROM t2 WHERE l = :l AND d = :d"
      column = "a"
      map = [ l = "%{localpart}" d = "%{domain}" ]
    }
    }
config domain "y.test" { alias_schemes = ( "users" "boxes" ) }
config domain "z.test" { alias_schemes = ( "users" ) }
"""
TALK = """
connect 192.0.2.1
< 220
> EHLO x
< 250
> MAIL FROM:<a@x.test>
< 250
> RCPT TO:<{}@y.test>
< 250
message
    Subject: x

    y
"""
USERS = 'query db "SELECT a FROM t WHERE k = :k"'
BOXES = 'query db "SELECT x, a FROM t2 WHERE l = :l AND d = :d"'
NOBODY = f"{USERS} -> []\n{BOXES} -> []\n"


def user(address: str, *expansions: str) -> str:
    listed = ", ".join(f'"{each}"' for each in expansions)
    return f'{USERS} {{"k": "{address}"}} -> [{listed}]\n'


def box(local: str, address: str) -> str:
    return f'{BOXES} {{"l": "{local}", "d": "y.test"}} -> [{{"x": 1, "a": "{address}"}}]\n'


def played(answers: str, who: str, *expected: str) -> Outcome:
    lines = "".join(f"expect to {each}\n" for each in expected)
    text = f"{HEAD}{answers}{NOBODY}{TALK.format(who)}< 250\n{lines}expect nothing\n"
    outcome = play(parse(text, Path("x.test")))
    assert outcome.why == "", (outcome.line, outcome.panics)
    return outcome


@pytest.mark.effect("alias_schemes", "alias.scheme.query", "alias.scheme.cache", "alias.scheme.map")
def test_an_alias_becomes_those_it_stands_for() -> None:
    answers = user("all@y.test", "b@far.test, c@y.test", "d@z.test")
    played(answers, "all", "b@far.test", "c@y.test", "d@z.test")
    played(answers, "other", "other@y.test")


@pytest.mark.effect("alias.scheme.column")
def test_the_first_scheme_that_knows_an_address_counts() -> None:
    answers = box("box", "b@far.test")
    played(answers, "box", "b@far.test")
    played(user("box@y.test", "c@far.test") + answers, "box", "c@far.test")


def test_an_alias_of_an_alias_is_expanded_and_a_circle_ends() -> None:
    answers = user("one@y.test", "two@z.test") + user("two@z.test", "one@y.test", "three@far.test")
    played(answers, "one", "three@far.test")


def test_what_an_address_contains_is_no_macro() -> None:
    played(user("%{domain}@y.test", "b@far.test"), "%{domain}", "b@far.test")


def test_a_datasource_that_does_not_answer_puts_the_mail_off() -> None:
    text = HEAD + TALK.format("b") + "< 451 4.3.0 policy failed\nexpect nothing\n"
    outcome = play(parse(text, Path("x.test")))
    assert outcome.why == ""
    assert "core_pre_msg_each_rcpt error" in outcome.panics[0]


def test_an_alias_of_too_many_is_refused() -> None:
    many = user("all@y.test", *(f"u{number}@far.test" for number in range(1001)))
    text = HEAD + many + NOBODY + TALK.format("all") + "< 550 5.4.6 the address is an alias\n"
    assert play(parse(text, Path("x.test"))).why == ""


@pytest.mark.parametrize(
    ("stanza", "said"),
    [
        ('scheme "s" { cache = "db" }', "has a query and a cache"),
        ('scheme "s" { cache = "db" query = "x" map = [ a = "%{other}" ] }', "knows %{rcptto}"),
    ],
)
def test_a_scheme_that_cannot_work_is_refused(stanza: str, said: str) -> None:
    assert said in play(parse(f"config alias {{ {stanza} }}\n", Path("x.test"))).why


@pytest.mark.effect("alias.enabled")
def test_a_module_that_is_off_expands_nothing() -> None:
    head = HEAD.replace('config alias "alias" {', 'config alias "alias" {\n    enabled = false')
    text = head + user("all@y.test", "b@far.test") + NOBODY + TALK.format("all")
    assert play(parse(text + "< 250\nexpect to all@y.test\n", Path("x.test"))).why == ""
