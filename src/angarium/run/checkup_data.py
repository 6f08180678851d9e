"""Whether the datasources of a configuration answer: each uri is asked for next to nothing."""

import time
from collections.abc import Callable, Sequence
from random import Random
from typing import Final

from angarium.core.errors import Error
from angarium.data.errors import DataError
from angarium.data.pool import Pool
from angarium.data.source import Settings
from angarium.data.sources import Datasources
from angarium.events.metrics import Metrics
from angarium.net.loop import RealClock
from angarium.run.checkup import FAIL, OK, SKIPPED, Finding

ADVICE: Final = "policy which asks it says 451; the uri stands in its datasource stanza"


async def databases(
    settings: Callable[[], Sequence[Settings]], timer: Callable[[], float] = time.perf_counter
) -> list[Finding]:
    """Ask each database of each source.

    Args:
        settings: returns the sources, or raises Error if a password is missing.
    """
    try:
        wanted = settings()
    except Error as error:
        return [Finding("datasources", FAIL, str(error))]
    sources = Datasources(RealClock(), Random(), Metrics())
    sources.configure(wanted)
    try:
        return [
            await _one(name, pool, timer)
            for name, source in sources.sources.items()
            for pool in source.pools
        ]
    finally:
        await sources.close()


async def _one(name: str, pool: Pool, timer: Callable[[], float]) -> Finding:
    check = f"datasource {name}"
    if not pool.driver.probe:
        return Finding(check, SKIPPED, f"{pool.driver.label} names no file: queries do")
    begun = timer()
    try:
        await pool.probe()
    except DataError as error:
        return Finding(check, FAIL, f"{pool.driver.label}: {error.message}", ADVICE)
    return Finding(check, OK, f"{pool.driver.label} answers in {1000 * (timer() - begun):.0f} ms")
