"""conntrol: who talks too early, and whose commands are bad."""

import asyncio
from collections.abc import Awaitable
from pathlib import Path

import pytest

from angarium.core.errors import Error
from angarium.modules.guard.conntrol import ConnControl
from angarium.policy.context import Session
from angarium.policy.hooks import BadCommand, Connect
from angarium.policy.verdict import CONT, DONE
from helpers.guards import Place, refusal, session

REFUSAL = 'disconnect_ratware = "421 mx.test too early\\r\\n"'


class Controlled:
    """The module, and clients which connect."""

    def __init__(self, folder: Path, options: str) -> None:
        self.place = Place(folder, f"conntrol {{ {options} }}")
        self.module = self.place.module(ConnControl)
        self.said: list[str] = []

    async def connect(self, who: Session, *, early: bool = False) -> object:
        who.heard = lambda: early
        who.say = self.said.append
        answer = self.module.client(Connect(who))
        return await answer if isinstance(answer, Awaitable) else answer


@pytest.mark.effect("conntrol.pause_time")
async def test_who_talks_before_the_banner_is_marked(tmp_path: Path) -> None:
    controlled = Controlled(tmp_path, "pause_time = 0.01")
    patient, early = session(), session()
    assert await controlled.connect(patient) is CONT
    assert await controlled.connect(early, early=True) is CONT
    assert "early_talker" not in patient.variables
    assert early.variables["early_talker"] == "yes"
    assert refusal(early) is None
    assert controlled.place.metrics.snapshot()["early_talkers"] == 1
    without = Controlled(tmp_path, "")
    again = session()
    await without.connect(again, early=True)
    assert "early_talker" not in again.variables


@pytest.mark.effect("conntrol.disconnect_ratware")
async def test_who_talks_too_early_may_be_turned_away_at_once(tmp_path: Path) -> None:
    controlled = Controlled(tmp_path, f"pause_time = 3600 {REFUSAL}")
    who = session()
    assert await controlled.connect(who, early=True) is DONE
    assert str(refusal(who)) == "421 mx.test too early"
    assert who.disconnect


@pytest.mark.effect("conntrol.banner", "conntrol.teaser")
async def test_lines_of_the_banner_come_before_and_after_the_pause(tmp_path: Path) -> None:
    options = 'pause_time = 0.01 teaser = "220-wait" banner = "220-Welcome!\\r\\n"'
    controlled, who = Controlled(tmp_path, options), session()
    await controlled.connect(who)
    assert controlled.said == ["220-wait"]
    assert who.greeting == ["Welcome!"]


@pytest.mark.effect("conntrol.exempt")
async def test_some_do_not_wait(tmp_path: Path) -> None:
    options = f'pause_time = 3600 teaser = wait {REFUSAL} exempt = ( "192.0.2.0/24" )'
    controlled, who = Controlled(tmp_path, options), session()
    assert await asyncio.wait_for(controlled.connect(who), 60) is CONT
    assert controlled.said == []
    trusted = session("198.51.100.1")
    trusted.variables["can_relay"] = "true"
    assert await asyncio.wait_for(controlled.connect(trusted), 60) is CONT


@pytest.mark.effect("conntrol.remember")
async def test_who_has_waited_need_not_wait_again_for_a_while(tmp_path: Path) -> None:
    for options, again in (("remember = 60", []), ("", ["220-wait"])):
        controlled = Controlled(tmp_path, f"pause_time = 0.01 teaser = wait {options}")
        await controlled.connect(session())
        controlled.said.clear()
        await controlled.connect(session())
        assert controlled.said == again
        controlled.said.clear()
        await controlled.connect(session("192.0.2.2"))
        assert controlled.said == ["220-wait"], "another client waits"
        controlled.place.clock.advance(61.0)
        controlled.said.clear()
        await controlled.connect(session())
        assert controlled.said == ["220-wait"], "it was long ago"


async def test_who_talked_early_is_not_remembered(tmp_path: Path) -> None:
    controlled = Controlled(tmp_path, "pause_time = 0.01 teaser = wait remember = 60")
    await controlled.connect(session(), early=True)
    controlled.said.clear()
    await controlled.connect(session())
    assert controlled.said == ["220-wait"]


async def test_who_talks_early_and_is_not_turned_away_waits_all_the_same(tmp_path: Path) -> None:
    controlled, who = Controlled(tmp_path, "pause_time = 0.3"), session()
    loop = asyncio.get_running_loop()
    began = loop.time()
    await controlled.connect(who, early=True)
    assert loop.time() - began >= 0.3
    assert who.variables["early_talker"] == "yes"


async def test_bad_commands_are_counted_for_scripts(tmp_path: Path) -> None:
    controlled, who = Controlled(tmp_path, ""), session()
    await controlled.connect(who)
    for known in (True, False, True):
        controlled.module.bad(BadCommand(who, known=known))
    assert who.variables["conntrol_bad_commands"] == "2"
    assert who.variables["conntrol_unrecognized_commands"] == "1"


@pytest.mark.effect("conntrol.enabled")
async def test_off_it_does_nothing_by_itself(tmp_path: Path) -> None:
    assert Controlled(tmp_path, "pause_time = 1").place.asks(Connect)
    assert not Controlled(tmp_path, "enabled = false pause_time = 1").place.asks(Connect)


@pytest.mark.effect("conntrol.debug_level")
async def test_early_talkers_are_told_to_who_wants_to_know(tmp_path: Path) -> None:
    for level, told in (("ERROR", 0), ("INFO", 1)):
        controlled = Controlled(tmp_path, f"pause_time = 0.01 debug_level = {level}")
        await controlled.connect(session(), early=True)
        assert len(controlled.place.panics) == told


@pytest.mark.parametrize("options", ['banner = "a\\tb\x01"', 'disconnect_ratware = "220 welcome"'])
async def test_what_cannot_be_said_refuses_the_configuration(tmp_path: Path, options: str) -> None:
    with pytest.raises(Error):
        Controlled(tmp_path, options)
