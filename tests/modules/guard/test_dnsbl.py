"""dnsbl: whom lists know, and what becomes of it."""

import asyncio
from pathlib import Path

import pytest

from angarium.core.errors import Error
from angarium.modules.guard.dnsbl import Dnsbl
from angarium.net.answer import Answer, Status
from angarium.policy.context import Session
from angarium.policy.hooks import Connect, RcptTo
from angarium.policy.verdict import CONT, DONE
from helpers.guards import Place, refusal, session

GOOD = '( "one.test" "two.test=127.0.0.[2..3]*2" "nice.test*-2" )'


class Lists:
    """A resolver: answers by name, and never for those which are silent."""

    def __init__(self, known: dict[str, str]) -> None:
        self.known = known
        self.asked: list[str] = []

    async def lookup(self, name: str, _rrtype: int) -> Answer[str]:
        self.asked.append(name)
        found = self.known.get(name, "")
        if found == "silent":
            await asyncio.Event().wait()
        if found == "broken":
            return Answer(Status.SERVFAIL)
        return Answer(Status.NOERROR, (found,)) if found else Answer(Status.NXDOMAIN)


class Asked:
    """The module, and what lists say of 192.0.2.1."""

    def __init__(self, folder: Path, options: str = "", **lists: str) -> None:
        self.place = Place(folder, f"dnsbl {{ zones = {GOOD} {options} }}")
        self.lists = Lists({f"1.2.0.192.{name}.test": answer for name, answer in lists.items()})
        self.place.resolver = self.lists
        self.module = self.place.module(Dnsbl)

    async def connect(self, who: Session) -> object:
        return await self.module.client(Connect(who))

    def rcpt(self, who: Session) -> object:
        return self.module.recipient(RcptTo(who, "b@example.com"))


@pytest.mark.effect("dnsbl.zones")
@pytest.mark.parametrize(
    ("lists", "score", "zones"),
    [
        ({"one": "127.0.0.9"}, "1", "one.test"),
        ({"one": "127.0.0.9", "two": "127.0.0.3"}, "3", "two.test one.test"),
        ({"two": "127.0.0.9"}, "0", None),
        ({"one": "127.0.0.2", "nice": "127.0.0.2"}, "-1", "one.test nice.test"),
        ({"one": "8.8.8.8"}, "0", None),
        ({}, "0", None),
    ],
)
async def test_lists_which_know_a_client_count_together(
    tmp_path: Path, lists: dict[str, str], score: str, zones: str | None
) -> None:
    asked, who = Asked(tmp_path, **lists), session()
    assert await asked.connect(who) is CONT
    assert who.variables["dnsbl_score"] == score
    assert who.variables.get("dnsbl_zones") == zones
    assert len(asked.lists.asked) == 3


@pytest.mark.effect("dnsbl.phase", "dnsbl.reply")
async def test_who_is_known_is_refused_where_it_says_and_as_it_says(tmp_path: Path) -> None:
    asked, who = Asked(tmp_path, one="127.0.0.9"), session()
    assert await asked.connect(who) is CONT
    assert asked.rcpt(who) is DONE
    expected = "554 5.7.1 client [192.0.2.1] is on a block list: one.test"
    assert str(refusal(who)) == expected
    options = 'phase = connect reply = "450 wait %i %z %s"'
    asked, who = Asked(tmp_path, options, one="127.0.0.9"), session()
    assert await asked.connect(who) is DONE
    assert str(refusal(who)) == "450 wait 192.0.2.1 one.test 1"


@pytest.mark.effect("dnsbl.threshold")
async def test_one_list_may_not_be_enough(tmp_path: Path) -> None:
    asked, who = Asked(tmp_path, "threshold = 2", one="127.0.0.9"), session()
    await asked.connect(who)
    assert asked.rcpt(who) is CONT
    asked, who = Asked(tmp_path, "threshold = 2", two="127.0.0.2"), session()
    await asked.connect(who)
    assert asked.rcpt(who) is DONE


@pytest.mark.effect("dnsbl.action")
async def test_a_client_may_only_be_marked(tmp_path: Path) -> None:
    asked, who = Asked(tmp_path, "action = mark", one="127.0.0.9"), session()
    await asked.connect(who)
    assert asked.rcpt(who) is CONT
    assert who.variables["dnsbl_zones"] == "one.test"


@pytest.mark.effect("dnsbl.exempt")
async def test_about_some_nobody_is_asked(tmp_path: Path) -> None:
    asked, who = Asked(tmp_path, 'exempt = ( "192.0.2.0/24" )', one="127.0.0.9"), session()
    assert await asked.connect(who) is CONT
    assert asked.lists.asked == []
    asked = Asked(tmp_path, one="127.0.0.9")
    who.variables["can_relay"] = "true"
    await asked.connect(who)
    assert asked.rcpt(who) is CONT
    assert asked.lists.asked == []


@pytest.mark.effect("dnsbl.timeout")
async def test_a_list_which_does_not_answer_turns_nobody_away(tmp_path: Path) -> None:
    asked, who = Asked(tmp_path, "timeout = 0.01", one="silent", two="broken"), session()
    assert await asked.connect(who) is CONT
    assert who.variables["dnsbl_score"] == "0"
    assert asked.place.metrics.snapshot()["dnsbl_silent"] == 2


async def test_lists_are_asked_at_the_same_time(tmp_path: Path) -> None:
    asked, who = Asked(tmp_path, "timeout = 0.01", one="silent", two="127.0.0.2"), session()
    await asked.connect(who)
    assert who.variables["dnsbl_score"] == "2"


@pytest.mark.effect("dnsbl.debug_level")
async def test_whom_lists_know_is_told_to_who_wants_to_know(tmp_path: Path) -> None:
    for level, told in (("ERROR", []), ("INFO", [("dnsbl", "192.0.2.1 has 1 by one.test")])):
        asked = Asked(tmp_path, f"debug_level = {level}", one="127.0.0.9")
        await asked.connect(session())
        assert asked.place.panics == told


@pytest.mark.effect("dnsbl.enabled")
async def test_off_it_asks_nobody_by_itself(tmp_path: Path) -> None:
    assert Asked(tmp_path).place.asks(Connect)
    assert not Asked(tmp_path, "enabled = false").place.asks(Connect)


async def test_without_lists_the_configuration_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Error, match="no zones"):
        Place(tmp_path, "dnsbl { }").module(Dnsbl)
