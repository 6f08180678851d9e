"""`explain`: why mail waits, where it goes, what has happened to it, who is connected."""

import asyncio
import time
from collections.abc import Iterator, Sequence
from typing import Any, Final

import msgspec

from angarium.config import spelling
from angarium.config.option import OPTIONS
from angarium.config.path import words
from angarium.config.resolve import Configuration
from angarium.config.scope import Scope
from angarium.config.where import Chain
from angarium.console.access import Rank
from angarium.console.command import command
from angarium.console.errors import CommandError
from angarium.console.questions import history, reasons
from angarium.console.questions.history import Happened, clock
from angarium.console.questions.reasons import Connection, Letter, Queue, Reason, Seen
from angarium.console.result import Result, Said
from angarium.console.session import Session
from angarium.core import ident as idents
from angarium.net.options.tls import OutboundTls
from angarium.net.tlspolicy.demand import STS, TLSA

SHOWN: Final = 20  # recipients of a message
HISTORY: Final = 50  # events of a message, the last ones
# What a domain wants of TLS, by the kind of its policy.
_DEMANDS: Final = {
    STS: "MTA-STS (RFC 8461) holds for it: `enforce` sends by TLS only, its certificate checked:",
    TLSA: "DANE (RFC 7672) holds for it: TLS only, with a certificate that these name, if usable:",
}
# A queue with one of these does send, or has nothing that waits for anything else.
_NO_OBSTACLE: Final = frozenset({"sending", "opening", "enough"})


def _ident(text: str) -> int:
    found = idents.parse(text)
    if found is None:
        raise CommandError(f"{text} is no id; write it as logs do: 91/6D-07914-E67BC044")
    return found


def when(at: float, now: float) -> str:
    """Return a time, and how far off it is."""
    if not at:
        return "not known"
    off = at - now
    return f"{clock(at)} (in {off:.0f} s)" if off > 0 else f"{clock(at)} ({-off:.0f} s ago)"


# A queue.


@command("explain queue", who=Rank.VIEWER)
async def explain_queue(session: Session, binding: str, domain: str) -> Result:
    """Say what a queue has, why it does not send right now, and what happens next."""
    name, now = domain.lower(), time.time()
    answers, due = await asyncio.gather(
        session.node.ask(reasons.queue(binding, name)), session.node.ask(reasons.due(binding, name))
    )
    found = dict(answers.total.rows) if answers.total else {}
    if not found and not answers.missing:
        raise CommandError(f"there is no binding {binding}")
    first = {key: each.at for key, each in (due.total.rows if due.total else {}).items()}
    lines, plain = list[str](), dict[str, Any]()
    for key, each in sorted(found.items()):
        lines += [f"Queue {key} {name}", *queue_lines(each, first.get(key, 0.0), now)]
        plain[key] = {**msgspec.to_builtins(each), "first_due": first.get(key, 0.0)}
    plain = {"domain": name, "queues": plain, "missing": answers.missing}
    return Said("\n".join([*lines, *answers.missing]), plain)


def queue_lines(queue: Queue, first: float, now: float) -> Iterator[str]:
    """Yield what is said of a queue."""
    yield (
        f"  waiting {queue.active}, delayed {queue.delayed}, being delivered {queue.in_flight};"
        f" connections {queue.connections} ({queue.resting} rest, {queue.opening} are opened)"
    )
    if not (queue.active or queue.delayed or queue.in_flight):
        yield "  It is empty."
    for line in reason_lines(queue.reasons, now):
        yield f"  {line}"
    if first:
        yield f"  First delayed mail is due: {when(first, now)}"
    if queue.failures:
        yield f"  Connections which failed in sequence: {queue.failures}"
    yield from (f"  Limit: {reasons.limit_name(e.key)}, {e.used} of {e.most} in use"
                for e in queue.limits if e.most >= 0)  # fmt: skip
    if queue.rate:
        yield f"  Rate: outbound_throttle_messages {queue.rate}"
    yield from host_lines(queue.hosts, queue.lookup, now)


def reason_lines(found: Sequence[Reason], now: float) -> Iterator[str]:
    """Yield the reasons for which mail waits, what holds back most first."""
    obstacles = [each for each in found if each.code not in _NO_OBSTACLE]
    for each in obstacles:
        until = f", until {when(each.until, now)}" if each.until else ""
        yield f"Waits: {each.text}{until}"
    for each in found:
        if each.code in _NO_OBSTACLE:
            until = f"; one more is tried {when(each.until, now)}" if each.until else ""
            yield f"{each.text[:1].upper()}{each.text[1:]}{until}"


def host_lines(hosts: Sequence[Seen], lookup: str, now: float) -> Iterator[str]:
    """Yield where mail goes."""
    if lookup:
        yield f"  No hosts: {lookup}"
    for each in sorted(hosts, key=lambda one: (one.preference, one.host, one.address)):
        address = f"[{each.address}]:{each.port}"
        state = (
            f"left alone until {when(each.until, now)}, it failed" if each.until else "may be tried"
        )
        open_now = f", {each.connections} connections" if each.connections else ""
        vouched = "; DNSSEC vouches for it" if each.secure else ""
        yield f"  Host: {each.preference} {each.host} {address} {state}{open_now}{vouched}"
        if each.bare:
            yield f"    It is spoken to in clear until {when(each.bare_until, now)}: {each.bare}"
        if each.demand:
            kind, *text = each.demand
            yield f"    {_DEMANDS.get(kind, kind)}"
            yield from (f"      {line}" for line in text)


# A message.


@command("explain message", who=Rank.VIEWER)
async def explain_message(session: Session, id: str) -> Result:
    """Say what has happened to a message, where it is, what it waits for, and when that ends.

    The id is that of a recipient's entry, or of the content which several recipients share.
    """
    ident, now = _ident(id), time.time()
    life, answers = await asyncio.gather(
        session.node.ask(history.life(ident)), session.node.ask(reasons.letter([ident]))
    )
    events = list(life.total.page.items) if life.total else []
    letters = list(answers.total.found) if answers.total else []
    others = {each.id for each in events if each.id} - {each.id for each in letters}
    if others:
        more = await session.node.ask(reasons.letter(sorted(others)[:SHOWN]))
        letters += more.total.found if more.total else []
    missing = [*answers.missing, *life.missing]
    if not events and not letters and not missing:
        raise CommandError(
            f"{id} is in no queue, and the events of it are gone or there never were any; "
            "mainlog may know it"
        )
    lines = [f"Message {id}", *_events(events, life.total is None or life.total.whole)]
    lines += [text for each in letters for text in _letter(each, now)]
    if not letters and not missing:
        lines.append("It is in no queue any more.")
    plain = {
        "id": id,
        "events": msgspec.to_builtins(events),
        "entries": [{**msgspec.to_builtins(e), "id": idents.printed(e.id)} for e in letters],
        "missing": missing,
    }
    return Said("\n".join([*lines, *missing]), plain)


def _events(events: Sequence[Happened], whole: bool) -> Iterator[str]:
    if len(events) > HISTORY:
        yield f"  ({len(events) - HISTORY} earlier events)"
    yield from (f"  {history.line(each)}" for each in events[-HISTORY:])
    if not whole:
        yield "  (not all events were read, there are too many)"


def _letter(each: Letter, now: float) -> Iterator[str]:
    """Yield what is said of a recipient's entry."""
    yield f"{idents.printed(each.id)} <{each.rcpt}> is {each.state}: {each.binding} {each.domain}"
    if each.remote:
        yield f"  Attempt {each.attempts + 1} is under way at {each.remote}: {each.stage}"
    elif each.state == "delayed":
        yield f"  Attempt {each.attempts + 1} is due {when(each.due, now)}"
    elif each.state == "put aside":
        yield "  It could not be read or worked on: see paniclog, and `angarium spool`"
    elif each.ahead >= 0:
        yield f"  {each.ahead} are before it in its queue"
    if each.state in ("delayed", "waiting"):
        yield from (f"  {line}" for line in reason_lines(_obstacles(each), now))
        if each.state == "waiting":
            yield f"  Expected: {_expected(each, now)}"
    if each.expires:
        yield f"  It is given up {when(each.expires, now)} (message_expiration)"


def _obstacles(each: Letter) -> list[Reason]:
    """Return what is in the way of this entry: a delayed one waits for its time before all."""
    return [one for one in each.queue.reasons if one.code != "delayed"]


def _expected(each: Letter, now: float) -> str:
    """Return when an entry which is due may be tried."""
    obstacles = [one for one in _obstacles(each) if one.code not in _NO_OBSTACLE]
    if not obstacles:
        return "at once, when those before it are done"
    known = [one.until for one in obstacles if one.until]
    if len(known) < len(obstacles):
        return "when what it waits for ends; nobody knows when that is"
    return f"not before {when(max(known), now)}"


# A domain.

_TLS: Final = {
    "no": "none (tls = no)",
    "ifavailable": "where it is offered (tls = ifavailable)",
    "required": "always, or mail waits (tls = required)",
}
_VERIFY: Final = {
    "no": "is not looked at (tls_verify = no)",
    "optional": "is looked at and counts for nothing (tls_verify = optional)",
    "ca": "has to be signed by an authority of tls_ca (tls_verify = ca)",
    "host": "has to be signed by one of tls_ca, in the name of the host (tls_verify = host)",
}


@command("explain domain", who=Rank.VIEWER)
async def explain_domain(session: Session, domain: str, binding: str = "") -> Result:
    """Say where mail for a domain goes: hosts, routing, TLS, and which options hold and why.

    Through one binding, or the default one.
    """
    conf, name, now = session.server.live.configuration, domain.lower(), time.time()
    wanted = binding or "default"
    keys = [each for each in conf.bindings() if wanted in (each[1], "/".join(each))]
    if not keys:
        raise CommandError(f"there is no binding {binding}")
    group, through = keys[0]
    answers = await session.node.ask(reasons.domain(group, through, name))
    if answers.total is None:
        raise CommandError("no worker answers: " + "; ".join(answers.missing))
    found = answers.total
    lines = [f"Domain {name} through {group}/{through}", f"  Mail goes {found.how}."]
    lines += [
        f"  {words} {target}"
        for words, target in (
            ("All its mail is queued as (reroute_domain)", found.queued_as),
            ("What fails at first is queued as (delayed_reroute_domain)", found.delayed_as),
            ("Its servers say to queue it as (rollup_mx)", found.rolled_up_to),
        )
        if target
    ]
    lines += host_lines(found.hosts, found.lookup, now)
    terms = conf.at(OutboundTls, group=group, binding=through, domain=name)
    lines.append(f"  TLS, where a host demands nothing else: {_TLS[terms.tls]};")
    lines.append(f"    its certificate: {_VERIFY[terms.tls_verify]}.")
    options = await session.server.aside(options_of, conf, group, through, name)
    lines += ["  Options which are set:"] if options else ["  No option is set: defaults hold."]
    lines += [f"    {name} = {value}  ({place})" for name, value, place in options]
    plain = {
        "domain": name, "group": group, "binding": through, **msgspec.to_builtins(found),
        "tls": terms.tls, "tls_verify": terms.tls_verify,
        "options": [{"option": n, "value": v, "set_in": p} for n, v, p in options],
        "missing": answers.missing,
    }  # fmt: skip
    return Said("\n".join([*lines, *answers.missing]), plain)


def options_of(
    conf: Configuration, group: str, binding: str, domain: str
) -> list[tuple[str, str, str]]:
    """Return the options which are set for mail of a queue: name, value, and where that is."""
    found = []
    chain = Chain(conf.outbound(group, binding, domain))
    for declared in OPTIONS.values():
        winner = None if declared.stanza else chain.winner(declared)
        if winner is None or Scope.DOMAIN not in declared.scopes:
            continue
        value = spelling.spelled(declared, winner.values[declared.name])
        found.append((declared.name, value, words(winner) or "global"))
    return sorted(found)


# A connection.


@command("explain connection", who=Rank.VIEWER)
async def explain_connection(session: Session, id: str) -> Result:
    """Say what a connection does, of a client or to a host, and what it is counted as."""
    answers = await session.node.ask(reasons.connection(_ident(id)))
    found = answers.total.found if answers.total else []
    if not found and not answers.missing:
        raise CommandError(f"there is no connection {id} any more")
    lines = [text for each in found for text in _connection(each)]
    plain = {"connections": msgspec.to_builtins(found), "missing": answers.missing}
    return Said("\n".join([*lines, *answers.missing]), plain)


def _connection(each: Connection) -> Iterator[str]:
    where = "from client" if each.way == "in" else "to host"
    yield f"Connection {idents.printed(each.id)} {where} {each.peer}, for {each.seconds:.0f} s"
    yield f"  State: {each.state}"
    if each.way == "in":
        return
    yield f"  Queue: {each.group}/{each.binding} {each.domain}; {each.detail}"
    yield f"  Transactions: {each.messages}, recipients named: {each.recipients}"
    if each.under_way:
        yield f"  Under way: {', '.join(map(idents.printed, each.under_way[:SHOWN]))}"
    if each.holds:
        yield f"  Counted in: {', '.join(each.holds)}"


@command("explain intake", who=Rank.VIEWER)
async def explain_intake(session: Session) -> Result:
    """Say whether each worker takes mail in, and why not."""
    answers = await session.node.ask(reasons.intake())
    lines, plain = [], {}
    for name, each in sorted((answers.total.rows if answers.total else {}).items()):
        state = "; ".join(each.refusals) or "it takes mail in"
        lines.append(f"{name}: {state} ({each.sessions} clients; memory: {each.memory})")
        plain[name] = msgspec.to_builtins(each)
    return Said("\n".join([*lines, *answers.missing]), {**plain, "missing": answers.missing})
