"""DNS: what the caches of the workers have, and what they are to ask."""

from typing import Final

from angarium.console.access import Rank
from angarium.console.command import command
from angarium.console.errors import CommandError
from angarium.console.questions import names, numbers
from angarium.console.result import Result, Said
from angarium.console.session import Session
from angarium.wire import dns as wire

# X and X_AAAA are how Momentum asks for the addresses of a mail server.
TYPES: Final = {
    **{each: wire.TYPES[each] for each in ("A", "AAAA", "CNAME", "MX", "PTR", "TXT")},
    "X": wire.A,
    "X_AAAA": wire.AAAA,
}
HELD: Final = 1000  # answers which are listed


def _type(word: str) -> int:
    found = TYPES.get(word.upper())
    if found is None:
        raise CommandError(f"{word} is no type; write one of {', '.join(sorted(TYPES))}")
    return found


@command("dns_cache lookup", who=Rank.VIEWER)
async def lookup(session: Session, record: str, type: str) -> Result:
    """Print what the cache has of a name; nobody is asked."""
    answers = await session.node.ask(names.kept(record, _type(type)))
    found = answers.total
    if found is None or not found.found:
        text = "Cached result not found, try a submit."
        return Said("\n".join([text, *answers.missing]), {"found": False})
    kind = "AAAA" if type.upper() == "X_AAAA" else type.upper().removeprefix("X") or "A"
    lines = [";; QUESTION SECTION:", f";{record}\t\tIN\t{kind}", "", ";; ANSWER SECTION:"]
    lines += [f"{record}\t\t{found.ttl:.0f}\tIN\t{kind}\t{each}" for each in found.records]
    if not found.records:
        lines.append(f";; {found.status}, for {found.ttl:.0f} s")
    if found.stale:
        lines.append(";; this is over; the name servers have not answered since")
    plain = {
        "found": True, "name": record, "type": kind, "status": found.status, "ttl": found.ttl,
        "records": found.records, "stale": found.stale, "authentic": found.authentic,
        "workers": sorted(name for name, each in answers.each.items() if each.found),
    }  # fmt: skip
    return Said("\n".join([*lines, *answers.missing]), plain)


@command("dns_cache submit", who=Rank.VIEWER)
async def submit(session: Session, record: str, type: str) -> Result:
    """Ask for records of a name; `dns_cache lookup` shows the answer when it is there."""
    answers = await session.node.ask(names.submitted(record, _type(type)))
    return Said("\n".join(["Submitted", *answers.missing]), {"submitted": record, "type": type})


@command("dns_cache stats", who=Rank.VIEWER)
async def stats(session: Session) -> Result:
    """Print what was asked of name servers, what they answered, and what the cache is worth."""
    answers = await session.node.ask(numbers.resolver())
    if answers.total is None:
        raise CommandError("no worker answers: " + "; ".join(answers.missing))
    counts = answers.total.values

    def of(name: str) -> int:
        return int(counts.get(name, 0))

    lookups, hits = of("cache.lookups"), of("cache.hits")
    rate = 100 * hits / lookups if lookups else 0.0
    queries = {kind: of(f"queries.{kind}") for kind in ("TXT", "PTR", "MX", "A", "AAAA")}
    lines = ["DNS Queries:", *(f"{kind:>11}: {count}" for kind, count in queries.items())]
    lines += [
        "",
        "DNS responses:",
        f"{'Total':>11}: {of('responses')}",
        f"{'Bad':>11}: {of('bad')}",
    ]
    lines += ["", "DNS cache:", f"{'Lookups':>11}: {lookups}", f"{'Hit Rate':>11}: {rate:.4f}%"]
    lines.append(f"{'Entries':>11}: {of('entries')} of {of('capacity')}")
    plain = {
        "queries": queries, "responses": of("responses"), "bad": of("bad"), "lookups": lookups,
        "hits": hits, "hit_rate": rate, "entries": of("entries"), "capacity": of("capacity"),
        "stale": of("cache.stale"), "pending": of("pending"), "missing": answers.missing,
    }  # fmt: skip
    return Said("\n".join([*lines, *answers.missing]), plain)


@command("dns_cache refcnts", who=Rank.VIEWER)
async def refcnts(session: Session) -> Result:
    """List what the caches hold: how many workers have it, the name, how long it lasts."""
    answers = await session.node.ask(names.held(HELD))
    found: dict[tuple[str, str], list[int]] = {}
    for page in answers.each.values():
        for each in page.items:
            found.setdefault((each.name, each.type), []).append(each.ttl)
    rows = sorted(found.items())[:HELD]
    lines = [f"[{len(ttls):3}] {name} [{max(ttls)}s]\n      {kind}" for (name, kind), ttls in rows]
    more = (answers.total.more if answers.total else 0) + len(found) - len(rows)
    if more:
        lines.append(f"and {more} more; dns_cache lookup asks for one")
    plain = [
        {"name": name, "type": kind, "workers": len(ttls), "ttl": max(ttls)}
        for (name, kind), ttls in rows
    ]
    return Said("\n".join([*lines, *answers.missing]), plain)


@command("dig", who=Rank.VIEWER)
async def dig(session: Session, domain: str) -> Result:
    """Ask for the mail servers of a domain; `explain domain` shows what is known then."""
    answers = await session.node.ask(names.submitted(domain, wire.MX))
    return Said("\n".join(["submitted", *answers.missing]), {"submitted": domain})


@command("refresh domain", who=Rank.OPERATOR)
async def refresh(session: Session, domain: str) -> Result:
    """Ask anew for the mail servers of a domain, or of all whose are known (`all`).

    What is known stays in use until the answer is there.
    """
    name = "" if domain.lower() == "all" else domain
    answers = await session.node.ask(names.refreshed(name))
    asked = int(answers.total.values["refreshed"]) if answers.total else 0
    return Said("\n".join(answers.missing), {"refreshed": asked, "missing": answers.missing})
