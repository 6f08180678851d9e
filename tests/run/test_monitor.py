"""The process of the monitor; what it does stands in the tests of modules/monitor."""

from angarium.run.monitor import Monitor


async def test_it_ends_when_it_is_told_to() -> None:
    monitor = Monitor()
    monitor._stopping.clear()
    await monitor.drain(1.0)
    assert monitor._stopping.is_set()
