"""`outbound_audit`: what became of mail for each domain over time.

Where there are several instances a command is for all of them.
"""

from typing import Annotated, Any, Final

from angarium.console.access import Rank
from angarium.console.command import command
from angarium.console.errors import CommandError
from angarium.console.one import whole
from angarium.console.questions import outcomes
from angarium.console.questions.outcomes import ALL, OutcomeRow
from angarium.console.result import Result, Said
from angarium.console.session import Session

MOST: Final = 2_000  # domains of one answer


@command("outbound_audit show domain", who=Rank.VIEWER)
async def show_domain(session: Session, domain: str) -> Result:
    """Print what became of mail for a domain, by window; 0 is that of now.

    r: messages received; d: recipients delivered; dt: seconds a delivery took, on average; t and
    f: attempts which failed for now, and for good.
    """
    return _said(await whole(session, outcomes.outcomes(domain.lower(), 1)))


@command("outbound_audit show all", who=Rank.VIEWER)
async def show_all(session: Session) -> Result:
    """Print it for all domains for which it is counted."""
    return _said(await whole(session, outcomes.outcomes("", MOST)))


@command("outbound_audit show global", who=Rank.VIEWER)
async def show_global(session: Session) -> Result:
    """Print it for all mail together."""
    return _said(await whole(session, outcomes.outcomes(ALL, 1)))


@command("outbound_audit show domains", who=Rank.VIEWER)
async def show_domains(session: Session) -> Result:
    """List the domains for which something was counted."""
    found = await whole(session, outcomes.domains(MOST))
    return Said("\n".join(found), found)


@command("outbound_audit clear all", who=Rank.OPERATOR)
async def clear_all(session: Session) -> Result:
    """Forget all that was counted."""
    await whole(session, outcomes.clear(""))
    return Said("", {"cleared": "all"})


@command("outbound_audit clear domain", who=Rank.OPERATOR)
async def clear_domain(session: Session, domain: str) -> Result:
    """Forget what was counted for a domain."""
    await whole(session, outcomes.clear(domain.lower()))
    return Said("", {"cleared": domain})


@command("outbound_audit domain_list", who=Rank.OPERATOR)
async def domain_list(
    session: Session, action: Annotated[str, "{add|delete}"], domain: str
) -> Result:
    """Count for a domain from now on, whatever the options say, or not any more."""
    if action == "add":
        await whole(session, outcomes.change("add", domain))
    elif action == "delete":
        await whole(session, outcomes.change("delete", domain))
    else:
        raise CommandError("write outbound_audit domain_list {add|delete} <domain>")
    return Said("", {"domain": domain, "action": action})


def _said(rows: list[OutcomeRow]) -> Said:
    lines = []
    plain: list[dict[str, Any]] = []
    for each in rows:
        domain = "global" if each.domain == ALL else each.domain
        window = f"{each.interval}/{each.window}"
        lines.append(
            f"{domain} {window}: r: {each.received} d: {each.delivered} dt: {each.seconds:.2f}"
            f" t: {each.transient} f: {each.permanent}"
        )
        plain.append(
            {"domain": domain, "window": window, "received": each.received,
             "delivered": each.delivered, "seconds": each.seconds, "transient": each.transient,
             "permanent": each.permanent}
        )  # fmt: skip
    return Said("\n".join(lines), plain)
