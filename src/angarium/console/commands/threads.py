"""`threads`: what works in each process. A worker is one loop; few things have threads here.

Momentum has pools of threads for CPU, IO, SWAPIN, SWAPOUT and CLOSE. Here work that takes long is
cut into slices of the loop (CPU), and waiting for disks is left to the kernel or to threads which
have a name each (IO).
"""

from typing import Final

from angarium.console.access import Rank
from angarium.console.command import command
from angarium.console.errors import CommandError
from angarium.console.questions.threads import Threads, jobs, threads, working
from angarium.console.result import Result, Said
from angarium.console.session import Session

SUPERVISOR: Final = "supervisor"


async def _all(session: Session) -> tuple[dict[str, dict[str, Threads]], list[str]]:
    answers = await session.node.ask(threads())
    found = {name: dict(table.rows) for name, table in answers.each.items()}
    found[SUPERVISOR] = working()
    return dict(sorted(found.items())), answers.missing


@command("threads stats", who=Rank.VIEWER)
async def stats(session: Session) -> Result:
    """Print the threads of each process, and the processor time they have used."""
    return await _stats(session, "")


async def _stats(session: Session, pool: str) -> Result:
    found, missing = await _all(session)
    lines, plain = [], {}
    for process, rows in found.items():
        shown = {name: row for name, row in sorted(rows.items()) if not pool or name == pool}
        if shown:
            lines.append(f"{process}:")
            plain[process] = {
                name: {"threads": row.count, "seconds": row.seconds} for name, row in shown.items()
            }
        for name, row in shown.items():
            lines.append(f"    {name + ' threads:':24} {row.count:4}")
            lines.append(f"    {'  processor time:':24} {row.seconds:9.2f} s")
    if pool and not plain:
        names = sorted({name for rows in found.values() for name in rows})
        raise CommandError(f"there is no pool {pool}; there are {', '.join(names)}")
    return Said("\n".join([*lines, *missing]), {"processes": plain, "missing": missing})


@command("threads busy", who=Rank.VIEWER)
async def busy(session: Session) -> Result:
    """Print what has used the most processor time, the most first."""
    found, missing = await _all(session)
    rows = sorted(
        ((row.seconds, process, name) for process, each in found.items()
         for name, row in each.items()), reverse=True,
    )[:10]  # fmt: skip
    lines = [f"{seconds:9.2f} s  {process}: {name}" for seconds, process, name in rows]
    plain = [{"process": p, "threads": name, "seconds": s} for s, p, name in rows]
    return Said("\n".join([*lines, *missing]), plain)


@command("threads io queue", who=Rank.VIEWER)
async def io_queue(session: Session) -> Result:
    """Print how many messages wait for the disk, in all workers."""
    return await _queue(session, "io", "Jobs in the IO pool")


@command("threads cpu queue", who=Rank.VIEWER)
async def cpu_queue(session: Session) -> Result:
    """Print how many jobs of the queues are being done in slices, in all workers."""
    return await _queue(session, "cpu", "Jobs in the CPU pool")


async def _queue(session: Session, pool: str, head: str) -> Result:
    answers = await session.node.ask(jobs())
    number = int(answers.total.values[pool]) if answers.total else 0
    plain = {"jobs": number, "missing": answers.missing}
    return Said("\n".join([head, f"{number} jobs", *answers.missing]), plain)


@command("threads", who=Rank.VIEWER)
async def pool_stats(session: Session, pool: str, what: str) -> Result:
    """Print the threads of one name in all processes: `threads asyncio stats`."""
    if what.lower() != "stats":
        raise CommandError(f"{what}: write threads {pool} stats")
    return await _stats(session, "event loop" if pool.lower() in ("loop", "cpu") else pool)
