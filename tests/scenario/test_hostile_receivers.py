"""Hosts which drop, lie, babble, stall or say 421 at any stage: each message arrives once.

Every bad host has an address of its own and is bad once, or a few times; then it is a good one.
"""

import contextlib
from collections import Counter
from pathlib import Path

import pytest

from helpers.outlook import Outlook, Watched, second

CONFIG = """
host_failure_retry = 0
dead_destination_delay = 1
max_retry_interval = 1
idle_timeout = 1
"""
# Whoever has a message is waited for long enough: a second one is no fault of a busy machine.
TIMEOUTS = """
connect_timeout = 2
banner_timeout = 2
ehlo_timeout = 2
mailfrom_timeout = 2
rcptto_timeout = 2
body_timeout = 10
rset_timeout = 2
"""
MESSAGES = 4
STAGES = ("banner", "ehlo", "mail", "rcpt", "data", "dot")
ENDINGS = [
    *(f"at {stage} first 1 {end}" for stage in STAGES for end in ("drop", "reset")),
    *(f"at {stage} nth 3 drop" for stage in STAGES[2:]),
    "at body past 20 first 1 drop",
    "at body past 20 first 1 reset",
    "at quit drop",
    "at rset drop",
]
GOODBYES = [
    *(f"at {stage} first 1 reply 421 4.3.2 going down" for stage in STAGES),
    *(f"at {stage} nth 2 per connection reply 421 4.7.0 enough" for stage in STAGES[2:]),
    "at mail nth 3 reply 421 4.7.0 enough\\nfor now",
    "at body past 20 first 1 reply 421 4.7.0 enough of that",
]
BABBLE = [
    *(f"at {stage} first 1 babble twice" for stage in STAGES),
    *(f"at {stage} nth 2 babble twice" for stage in STAGES[2:]),
    *(f"at {stage} first 1 babble unsolicited" for stage in STAGES),
    *(f"at {stage} first 1 babble garbage answer" for stage in STAGES[:-1]),
    *(f"at {stage} first 1 babble endless" for stage in ("ehlo", "rcpt")),
]
ODDITIES = [
    'at banner send "220-sink.test\\r\\n220-says\\r\\n220 much\\r\\n"',
    'at rcpt send "250-2.1.5 yes\\r\\n250-2.1.5 indeed\\r\\n250 2.1.5 ok\\r\\n"',
    'at data send "354\\r\\n"',
    'at dot send "250\\r\\n"',
    'at mail send "250-ok\\n250 ok\\n"',
    "at ehlo first 1 reply 502 5.5.1 what",
    "at rcpt trickle 5ms answer",
    "at dot delay 300ms answer",
    "at dot answer then drop",
    "at mail every 2 reply 451 4.3.0 later",
    "at rcpt every 2 reply 451 4.3.0 later",
    "at data every 2 reply 451 4.3.0 later",
    "without PIPELINING\nat data every 2 reply 451 4.3.0 later",
    "without PIPELINING\nat rcpt nth 2 reply 421 4.7.0 enough",
    "without PIPELINING\nat dot babble twice",
]
# The host has the message, and nobody can say so: it gets it again (RFC 1047).
UNCERTAIN = [
    "at dot first 1 babble garbage answer",
    "at dot first 1 babble endless",
    'at dot first 1 send "250"',
]
STALLS = [
    *(f"at {stage} first 1 hang" for stage in STAGES),
    *(f"at {stage} first 1 deaf" for stage in ("mail", "rcpt")),
    "at rcpt first 1 trickle 400ms answer",
    "at body past 20 first 1 hang",
]


async def subjects(world: Outlook, scripts: list[str]) -> dict[str, Counter[str]]:
    """Send MESSAGES to a host for each script; return how often each subject arrived there."""
    sinks: dict[str, Watched] = {}
    try:
        for number, script in enumerate(scripts, 1):
            sinks[script] = await second(world, f"127.0.1.{number}", script)
            world.dns.zone.add(f"d{number}.test A 127.0.1.{number}")
        async with world.call() as caller:
            for number in range(1, len(scripts) + 1):
                for message in range(MESSAGES):
                    content = b"Subject: %d\r\n\r\n%s\r\n" % (message, b"some text " * 5)
                    said = await caller.deliver(content, f"b@d{number}.test", sender="")
                    assert said.startswith("250"), said

        def complete() -> bool:
            return len(world.rows("mainlog", "D")) >= MESSAGES * len(scripts)

        with contextlib.suppress(TimeoutError):  # The comparison says which.
            await world.until(complete, "every delivery")
        return {script: arrived(sink) for script, sink in sinks.items()}
    finally:
        for sink in sinks.values():
            await sink.stop()


def arrived(sink: Watched) -> Counter[str]:
    """Return how often messages of each subject were accepted."""
    marker = b"Subject: "
    return Counter(
        (each.content or b"").partition(marker)[2].partition(b"\r\n")[0].decode()
        for each in sink.accepted
    )


ONCE = {str(message): 1 for message in range(MESSAGES)}


@pytest.mark.parametrize(
    "scripts", [ENDINGS, GOODBYES, BABBLE, ODDITIES], ids="ends 421 babble odd".split()
)
async def test_each_message_arrives_once_at_a_host_which_is_bad_for_a_while(
    tmp_path: Path, scripts: list[str]
) -> None:
    async with Outlook(tmp_path, CONFIG) as world:
        found = await subjects(world, scripts)
        assert {script: each for script, each in found.items() if each != ONCE} == {}
        assert len(world.rows("mainlog", "D")) == MESSAGES * len(scripts)
        assert world.rows("mainlog", "P") == []
        assert [line for line in world.log("paniclog") if ":Milestone:" not in line] == []


async def test_a_message_whose_confirmation_cannot_be_read_is_sent_again(tmp_path: Path) -> None:
    async with Outlook(tmp_path, CONFIG + TIMEOUTS) as world:
        found = await subjects(world, UNCERTAIN)
        assert {sum(each.values()) for each in found.values()} == {MESSAGES + 1}
        assert {len(each) for each in found.values()} == {MESSAGES}


@pytest.mark.slow
async def test_a_host_which_stalls_is_given_up_at_the_timeout_of_its_stage(tmp_path: Path) -> None:
    async with Outlook(tmp_path, CONFIG + TIMEOUTS) as world:
        found = await subjects(world, STALLS)
        assert {script: each for script, each in found.items() if each != ONCE} == {}
        reasons = {row[5]: (row[9], row[13]) for row in world.rows("mainlog", "T")}
        assert reasons["d1.test"] == ("12", "451 4.4.2 [internal] no banner")
        assert reasons["d2.test"] == ("11", "451 4.4.2 [internal] no HELO/EHLO response")
        assert reasons["d3.test"] == ("3", "451 4.4.2 [internal] no MAIL FROM response")
        assert reasons["d4.test"] == ("5", "451 4.4.2 [internal] no RCPT TO response")
        assert reasons["d5.test"] == ("7", "451 4.4.2 [internal] no DATA response")
        assert reasons["d6.test"] == ("9", "451 4.4.2 [internal] no BODY response")
