"""The system clock jumps by an hour, forward and back, while mail is queued: nobody notices.

A story with the real server, all of whose processes see the jump at once: retries go on at their
pace, none is parked for an hour and none storms; limits neither stick nor burst; nothing expires
early; ids rise; each line of the logs is there once.
"""

import time
from pathlib import Path
from typing import Final

import pytest

from angarium.core.ident import parse
from helpers.injected import Injected
from helpers.outlook import times

pytestmark = pytest.mark.slow

HOUR: Final = 3600
ZONE: Final = "* 1 A 127.0.0.1"  # a TTL of a second: each message asks again
CONFIG: Final = """
max_retry_interval = 1
event_retention = 1800
domain "slow.test" { outbound_throttle_messages = 5/1 }
domain "down.test" { message_expiration = 7000 }
"""
SINK: Final = """
at rcpt to *@down.test reply 451 4.3.0 later
at rcpt to *@once.test every 2 reply 451 4.3.0 later
"""
JUMPS: Final = (HOUR, 0, -HOUR, 0)


class Jumps(Injected):
    """What happens at each setting of the clock."""

    async def look(self, number: int) -> None:
        """Mail goes, comes again when it was put off, and is limited, as at any other time."""
        began = time.monotonic()
        await self.mail(f"now@a{number}.test")
        await self.mail(f"{number}@once.test")
        await self.came(f"now@a{number}.test")
        await self.came(f"{number}@once.test")
        # Put off once: a second, a part of another, and the machine's own doings.
        assert time.monotonic() - began < 60, "it was parked"
        began = time.monotonic()
        await self.mails(5, f"{number}@slow.test")
        await self.came(f"{number}@slow.test", 5)
        assert 0.5 < time.monotonic() - began < 60, "the limit burst, or sticks"


async def test_a_clock_which_jumps_by_an_hour_changes_nothing(tmp_path: Path) -> None:
    async with Jumps(tmp_path, CONFIG, ZONE, SINK) as world:
        await world.mail("never@down.test")
        began = time.monotonic()
        for number, ahead in enumerate(JUMPS):
            world.set_clock(ahead)
            await world.look(number)
        attempts = len(world.rows("mainlog", "T", "down.test"))
        lasted = time.monotonic() - began
        # Once a second at most; each setting forward makes due what is due by it.
        assert lasted / 4 < attempts <= lasted + 3 + len(JUMPS)
        received = world.rows("mainlog", "R")
        idents = [parse(row[1]) for row in received]
        assert idents == sorted(idents, key=lambda each: each or 0)  # also where clocks went back
        assert len(set(idents)) == len(idents)
        stamps = times(received)
        assert max(stamps) - min(stamps) < 2 * HOUR + 60 + lasted, "stamps are those of the clock"
        assert not world.rows("mainlog", "P")
        # After a restart, with the clock behind what was written: still not parked.
        world.set_clock(-HOUR)
        await world.again()
        before = len(world.rows("mainlog", "T", "down.test"))
        await world.records("mainlog", "T", "down.test", before + 2)
        # And two hours are two hours.
        world.set_clock(2 * HOUR)
        [expired] = await world.records("mainlog", "P", "down.test")
        assert expired[-1] == "554 5.4.7 [internal] exceeded max time without delivery"
        account = await world.audit()
        assert account["sound"], account
        delivered = world.rows("mainlog", "D")
        assert len({row[1] for row in delivered}) == len(delivered)
