"""The bad receivers of examples/sinks, all at once, beside a good one which must not feel them.

Each costs its own connections only; a message which was taken is not sent again, unless nobody
could say that it was; one which was not comes again.
"""

from collections import Counter
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import Final

import pytest

from angarium.lab.sink import Sink
from helpers.outlook import Outlook, Watched, second

pytestmark = pytest.mark.slow

SUITE: Final = Path(__file__).parent.parent.parent / "examples" / "sinks"
SCRIPTS: Final = sorted(each.stem for each in SUITE.glob("*.sink"))
MESSAGES: Final = 10
CONFIG: Final = """
generate_bounces = false
host_failure_retry = 0
dead_destination_delay = 1
max_retry_interval = 1
idle_timeout = 1
domain "second.test" { banner_timeout = 2 }
domain "silent.test" {
  banner_timeout = 2
  ehlo_timeout = 2
  mailfrom_timeout = 2
  rcptto_timeout = 2
  body_timeout = 10
}
"""
# Who says an octet a second is given up at the banner, again and again.
NEVER: Final = {"second"}
# What the host has taken and could not confirm comes twice (RFC 1047): rules 1 and 3 of dot.sink.
UNCERTAIN: Final = {"dot": 2}


def subjects(sink: Sink) -> Counter[str]:
    """Return how often each message was taken."""
    marker = b"Subject: "
    return Counter(
        (each.content or b"").partition(marker)[2].partition(b"\r\n")[0].decode()
        for each in sink.accepted
    )


async def test_each_bad_receiver_costs_its_own_connection_and_no_message(tmp_path: Path) -> None:
    zone = "well.test A 127.0.0.1\n" + "".join(
        f"{name}.test A 127.0.2.{number}\n" for number, name in enumerate(SCRIPTS, 1)
    )
    async with Outlook(tmp_path, CONFIG, zone) as world, AsyncExitStack() as stack:
        sinks: dict[str, Watched] = {}
        for number, name in enumerate(SCRIPTS, 1):
            script = (SUITE / f"{name}.sink").read_text("utf-8")
            sinks[name] = await second(world, f"127.0.2.{number}", script)
            stack.push_async_callback(sinks[name].stop)
        async with world.call() as caller:
            for name in SCRIPTS:
                for message in range(MESSAGES):
                    content = b"Subject: %d\r\n\r\n%s\r\n" % (message, b"some text " * 20)
                    said = await caller.deliver(content, f"b@{name}.test")
                    assert said.startswith("250"), said
        await world.mails(100, "beside@well.test")
        await world.came("beside@well.test", 100)
        # All of it has gone while there are messages which hosts keep waiting.
        assert len(world.rows("mainlog", "D", "silent.test")) < MESSAGES
        expected = MESSAGES * (len(SCRIPTS) - len(NEVER)) + 100
        with suppress(TimeoutError):  # The comparison says which.
            await world.until(lambda: len(world.rows("mainlog", "D")) >= expected, "all")
        found = {name: subjects(sink) for name, sink in sinks.items()}
        often = {name: (len(each), each.total()) for name, each in found.items()}
        once = {name: (MESSAGES, MESSAGES + UNCERTAIN.get(name, 0)) for name in SCRIPTS}
        assert often == once | dict.fromkeys(NEVER, (0, 0))
        for name in NEVER:
            assert world.rows("mainlog", "T", f"{name}.test")
        assert world.rows("mainlog", "P") == []
        assert len(world.rows("mainlog", "D")) == expected
        assert not any("died" in line for line in world.output)
