"""`counter`: the commands."""

from pathlib import Path

from helpers.consoles import FakeServer, Talk


async def test_counters_are_added_to_listed_reset_and_forgotten(tmp_path: Path) -> None:
    talk = Talk(FakeServer(tmp_path, ""))
    assert await talk.say("counter add /a 7") == ""
    assert await talk.plain("counter add /a -3") == {"counter": "/a", "value": 4}
    await talk.say("counter increment /b")
    assert [each["value"] for each in await talk.plain("counter list")] == [4, 1]
    assert (await talk.say("counter list")).endswith("2 counters listed.")
    await talk.say("counter reset /a")
    await talk.say("counter unlink /b")
    assert [each["value"] for each in await talk.plain("counter list")] == [0]
    assert "no whole number" in await talk.fails("counter add /a x")
    assert "counter unlink NAME" in await talk.say("counter help")
