"""`sched`: commands which are given later."""

import os
import re
import time
from dataclasses import asdict
from typing import Annotated, Final, TypeAlias

from angarium.config.path import split
from angarium.console.access import Rank
from angarium.console.command import Line, command
from angarium.console.errors import CommandError
from angarium.console.result import Result, Said
from angarium.console.schedule import FAR, Job
from angarium.console.session import Session

_At: TypeAlias = Annotated[Line, "<unix-time> <command>"]
_Later: TypeAlias = Annotated[Line, "<seconds> <command>"]
_JOB: Final = re.compile(r"([0-9]{1,18})(?:\s+(.*))?", re.DOTALL)
_ID: Final = re.compile(r"(?:.*-)?([0-9]{1,18})")


def _id(job: Job) -> str:
    return f"{os.uname().nodename}-{job.number:09d}"


def _parsed(text: str) -> tuple[int, str]:
    """Return the number a job begins with, and its command as it was typed."""
    found = _JOB.fullmatch(text)
    if found is None:
        raise CommandError(f"{text.partition(' ')[0] or 'nothing'} is no number of seconds")
    if not found[2]:
        raise CommandError("there is no command")
    return int(found[1]), found[2]


async def _add(session: Session, at: int, every: int, line: str) -> Result:
    if at > FAR:
        raise CommandError("that is too far away")
    if split(line)[0].lower() == "sched":
        raise CommandError("a job cannot schedule jobs")
    # A job is done in the name of the server, so who wants it must be allowed to do it himself.
    session.check(line)
    job = await session.node.schedule.add(at, every, line, session.server.aside)
    return Said(f"{_id(job)} runs at {at}", {"id": _id(job), "next": at})


@command("sched at", who=Rank.OPERATOR)
async def at(session: Session, job: _At) -> Result:
    """Give a command at a Unix time; at one that has passed, now."""
    moment, line = _parsed(job)
    return await _add(session, moment, 0, line)


@command("sched in", who=Rank.OPERATOR)
async def after(session: Session, job: _Later) -> Result:
    """Give a command in so many seconds."""
    seconds, line = _parsed(job)
    return await _add(session, int(time.time()) + seconds, 0, line)


@command("sched every", who=Rank.OPERATOR)
async def every(session: Session, job: _Later) -> Result:
    """Give a command again and again, each time so many seconds later."""
    seconds, line = _parsed(job)
    if not seconds:
        raise CommandError("seconds is at least 1")
    return await _add(session, int(time.time()) + seconds, seconds, line)


@command("sched delete", who=Rank.OPERATOR)
async def delete(session: Session, job: str) -> Result:
    """Take a job out: its id, or the number at the end of that."""
    found = _ID.fullmatch(job)
    if found is None:
        raise CommandError(f"{job} is no id; sched list has those there are")
    await session.node.schedule.delete(int(found[1]), session.server.aside)
    return Said(f"job {job} is deleted", {"deleted": job})


@command("sched list", who=Rank.VIEWER)
def listed(session: Session) -> Result:
    """List the jobs: id, the Unix time of the next run, whether it comes again, the command."""
    jobs = [(_id(each), each) for each in session.node.schedule.jobs]
    lines = ["JOB ID\tNEXT RUN TIME\tREC\tCOMMAND"]
    lines += [
        f"{name}\t{each.next}\t{'y' if each.every else ''}\t{each.command}" for name, each in jobs
    ]
    return Said("\n".join(lines), [{**asdict(each), "id": name} for name, each in jobs])
