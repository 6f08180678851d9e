"""`spool import`: mail from the files of a directory, brought in while the server works."""

import asyncio
import os
import re
import time
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Final

from angarium.console.access import Rank
from angarium.console.command import Words, command
from angarium.console.errors import CommandError
from angarium.console.imports import Job, Order
from angarium.console.questions.imports import Brought
from angarium.console.result import Result, Said
from angarium.console.session import Session
from angarium.queue.importing import FORMATS, Wish

SHOWN: Final = 25  # files which could not be brought in
SUPPRESS: Final = "suppress_trace_headers"
MAX_WORKERS: Final = 127
MAX_SECONDS: Final = 86400
_VALUED: Final = ("--from", "--to", "--sender", "--every")
_NUMBER: Final = re.compile(r"[1-9][0-9]{0,5}")
_Syntax = Annotated[
    Words,
    "[--dry-run] [--background] [--every <seconds>] [--from <form>] [--to <address> ...] "
    "[--sender <address>] <path> [<concurrency>] [suppress_trace_headers]",
]


@command("spool import", who=Rank.OPERATOR)
async def spool_import(session: Session, words: _Syntax) -> Result:
    """Bring in the messages in a directory: each file is removed when its message is durable.

    A file is a message, or what `postcat -q` printed of one; a maildir works too. `--from eml`,
    `maildir` or `postcat` says which, else it is seen. Who sends and gets a message is said by its
    header (Return-Path, and X-Envelope-To, Envelope-To, X-Original-To, Delivered-To or X-Rcpt-To),
    or by `--sender` and `--to`. Names which begin with a dot, or end with `.tmp` or `.part`, are
    left alone.

    What cannot be brought in stays, and is listed. Concurrency is the number of workers which do
    it, 1 by default; `suppress_trace_headers` adds no Received field. With `--dry-run` nothing is
    done but counted. With `--every` the directory is looked at again and again, until `spool
    import_stop`; this goes on after the console is closed, as with `--background`. Whatever ends
    it, a crash too: given once more it goes on, and nothing comes in twice.
    """
    order, background = _order(words)
    job = session.node.imports.begin(order)
    if background or order.every:
        return Said(f"Import of {job.path} has begun; spool import_poll shows it", plain_of(job))
    job.hears.append(session.note)
    try:
        await asyncio.shield(job.task)
    except asyncio.CancelledError:
        if not job.task.done():
            job.task.cancel()  # It is this command which is given up.
            raise
    finally:
        job.hears.remove(session.note)
    if job.state == "failed":
        raise CommandError("\n".join([job.error, *_outcome(job)]))
    return Said("\n".join(_outcome(job)), plain_of(job))


def _order(words: Sequence[str]) -> tuple[Order, bool]:
    left, rest, flags = list(words), list[str](), set[str]()
    said: dict[str, list[str]] = {each: [] for each in _VALUED}
    while left:
        word = left.pop(0)
        if word in said:
            if not left:
                raise CommandError(f"{word} has no value")
            said[word].append(left.pop(0))
        elif word in {"--dry-run", "--background", SUPPRESS}:
            flags.add(word)
        elif word.startswith("--"):
            raise CommandError(f"there is no {word}; see help spool import")
        else:
            rest.append(word)
    if not 1 <= len(rest) <= 2:
        raise CommandError("write spool import <path> [<concurrency>] [suppress_trace_headers]")
    form = said["--from"][-1] if said["--from"] else "auto"
    if form not in FORMATS:
        raise CommandError(f"{form}: write one of {', '.join(FORMATS)}")
    dry, every = "--dry-run" in flags, _number(said["--every"], "0", MAX_SECONDS)
    if dry and every:
        raise CommandError("--dry-run looks once")
    wish = Wish(
        _normal(rest[0]), form=form, recipients=said["--to"], dry=dry,
        sender=said["--sender"][-1] if said["--sender"] else None, trace=SUPPRESS not in flags,
    )  # fmt: skip
    return Order(wish, _number(rest[1:], "1", MAX_WORKERS), every), "--background" in flags


def _normal(path: str) -> str:
    return os.path.normpath(path)


def _number(words: Sequence[str], default: str, most: int) -> int:
    text = words[-1] if words else default
    if words and not (_NUMBER.fullmatch(text) and int(text) <= most):
        raise CommandError(f"{text} is no number from 1 to {most}")
    return int(text)


@command("spool import_poll", who=Rank.VIEWER)
async def import_poll(session: Session, path: str = "") -> Result:
    """Say how far the import from a directory is; of all since the start without one."""
    imports = session.node.imports
    jobs = [imports.of(_normal(path))] if path else imports.jobs()
    lines = [line for job in jobs for line in _shown(job)]
    return Said("\n".join(lines or ["Nothing was imported"]), [plain_of(job) for job in jobs])


@command("spool import_stop", who=Rank.OPERATOR)
async def import_stop(session: Session, path: str) -> Result:
    """End the import from a directory. What is on its way to the disk still comes in."""
    job = session.node.imports.of(_normal(path))
    if job.over:
        raise CommandError(f"the import of {job.path} is over: {job.state}")
    job.task.cancel()
    await asyncio.wait([job.task])
    return Said("\n".join(_shown(job)), plain_of(job))


def _shown(job: Job) -> Iterator[str]:
    began = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(job.began))
    every = f", looked at every {job.order.every:g} s" if job.order.every else ""
    yield f"{job.path}: {job.state}, begun {began}{every}"
    yield from (f"  {line}" for line in job.doing.values())
    yield from (f"  {line}" for line in _outcome(job))
    if job.error:
        yield f"  {job.error}"


def _outcome(job: Job) -> Iterator[str]:
    total = job.total
    if job.order.wish.dry:
        yield (
            f"[dry-run] {total.messages} messages for {total.recipients} recipients would be "
            "brought in"
        )
    else:
        yield f"{total.messages} messages for {total.recipients} recipients brought in"
    yield from _refused(total)
    if total.left:
        yield f"{total.left} files are left: the spool did not take them; give the command again"


def _refused(total: Brought) -> Iterator[str]:
    if total.refused:
        more = f" ({total.refused - SHOWN} more not listed)" if total.refused > SHOWN else ""
        yield f"{total.refused} files were left alone{more}:"
    for path, reason in list(total.reasons.items())[:SHOWN]:
        yield f"  {path}: {reason}"


def plain_of(job: Job) -> dict[str, Any]:
    total = job.total
    return {
        "path": job.path,
        "state": job.state,
        "begun": job.began,
        "every": job.order.every,
        "dry_run": job.order.wish.dry,
        "files": total.files,
        "messages": total.messages,
        "recipients": total.recipients,
        "refused": total.refused,
        "reasons": total.reasons,
        "left": total.left,
        "error": job.error,
    }
