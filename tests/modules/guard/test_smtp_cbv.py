"""smtp_cbv: what the hosts of a sender's domain say, and how often they are asked."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from angarium.core.reply import Reply
from angarium.modules.guard import smtp_cbv
from angarium.modules.guard.smtp_cbv import CallbackVerify
from angarium.outbound.errors import DeliveryError, Reach
from angarium.outbound.probe import Question
from angarium.outbound.route import Hop
from angarium.policy.context import Session, Which
from angarium.policy.hooks import MailFrom, RcptTo
from helpers.guards import Place, session, until

YES, NO, LATER = Reply(250, "yes", "2.1.5"), Reply(550, "no", "5.1.1"), Reply(451, "x", "4.0.0")


class Router:
    """Two hosts for each domain, or none."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.failure: DeliveryError | None = None

    async def route(self, domain: str, _transport: object) -> list[Hop]:
        self.asked.append(domain)
        if self.failure is not None:
            raise self.failure
        return [Hop("mx1", "192.0.2.25", 25), Hop("mx2", "192.0.2.26", 25)]


class World:
    """The module, and hosts which say what they are told to."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch, options: str = "") -> None:
        self.place = Place(folder, f"smtp_cbv {{ {options} }}")
        self.place.router = self.router = Router()
        self.replies: dict[str, Reply] = {"192.0.2.25": YES}
        self.questions: list[Question] = []
        self.gate = asyncio.Event()
        self.gate.set()
        patch.setattr(smtp_cbv, "probe", self.probe)
        self.module = self.place.module(CallbackVerify)

    async def probe(self, question: Question, host: str, _port: int) -> Reply:
        self.questions.append(question)
        await self.gate.wait()
        return self.replies[host]

    async def mail(self, sender: str = "a@x.test", who: Session | None = None) -> str | None:
        """Return the result after MAIL."""
        who = who or session(sender=sender)
        return await self.said(self.module.mail(MailFrom(who, sender)), who)

    async def said(self, answer: Any, who: Session) -> str | None:
        if asyncio.iscoroutine(answer):
            await answer
        assert who.mail is not None
        return who.mail.get(Which.MESSAGE, "smtp_cbv_result")


@pytest.fixture
async def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    return World(tmp_path, monkeypatch)


@pytest.mark.parametrize(("reply", "result"), [(YES, "pass"), (NO, "error")])
async def test_what_a_host_says_is_in_a_variable(world: World, reply: Reply, result: str) -> None:
    world.replies = {"192.0.2.25": reply}
    assert await world.mail() == result
    assert [each.recipient for each in world.questions] == ["a@x.test"]


async def test_a_host_that_cannot_answer_leaves_it_to_another_one(world: World) -> None:
    world.replies = {"192.0.2.25": LATER, "192.0.2.26": NO}
    assert await world.mail() == "error"
    world.replies = {"192.0.2.25": LATER, "192.0.2.26": LATER}
    assert await world.mail("b@x.test") == "transient"


@pytest.mark.parametrize(("reply", "result"), [(NO, "error"), (LATER, "transient")])
async def test_a_domain_without_hosts_is_one_with_a_reason(
    world: World, reply: Reply, result: str
) -> None:
    world.router.failure = DeliveryError(reply, Reach.DOMAIN)
    assert await world.mail() == result
    assert world.questions == []


async def test_about_nobody_and_about_who_may_relay_nobody_is_asked(world: World) -> None:
    assert await world.mail("") is None
    who = session(sender="a@x.test")
    who.variables["can_relay"] = "true"
    assert await world.mail(who=who) is None
    assert world.router.asked == []


async def test_who_asks_at_the_same_time_waits_for_one_answer(world: World) -> None:
    world.gate.clear()
    waiting = [asyncio.ensure_future(world.mail()) for _ in range(5)]
    leaver = asyncio.ensure_future(world.mail())
    await until(lambda: world.questions)
    leaver.cancel()
    world.gate.set()
    assert await asyncio.gather(*waiting) == ["pass"] * 5
    assert len(world.questions) == 1


@pytest.mark.effect("smtp_cbv.lifetime")
async def test_an_answer_is_remembered_and_no_answer_for_a_shorter_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(tmp_path, monkeypatch, "lifetime = 1000")
    world.replies = {"192.0.2.25": LATER, "192.0.2.26": LATER}
    assert await world.mail() == "transient"
    world.replies = {"192.0.2.25": YES}
    assert await world.mail() == "transient"
    world.place.clock.advance(101)
    assert await world.mail() == "pass"
    world.replies = {"192.0.2.25": NO}
    world.place.clock.advance(999)
    assert await world.mail() == "pass"
    world.place.clock.advance(2)
    assert await world.mail() == "error"


@pytest.mark.effect("smtp_cbv.max_entries")
async def test_what_is_remembered_is_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(tmp_path, monkeypatch, "max_entries = 1")
    for sender in ("a@x.test", "b@x.test", "b@x.test", "a@x.test"):
        assert await world.mail(sender) == "pass"
    assert [each.recipient for each in world.questions] == ["a@x.test", "b@x.test", "a@x.test"]


@pytest.mark.effect("smtp_cbv.max_questions")
async def test_of_too_many_questions_the_rest_is_not_put(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(tmp_path, monkeypatch, "max_questions = 1")
    world.gate.clear()
    first = asyncio.ensure_future(world.mail())
    await until(lambda: world.questions)
    assert await world.mail("b@x.test") == "transient"
    world.gate.set()
    assert await first == "pass"
    assert await world.mail("b@x.test") == "pass"


@pytest.mark.effect("smtp_cbv.timeout")
async def test_who_takes_too_long_is_transient(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(tmp_path, monkeypatch, "timeout = 0.02")
    world.gate.clear()
    assert await world.mail() == "transient"


@pytest.mark.effect("smtp_cbv.phase")
async def test_it_may_ask_at_the_first_recipient(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(tmp_path, monkeypatch, "phase = rcptto")
    who = session(sender="a@x.test")
    assert await world.mail(who=who) is None
    for _ in range(2):
        answer = world.module.recipient(RcptTo(who, "b@y.test"))
        assert await world.said(answer, who) == "pass"
    assert len(world.questions) == 1


@pytest.mark.effect("smtp_cbv.map", "smtp_cbv.mailfrom")
async def test_other_hosts_may_be_asked_and_by_a_sender(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = 'mailfrom = "verify@me.test" map = [ x.test = "y.test" *.x.test = "z.test" ]'
    world = World(tmp_path, monkeypatch, options)
    for sender in ("a@x.test", "a@b.x.test", "a@w.test"):
        await world.mail(sender)
    assert world.router.asked == ["y.test", "z.test", "w.test"]
    assert world.questions[0] == Question("mx.node.test", "verify@me.test", "a@x.test", 7.5)


@pytest.mark.effect("smtp_cbv.debug_level")
async def test_what_hosts_say_is_told_to_who_wants_to_know(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(tmp_path, monkeypatch, "debug_level = INFO")
    await world.mail()
    assert world.place.panics == [("smtp_cbv", "a@x.test: 250 2.1.5 yes")]


@pytest.mark.effect("smtp_cbv.enabled")
async def test_off_it_asks_nobody_by_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert World(tmp_path, monkeypatch).place.asks(MailFrom)
    assert not World(tmp_path, monkeypatch, "enabled = false").place.asks(MailFrom)
