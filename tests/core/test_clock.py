import time

from angarium.core.clock import Clock


def test_the_time_module_is_a_clock() -> None:
    clock: Clock = time
    assert clock.time() > 0
    assert clock.monotonic() <= clock.monotonic()
