"""The words of `trace smtp`."""

from pathlib import Path

from helpers.consoles import FakeServer, Talk


async def test_what_is_no_filter_or_file_is_refused(tmp_path: Path) -> None:
    talk = Talk(FakeServer(tmp_path, ""))
    assert "write the whole path" in await talk.fails("trace smtp add * * trace.log")
    assert "no worker answers" in await talk.fails("trace smtp add * * /tmp/trace.log")
    assert "begins with one of in, out" in await talk.fails("trace smtp live x")
    assert "missing" in await talk.fails("trace smtp live domain")
    assert "number of seconds" in await talk.fails("trace smtp live for x")
    assert "no id of a message" in await talk.fails("trace smtp live message x")
    assert "there is no smtp tracer #7" in await talk.fails("trace smtp remove 7")
    assert await talk.say("trace smtp list") == ""
