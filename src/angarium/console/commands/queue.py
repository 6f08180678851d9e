"""What waits, in which queue; and mail that is delayed, or goes another way."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Final

import msgspec

from angarium.console.access import Rank
from angarium.console.chosen import (
    ALL,
    asked,
    done,
    known_binding,
    plain_of,
    preview,
    total_of,
    unless_all,
)
from angarium.console.command import Words, command
from angarium.console.errors import CommandError
from angarium.console.questions import mail, queues
from angarium.console.questions.queues import Size
from angarium.console.result import Result, Said
from angarium.console.session import Session
from angarium.console.statistics import BETWEEN
from angarium.console.sums import Table
from angarium.core.ident import printed
from angarium.core.message import DEFAULT_BINDING
from angarium.queue.choice import Choice

MOST_LISTED: Final = 10_000  # messages, limit and offset together
MAILQ: Final = 20
HOT: Final = 20
_PAGE: Final = (100, 0)

Row = tuple[str, Size]


@command("active", who=Rank.VIEWER)
async def active(session: Session, threshold: int) -> Result:
    """List domains with more active mail than this: connections, active, delayed, sent.

    Sent are recipients for whom mail was taken since the domain has a queue: it is forgotten a
    minute after its last mail, at most. Mail to one gateway shares its connections: they count for
    none of its domains.
    """
    return await over(session, Choice(), lambda size: size.active > threshold)


@command("delayed", who=Rank.VIEWER)
async def delayed(session: Session, threshold: int) -> Result:
    """List domains with more delayed mail than this; columns as in active."""
    return await over(session, Choice(), lambda size: size.delayed > threshold)


@command("domain all", who=Rank.VIEWER)
async def domain_all(session: Session) -> Result:
    """List all domains which have mail or connections; columns as in active."""
    return await _summary(session)


@command("domains", who=Rank.VIEWER)
async def domains(session: Session) -> Result:
    """As domain all."""
    return await _summary(session)


async def _summary(session: Session) -> Result:
    rows, missing = await sizes(session, Choice())
    found = by_domain(rows)
    total = summed(found)
    last = f"Totals: C: {total.connections} A: {total.active} D: {total.delayed} S: {total.sent}"
    lines = ["Domain summary:", *(line_of(name, size) for name, size in found), last, *missing]
    return Said("\n".join(lines), plain_rows(found, total, missing))


async def over(session: Session, choice: Choice, wanted: Any) -> Result:
    """List the domains whose size is wanted, and the total of all."""
    rows, missing = await sizes(session, choice)
    every = by_domain(rows)
    found = [(name, size) for name, size in every if wanted(size)]
    total = summed(every)
    lines = [line_of(name, size) for name, size in found]
    last = f"{'Total:':>38}{_columns(total)}"
    return Said("\n".join([*lines, last, *missing]), plain_rows(found, total, missing))


def plain_rows(found: Sequence[Row], total: Size, missing: Sequence[str]) -> dict[str, Any]:
    return {
        "domains": [{"domain": name, **plain_size(size)} for name, size in found],
        "total": plain_size(total),
        "missing": missing,
    }


def plain_size(size: Size) -> dict[str, int]:
    return {
        "connections": size.connections,
        "active": size.active,
        "delayed": size.delayed,
        "sent": size.sent,
        "failed": size.failed,
    }


def line_of(name: str, size: Size) -> str:
    return f"Domain: {name:>30}{_columns(size)}"


def _columns(size: Size) -> str:
    return f"  C:{size.connections:3}  A:{size.active:7}  D:{size.delayed:6}  S:{size.sent:6}"


async def sizes(session: Session, choice: Choice) -> tuple[dict[str, Size], list[str]]:
    """Return the size of each queue, by group, binding and domain. Raises CommandError."""
    answers = await session.node.ask(queues.sizes(choice))
    table: Table[Size] = total_of(answers)
    return table.rows, answers.missing


def by_domain(rows: dict[str, Size]) -> list[Row]:
    found: dict[str, Size] = {}
    for key, size in rows.items():
        domain = key.rpartition(BETWEEN)[2]
        found[domain] = found[domain] + size if domain in found else size
    return sorted(found.items())


def summed(rows: Iterable[Row]) -> Size:
    total = Size()
    for _, size in rows:
        total += size
    return total


# Single queues.


@dataclass(slots=True)
class _Wanted:
    """What mailq is asked for."""

    domains: list[str] = field(default_factory=list)
    bindings: list[str] = field(default_factory=list)
    limit: int = MAILQ


@command("mailq", who=Rank.VIEWER)
async def mailq(
    session: Session,
    words: Annotated[Words, "[--domain | -d <name> ...] [--binding | -b <name> ...] [--limit <n>]"],
) -> Result:
    """List queues with how much is active and delayed, by group and binding, 20 of them."""
    wanted = _wanted(words)
    one = Choice(
        domain=wanted.domains[0] if len(wanted.domains) == 1 else "",
        binding=wanted.bindings[0] if len(wanted.bindings) == 1 else "",
    )
    rows, missing = await sizes(session, one)
    found = []
    for key, size in sorted(rows.items()):
        group, binding, domain = key.split(BETWEEN)
        if _among(domain, wanted.domains) and _among(binding, wanted.bindings):
            found.append((f"{group}/{binding}", domain, size))
    shown = found[: wanted.limit]
    lines = [f"{'Group/Binding':31}{'Domain':>27}{'AQ':>8}{'DQ':>8}", "-" * 74]
    lines += [f"{path:31}{name:>27}{s.active:8}{s.delayed:8}" for path, name, s in shown]
    if len(found) > len(shown):
        lines.append(f"{len(found) - len(shown)} more; --limit shows them")
    plain = {
        "queues": [{"binding": p, "domain": d, **plain_size(size)} for p, d, size in shown],
        "total": len(found),
        "missing": missing,
    }
    return Said("\n".join([*lines, *missing]), plain)


def _wanted(words: Sequence[str]) -> _Wanted:
    found, left = _Wanted(), [*words]
    while left:
        option = left.pop(0)
        if not left:
            raise CommandError(f"{option} has no value")
        value = left.pop(0)
        if option in {"--domain", "-d"}:
            found.domains.append(value)
        elif option in {"--binding", "-b"}:
            found.bindings.append(value)
        elif option in {"--limit", "-l"} and value.isdecimal():
            found.limit = int(value)
        else:
            raise CommandError(f"{option} {value} is not understood; see help mailq")
    return found


def _among(name: str, words: Sequence[str]) -> bool:
    # One of them was looked for by the workers, and may be a pattern.
    return len(words) <= 1 or name.lower() in {each.lower() for each in words}


@command("showqueue", who=Rank.VIEWER)
async def showqueue(
    session: Session,
    words: Annotated[Words, "[binding <name | all>] [filter ...] <domain> [limit,offset]"],
) -> Result:
    """List the messages of a queue, the oldest first: 100, or as many as are asked for.

    Without a binding the default one is meant. Filters: see fail all.
    """
    said = asked(words)
    binding = DEFAULT_BINDING
    if said.rest[:1] == ["binding"]:
        del said.rest[0]
        binding = known_binding(session, unless_all(said.word("the binding")))
    elif said.choice.binding:
        binding = ""
    choice = said.of(domain=unless_all(said.word("the domain")), binding=binding)
    limit, offset = _page(said.rest.pop(0)) if said.rest else _PAGE
    said.end()
    answers = await session.node.ask(mail.listed(choice, limit + offset), tell=session.note)
    page = total_of(answers)
    lines = []
    for each in page.items[offset:]:
        state = "delayed" if each.due else "active"
        created = each.ident >> 32
        lines.append(f"[{state}/{each.binding}] {printed(each.ident)} Created: {created}")
        lines.append(f"  From: <{each.sender}> To: <{each.recipient}>")
    plain = {
        "messages": [plain_of(each) for each in page.items[offset:]],
        "total": page.total,
        "missing": answers.missing,
    }
    return Said("\n".join([*lines, *answers.missing]), plain)


def _page(text: str) -> tuple[int, int]:
    limit, _, offset = text.partition(",")
    if not limit.isdecimal() or not (offset or "0").isdecimal():
        raise CommandError(f"{text} is no limit,offset")
    if int(limit) + int(offset or 0) > MOST_LISTED:
        raise CommandError(f"limit and offset are at most {MOST_LISTED} together; use a filter")
    return int(limit), int(offset or 0)


@command("hot_domains list", who=Rank.VIEWER)
async def hot_domains(session: Session) -> Result:
    """List the queues with the most connections, and the worker which has them: its loop."""
    found = await _hot(session)
    lines = [
        f"Hot domain: {name}\n\tEvent loop instance pointer: {worker}\n"
        f"\tThread ID (TID/PID): {pid}\n"
        for name, worker, pid in found
    ]
    return Said("\n".join(lines), _hot_plain(found))


@command("hot_domains list json", who=Rank.VIEWER)
async def hot_domains_json(session: Session) -> Result:
    """As hot_domains list, as JSON."""
    plain = _hot_plain(await _hot(session))
    return Said(msgspec.json.encode(plain).decode(), plain)


def _hot_plain(found: Sequence[tuple[str, str, int]]) -> list[dict[str, Any]]:
    return [{"domain": name, "tid": pid, "event_loop": worker} for name, worker, pid in found]


async def _hot(session: Session) -> list[tuple[str, str, int]]:
    answers = await session.node.ask(queues.sizes(Choice()))
    pids = {each.name: each.pid for each in session.node.members}
    found = [
        (size.connections, size.active, domain, worker)
        for worker, table in answers.each.items()
        for domain, size in by_domain(table.rows)
        if size.connections
    ]
    found.sort(reverse=True)
    return [(domain, worker, pids.get(worker, 0)) for _, _, domain, worker in found[:HOT]]


# What changes mail, but ends none.


@command("delay", who=Rank.OPERATOR)
async def delay(session: Session, words: Annotated[Words, "<seconds> <filter ...>"]) -> Result:
    """Let active mail wait for so many seconds; delayed mail stays as it is.

    It is no attempt. A filter is needed, see fail all; `--dry-run` says what would be.
    """
    said = asked(words)
    seconds = said.word("seconds")
    if not seconds.isdecimal() or not 0 < int(seconds) < 1 << 31:
        raise CommandError(f"{seconds} is no number of seconds above 0")
    said.end()
    known_binding(session, said.choice.binding)
    choice = said.of()
    if choice.everything:
        raise CommandError("a filter is missing; delay N --domain * is all mail")
    domain = choice.domain
    if said.dry_run:
        return await preview(session, choice, domain or ALL, "delayed", "active")

    def outcome(total: mail.Done) -> str:
        if domain and not total.entries:
            return f"No messages for {domain} found."
        return f"Delayed {total.entries} messages."

    return await done(session, mail.hold(choice, int(seconds)), outcome)


@command("reroute queue", who=Rank.OPERATOR)
async def reroute(
    session: Session, words: Annotated[Words, "[--dry-run] [filter ...] <from | all> <to>"]
) -> Result:
    """Queue mail of a domain, or all mail, under another domain: it goes to the hosts of that one.

    Recipients stay, and mail that comes in later goes where it always went; for that there is
    reroute_domain. Filters: see fail all.
    """
    said = asked(words)
    name, to = said.word("the domain it is in"), said.word("the domain it shall go to").lower()
    said.end()
    if any(each in to for each in "*?/ "):
        raise CommandError(f"{to} is no domain")
    choice = said.of(domain=unless_all(name))
    if said.dry_run:
        return await preview(session, choice, f"{name} -> {to}", "moved")
    return await done(
        session,
        mail.reroute(choice, to),
        lambda total: f"Moved {total.moved} messages from '{name}' to '{to}'",
    )


@command("rebind", who=Rank.OPERATOR)
async def rebind(
    session: Session, words: Annotated[Words, "[--dry-run] [filter ...] <binding | all> [domain]"]
) -> Result:
    """Ask anew by which binding queued mail goes, as when it came in.

    Mail of a binding group is dealt among the bindings which the group has now; what policy gave a
    single binding keeps it, unless that is gone. Filters: see fail all.
    """
    said = asked(words)
    name = said.word("the binding")
    binding = unless_all(name)
    domain = said.rest.pop(0) if said.rest else ""
    said.end()
    choice = said.of(binding=known_binding(session, binding), domain=domain)
    if said.dry_run:
        return await preview(session, choice, name, "rebound")
    asking = mail.rebind(choice)
    return await done(session, asking, lambda total: f"Rebound {total.entries} messages.")
