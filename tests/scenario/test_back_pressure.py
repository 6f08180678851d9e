"""Hosts which take large messages slowly or not at all: they cost time, not memory or others."""

from pathlib import Path

from helpers.outlook import Outlook, second

CONFIG = """
generate_bounces = false
body_timeout = 5
max_retries = 0
host_failure_retry = 0
connection_allocation_aggressiveness = high
"""
ZONE = """
deaf.test A 127.0.1.1
slow.test A 127.0.1.2
well.test A 127.0.0.1
"""
LINE = b"x" * 98 + b"\r\n"
LARGE = b"Subject: large\r\n\r\n" + LINE * 80_000  # 8 MB
MESSAGES = 3


def resident(pids: list[int]) -> int:
    """Return the octets of memory which processes have of their own."""
    pages = 0
    for pid in pids:
        _, all_of_it, shared, *_ = Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()
        pages += int(all_of_it) - int(shared)
    return pages * 4096


async def test_hosts_which_do_not_read_cost_no_memory_and_delay_nobody(tmp_path: Path) -> None:
    async with Outlook(tmp_path, CONFIG, ZONE) as world:
        deaf = await second(world, "127.0.1.1", "at body past 64k deaf")
        slow = await second(
            world, "127.0.1.2", "\n".join(f"at body past {n}M delay 150ms" for n in range(1, 8))
        )
        try:
            await world.mails(2, "b@well.test")
            before = resident(world.worker_pids())
            await world.mails(MESSAGES, "b@deaf.test", LARGE)
            await world.mails(1, "b@slow.test", LARGE)
            await world.mails(3, "b@well.test")
            most = 0

            def all_ended() -> bool:
                nonlocal most
                most = max(most, resident(world.worker_pids()))
                return len(world.rows("mainlog", "P", "deaf.test")) == MESSAGES

            await world.until(lambda: len(world.got("*@well.test")) == 5, "mail of others")
            await world.until(all_ended, "the end of what is not taken")
            assert most - before < 2 * len(LARGE)
            for row in world.rows("mainlog", "P", "deaf.test"):
                assert row[9] == "8"
                assert 65536 < int(row[6]) < len(LARGE)
            await slow.until(1, 90.0)
            assert (slow.accepted[0].content or b"").endswith(LARGE)
            assert deaf.counts.connections >= 2
        finally:
            await deaf.stop()
            await slow.stop()
