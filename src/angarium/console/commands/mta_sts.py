"""Policies of MTA-STS: which domains have one, what it says, fetch it again."""

from collections.abc import Iterator

import msgspec

from angarium.console.access import Rank
from angarium.console.command import command
from angarium.console.one import whole
from angarium.console.questions import tlspolicy
from angarium.console.questions.tlspolicy import Sts
from angarium.console.result import Result, Said
from angarium.console.session import Session


@command("mta_sts list all", who=Rank.VIEWER)
async def list_all(session: Session) -> Result:
    """List the domains which have a policy of MTA-STS, of those mail was sent to."""
    answers = await session.node.ask(tlspolicy.domains())
    names = answers.total.names if answers.total is not None else []
    lines = [*names, f"Total domains: {len(names)}"]
    return Said("\n".join([*lines, *answers.missing]), {"domains": names})


@command("mta_sts show domain", who=Rank.VIEWER)
async def show_domain(session: Session, domain: str) -> Result:
    """Print the record and the policy of a domain, as they are known; nobody is asked."""
    name = domain.lower()
    answers = await session.node.ask(tlspolicy.known(name))
    found = answers.total if answers.total is not None else Sts()
    lines = list(sts_lines(name, found)) or [f"Domain '{name}' has no MTA-STS policy"]
    plain = {"domain": name, **msgspec.to_builtins(found)}
    return Said("\n".join([*lines, *answers.missing]), plain)


def sts_lines(name: str, found: Sts) -> Iterator[str]:
    """Yield what is said of the policy of a domain; nothing if it has none."""
    if not (found.record or found.id):
        return
    yield f"Domain '{name}' has MTA-STS TXT and a TTL of {found.ttl:.0f} seconds"
    yield f"        id: {found.record or 'none'}"
    if not found.id:
        yield "        no policy could be fetched"
        return
    if found.id != found.record:
        yield f"        the policy is of id {found.id}, the last that could be fetched"
    yield (f"        max_age: {found.max_age} seconds; refresh in {found.renewed_in:.0f} seconds")
    yield f"        mode: {found.mode}"
    yield "        mxlist:"
    yield from (f"               {host}" for host in found.hosts)


@command("mta_sts refresh policy", who=Rank.OPERATOR)
async def refresh_policy(session: Session, domain: str) -> Result:
    """Fetch the policy of a domain now, whatever its record says."""
    name = domain.lower()
    found = await whole(session, tlspolicy.fetched(name))
    # The others find it on the disk.
    await session.node.ask(tlspolicy.forgotten(name))
    plain = {"domain": name, **msgspec.to_builtins(found)}
    return Said(f"MTA-STS policy for {name} refreshed.", plain)
