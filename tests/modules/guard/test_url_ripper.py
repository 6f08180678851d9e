"""url_ripper: what a list in DNS says of all that a message names."""

import asyncio
from pathlib import Path

import pytest

from angarium.modules.guard.url_ripper import UrlRipper
from angarium.net.answer import Answer, Status
from angarium.policy.hooks import Connect
from angarium.policy.verdict import CONT
from angarium.run.stage.play import Outcome, play
from angarium.run.stage.transcript import parse
from helpers.guards import Place, session

LIST = "dns {}.list.test A {}\n"


def stanza(options: str = "") -> str:
    return (
        'config url_ripper "u" {\n'
        '    base = "list.test"\n'
        '    bits = [ 0.0.0.2 = "two" 0.0.0.4 = "four" ]\n'
        '    values = [ 127.0.0.9 = "nine" ]\n'
        '    address_headers = ( "From" "X-None:Reply-To" )\n'
        f"    {options}\n    }}\n"
    )


TALK = """
connect 192.0.2.1
< 220
> EHLO helo.test
< 250
> MAIL FROM:<a@mail.sender.co.uk>
< 250
> RCPT TO:<b@rcpt.test>
< 250
message
    From: A <a@from.test>
    Reply-To: r@reply.test
    Content-Type: text/html
    Content-Transfer-Encoding: base64

    PGEgaHJlZj0iaHR0cDovL3d3dy5saW5rLnRlc3QvIj54PC9hPg==
< 250
"""


def ask(answers: dict[str, str], options: str, *expected: str, more: str = "") -> list[str]:
    """Play it; `expected` are lines about the message. Return paniclog."""
    outcome = played(answers, options, *expected, more=more)
    assert outcome.why == "", (outcome.line, outcome.panics)
    return outcome.panics


def played(answers: dict[str, str], options: str, *expected: str, more: str = "") -> Outcome:
    told = "".join(LIST.format(name, to) for name, to in answers.items()) + more
    lines = "".join(f"    {each}\n" for each in expected)
    text = f"{stanza(options)}{told}{TALK}expect to b@rcpt.test\n{lines}"
    return play(parse(text, Path("x.test")))


def uncounted(answers: dict[str, str], options: str, more: str = "") -> bool:
    """Say whether nothing is counted in the variable `two`, though the message was taken."""
    ask(answers, options, more=more)
    return "two" in played(answers, options, "variable two = 1", more=more).why


@pytest.mark.effect("url_ripper.base", "url_ripper.values", "url_ripper.bits")
@pytest.mark.parametrize(
    "name", ["sender.co.uk", "rcpt.test", "from.test", "reply.test", "link.test"]
)
def test_what_is_on_the_list_is_counted(name: str) -> None:
    ask({name: "127.0.0.2"}, "", "variable two = 1")
    ask({name: "127.0.0.6"}, "", "variable two = 1", "variable four = 1")
    ask({name: "127.0.0.9"}, "", "variable nine = 1")


def test_each_name_counts_once_and_all_count_together() -> None:
    answers = dict.fromkeys(("sender.co.uk", "from.test", "link.test"), "127.0.0.2")
    ask(answers, "", "variable two = 3")


def test_an_answer_that_is_no_list_s_counts_no_bits() -> None:
    assert uncounted({"link.test": "93.184.216.2"}, "")


def test_a_client_and_its_name_count_in_the_connection() -> None:
    more = "dns helo.test A 192.0.2.9\n"
    answers = {"1.2.0.192": "127.0.0.2", "9.2.0.192": "127.0.0.2"}
    ask(answers, "", "session two = 2", more=more)


@pytest.mark.effect("url_ripper.forward")
def test_addresses_of_hosts_are_asked_about_unless_told_otherwise() -> None:
    more = "dns www.link.test A 192.0.2.20\n"
    answers = {"20.2.0.192": "127.0.0.2", "link.test": "127.0.0.9"}
    ask(answers, "", "variable two = 1", "variable nine = 1", more=more)
    assert uncounted(answers, "forward = false", more)


@pytest.mark.effect("url_ripper.address_headers")
def test_fields_that_are_not_named_are_not_looked_at() -> None:
    assert uncounted({"from.test": "127.0.0.2"}, 'address_headers = ( "X" )')


@pytest.mark.effect("url_ripper.max_lookups", "url_ripper.debug_level")
def test_questions_about_one_message_end_at_their_limit() -> None:
    options = "max_lookups = 2 debug_level = WARNING"
    panics = ask({"rcpt.test": "127.0.0.2", "link.test": "127.0.0.2"}, options, "variable two = 1")
    assert any("link.test is not asked about" in each for each in panics)


@pytest.mark.effect("url_ripper.enabled")
def test_off_it_asks_nothing() -> None:
    assert uncounted({"link.test": "127.0.0.2"}, "enabled = false")


class Silent:
    """A resolver which answers one question never, and all others."""

    async def lookup(self, name: str, _rrtype: int) -> Answer[str]:
        if name == "1.2.0.192.list.test":
            await asyncio.Event().wait()
        return Answer(Status.NOERROR, ("127.0.0.9",))


@pytest.mark.effect("url_ripper.timeout")
async def test_a_list_that_does_not_answer_counts_nothing(tmp_path: Path) -> None:
    text = 'url_ripper { base = "list.test" values = [ 127.0.0.9 = n ] timeout = 0.01 }'
    place = Place(tmp_path, text)
    place.resolver = Silent()
    module = place.module(UrlRipper)
    for address, count in (("192.0.2.1", None), ("192.0.2.2", "1")):
        who = session(address)
        answer = module.client(Connect(who))
        assert asyncio.iscoroutine(answer)
        assert await answer is CONT
        assert who.variables.get("n") == count


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("url_ripper { values = [ 127.0.0.2 = a ] }", "has a base"),
        ('url_ripper { base = "list.test" }', "has bits or values"),
        ('url_ripper { base = "list.test" bits = [ 2 = "a" ] }', "written as addresses"),
    ],
)
def test_what_cannot_work_is_refused(text: str, said: str) -> None:
    assert said in play(parse(f"config {text}\n", Path("x.test"))).why
