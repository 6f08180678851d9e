"""msys.threadpool: pools of threads, which here are none: numbers for who asks for them.

Momentum has pools, by names and job classes; here a worker is one loop, and what takes long is cut
into slices. The names and the numbers of the classes are kept, so that a script which watches them
gets zeros where nothing waits. How many threads there are, the console tells.
"""

from typing import Final

from angarium.modules.lua.api.core import means
from angarium.modules.lua.bind import Runtime, lua
from angarium.modules.means import Means

# Job classes of Momentum's header, by their numbers.
CLASSES: Final = (
    "CPU", "IO", "SWAPOUT", "SWAPIN", "CLOSE", "UNLINK", "BATCH_UNLINK", "SPOOL_IN",
    "ASYNC_BOUNCE", "SIEVE_IO",
)  # fmt: skip


def pools(lua: Runtime) -> list[str]:
    """Return the names of pools; those of the configuration come behind."""
    named: list[str] = []
    if lua.services.parts.get(Means) is not None:
        named = [name for name in means(lua).configuration.root.all("threadpool") if name]
    return list(dict.fromkeys([*CLASSES, *named]))


@lua("msys.threadpool.count")
def count(lua: Runtime) -> int:
    """Return how many pools there are."""
    return len(pools(lua))


@lua("msys.threadpool.find")
def find(lua: Runtime, pool: int | bytes) -> str | int | None:
    """Return the number of a pool by its name, or the name by its number; nil without one."""
    names = pools(lua)
    if isinstance(pool, bytes):
        name = pool.decode("utf-8", "replace")
        return names.index(name) if name in names else None
    return names[pool] if 0 <= pool < len(names) else None


@lua("msys.threadpool.stat")
def stat(lua: Runtime, pool: int | bytes) -> dict[str, object] | None:
    """Return what a pool does, nil if there is none of that name or number.

    `job_num_queued` and `queue_sz` of IO are the messages which wait for the disk, of CPU the jobs
    of the queues which wait for their turn; all else is 0, as there are no threads.
    """
    found = find(lua, pool)
    if found is None:
        return None
    name = found if isinstance(found, str) else pools(lua)[found]
    waiting = 0
    worker = lua.services.parts.get(Means)
    if isinstance(worker, Means) and name in ("IO", "CPU"):
        waiting = worker.admit.submitted if name == "IO" else worker.board.beat.waiting
    return {
        "name": name,
        "invocations": 0,
        "avg_concurrency": 0,
        "saturation": 0,
        "avg_wallclock_time_per_op": 0,
        "queue_sz": waiting,
        "num_threads": 0,
        "num_active_threads": 0,
        "num_inactive_threads": 0,
        "job_num_queued": waiting,
        "job_num_running": 0,
    }
