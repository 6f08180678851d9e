"""`angarium audit` beside a server at work: true at every moment, and it disturbs nobody."""

from pathlib import Path

import pytest

from helpers.pressure import pressure
from helpers.world import World

pytestmark = pytest.mark.slow

ZONE = "sink.test MX 10 mx.sink.test\nsender.test MX 10 mx.sink.test\nmx.sink.test A 127.0.0.1\n"
SCRIPT = "at rcpt to u*7@sink.test reply 550 5.1.1 no such user\nat dot probability 0.1 reply 451"


async def test_every_recipient_is_accounted_for_while_the_server_works(tmp_path: Path) -> None:
    # Checkpoints come often, and what they replace goes: the audit reads again then.
    config = 'spool_segment_size = "1M"\ncheckpoint_interval = 1\n'
    async with World(tmp_path, config, ZONE, sink=SCRIPT, workers=2) as world:
        # So many that a busy machine reads them faster than they come.
        async with pressure(world.port, connections=4, size="4k", rate=100) as load:
            counted = 0
            for _ in range(5):
                known = len(load.acknowledged)
                found = await world.audit()
                assert found["sound"], found
                assert found["sum"]["accepted"] >= max(known, counted)
                counted = found["sum"]["accepted"]
                await world.until(lambda seen=known: len(load.acknowledged) > seen + 200, "mail")  # type: ignore[misc]
        assert load.report.lost == load.report.unknown == 0
        assert sum(load.report.refused.values()) == 0
        assert (await world.audit())["sound"]
