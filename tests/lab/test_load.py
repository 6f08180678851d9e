import asyncio

import pytest

from angarium.lab.injector import Outcome
from angarium.lab.letters import Letters
from angarium.lab.load import Load, Plan, Report
from angarium.lab.sink import Sink
from angarium.net.loop import RealClock
from helpers.world import reserved_port


async def run(sink: Sink, letters: Letters | None = None, **plan: float) -> Report:
    settings = {"port": sink.port, "patience": 90.0} | plan
    letters = letters or Letters([(500, 1)])
    return await Load(Plan(**settings), letters, RealClock()).run()  # type: ignore[arg-type]


async def test_a_count_of_messages_is_sent_and_each_is_acknowledged() -> None:
    async with Sink() as sink:
        report = await run(sink, connections=3, count=50)
    assert (report.begun, report.acknowledged, report.recipients) == (50, 50, 50)
    assert report.octets == 25_000
    assert report.connected == sink.counts.connections == 3
    assert report.latency.count == report.service.count == 50
    arrived = {recipient for message in sink.accepted for recipient in message.recipients}
    assert arrived == {f"u{n:012d}@sink.test" for n in range(1, 51)}
    assert {len(message.content or b"") for message in sink.accepted} == {500}
    assert sink.counts.early == 0


async def test_without_pipelining_each_command_waits() -> None:
    async with Sink("without PIPELINING") as sink:
        report = await run(sink, count=5)
        assert sink.counts.early == 0
    assert report.acknowledged == 5
    async with Sink() as sink:
        await run(sink, count=5, pipelining=False)
        assert sink.counts.early == 0


async def test_connections_are_renewed_after_so_many_messages() -> None:
    async with Sink() as sink:
        report = await run(sink, count=10, per_connection=2)
    assert sink.counts.connections == report.connected
    assert 5 <= report.connected <= 6
    assert report.cut == 0


async def test_idle_connections_greet_and_stay() -> None:
    async with Sink() as sink:
        report = await run(sink, count=5, idle=10)
    assert (report.idle, report.idle_cut) == (10, 0)
    assert sink.counts.connections == 11
    assert sink.counts.replies["ehlo"][250] == 11


async def test_refusals_are_counted_by_step_and_code() -> None:
    script = (
        "at mail nth 2 reply 450 4.7.1 later\nat rcpt nth 2 reply 550 5.1.1 no\n"
        "at data nth 2 reply 451 4.3.0 no\nat dot nth 2 reply 554 5.6.0 no\n"
    )
    async with Sink(script) as sink:
        report = await run(sink, count=8)
    assert report.refused == {"mail 450": 1, "rcpt 550": 1, "data 451": 1, "dot 554": 1}
    assert report.acknowledged == sink.counts.messages == 4


async def test_a_message_refused_for_one_recipient_is_acknowledged_for_the_others() -> None:
    heard: list[Outcome] = []
    letters = Letters([(500, 1)], recipients=3)
    async with Sink("at rcpt to *.2@* reply 550 5.1.1 no") as sink:
        load = Load(Plan(port=sink.port, count=1), letters, RealClock(), heard.append)
        report = await load.run()
    assert (report.acknowledged, report.recipients, report.refused_recipients) == (1, 2, 1)
    assert heard[0].recipients == sink.accepted[0].recipients
    assert heard[0].refused == [("u000000000001.2@sink.test", "550 5.1.1 no")]


async def test_the_fate_of_an_unanswered_message_is_unknown() -> None:
    async with Sink("at data nth 2 drop\nat dot nth 3 drop") as sink:
        report = await run(sink, count=6)
    assert (report.acknowledged, report.lost, report.unknown) == (4, 1, 1)
    assert report.cut == 2
    assert report.begun == 6


async def test_421_ends_the_connection_and_not_the_load() -> None:
    async with Sink("at mail nth 2 per connection reply 421 4.3.2 enough") as sink:
        report = await run(sink, count=6)
    assert report.acknowledged + report.refused["mail 421"] == 6
    assert report.connected >= 3


@pytest.mark.slow
async def test_a_server_which_greets_badly_is_tried_again() -> None:
    async with Sink("at banner first 1 reply 554 5.7.1 no then drop") as sink:
        report = await run(sink, count=2)
    assert report.acknowledged == 2


async def test_a_server_without_ehlo_is_greeted_with_helo() -> None:
    async with Sink("at ehlo reply 502 5.5.1 what") as sink:
        report = await run(sink, count=2)
    assert report.acknowledged == 2
    assert sink.accepted[0].helo == "load.sender.test"


@pytest.mark.slow
async def test_who_waits_for_a_slow_server_is_charged_for_the_wait() -> None:
    async with Sink("at dot nth 1 delay 100ms") as sink:
        report = await run(sink, rate=200, count=20)
    assert report.acknowledged == 20
    # The first stands in the way of the other 19, which are due in the 100 ms it takes.
    assert report.latency.total - report.service.total > 0.5
    assert report.latency.quantile(0.5) > 0.04


@pytest.mark.slow
async def test_a_duration_ends_the_load() -> None:
    async with Sink() as sink:
        report = await run(sink, rate=1000, duration=0.05)
    assert report.acknowledged == report.begun == 50  # however late it is
    async with Sink() as sink:
        report = await run(sink, duration=0.05, connections=2)
    assert report.acknowledged == report.begun >= 1


@pytest.mark.slow
async def test_patience_ends_with_a_server_which_does_not_answer() -> None:
    async with Sink("at dot hang") as sink:
        report = await run(sink, rate=1000, count=5, patience=0.05)
    assert (report.begun, report.unknown, report.unsent) == (1, 1, 4)


@pytest.mark.slow
async def test_no_server_at_all_is_an_end_too() -> None:
    with reserved_port() as keeper:
        plan = Plan(port=keeper.getsockname()[1], count=1, patience=0.5)
        report = await Load(plan, Letters([(500, 1)]), RealClock()).run()
    assert report.acknowledged == 0
    assert report.not_connected >= 1


async def test_the_report_is_plain() -> None:
    async with Sink() as sink:
        report = await run(sink, count=1)
    shown = report.to_json()
    assert shown["acknowledged"] == 1
    assert isinstance(shown["latency_ms"], dict)
    assert "p99.9" in shown["latency_ms"]
    assert asyncio.all_tasks() == {asyncio.current_task()}
