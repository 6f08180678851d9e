"""`angarium spf`: what a domain says about a host, by the engine which checks mail."""

import asyncio
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import click

from angarium.core.errors import Error
from angarium.mail.auth import asking
from angarium.mail.auth.asking import Ask, NameTrouble, NoSuchName
from angarium.mail.auth.spf.check import LIMITS, check_host
from angarium.mail.auth.spf.client import UNKNOWN, Client, client_address
from angarium.mail.auth.spf.macros import SyntaxFault
from angarium.mail.auth.spf.record import Result, chosen, parsed
from angarium.run.names import asks_names, names

FAILED, WRONG_USAGE = 1, 2
SECONDS: Final = 20.0


@click.command("spf", short_help="ask what a domain says about a host, by SPF")
@click.argument("domain")
@click.option("--ip", help="The address of the host; without it the record is shown and checked.")
@click.option("--helo", default="", help="What the host calls itself; the domain, if left out.")
@click.option("--mail-from", "sender", help="The sender; postmaster of the domain, if left out.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@asks_names
def command(
    domain: str,
    ip: str | None,
    helo: str,
    sender: str | None,
    zone: Path | None,
    servers: Sequence[str],
    *,
    as_json: bool,
) -> None:
    """Check a host as mail from it would be checked, or the record of a domain.

    The exit code is 0 for pass and for a record without faults, 1 for all else, 2 for wrong usage.
    """
    try:
        address = client_address(ip) if ip else None
    except ValueError:
        click.echo(f"{ip} is no address of IP", err=True)
        sys.exit(WRONG_USAGE)
    given = f"postmaster@{domain}" if sender is None else sender
    client = None
    if address is not None:
        client = Client(address, helo or domain, given, UNKNOWN, time.time())

    async def answered() -> tuple[dict[str, object], bool]:
        async with names(zone, servers) as ask, asyncio.timeout(SECONDS):
            return await (_published(ask, domain) if client is None else _checked(ask, client))

    try:
        shown, good = asyncio.run(answered())
    except (Error, OSError) as error:
        click.echo(str(error), err=True)
        sys.exit(WRONG_USAGE)
    except TimeoutError:
        shown, good = {"result": "temperror", "reason": "DNS did not answer in time"}, False
    if as_json:
        click.echo(json.dumps(shown))
    else:
        width = max(map(len, shown))
        for name, value in shown.items():
            if value != "":
                click.echo(f"{name:{width}}  {value}")
    sys.exit(0 if good else FAILED)


async def _checked(ask: Ask, client: Client) -> tuple[dict[str, object], bool]:
    finding = await check_host(ask, client)
    shown: dict[str, object] = {
        "result": str(finding.result),
        "domain": finding.domain,
        "identity": finding.identity,
        "reason": finding.reason,
        "mechanism": finding.mechanism,
        "explanation": finding.explanation,
        "terms": finding.terms,
        "voids": finding.voids,
    }
    return shown, finding.result is Result.PASS


async def _published(ask: Ask, domain: str) -> tuple[dict[str, object], bool]:
    """Return the record, and its faults; mechanisms which ask DNS are counted as they stand there,
    those of includes left out.
    """
    shown: dict[str, object] = {"domain": domain, "record": "", "fault": "", "terms": 0}
    try:
        terms = chosen(await asking.texts(ask, domain))
    except NoSuchName:
        shown["fault"] = "the domain does not exist"
        return shown, False
    except NameTrouble:
        shown["fault"] = "DNS does not answer"
        return shown, False
    except SyntaxFault as fault:
        shown["fault"] = fault.message
        return shown, False
    if terms is None:
        shown["fault"] = "the domain has no record"
        return shown, False
    shown["record"] = "v=spf1" + terms.decode("ascii", "backslashreplace")
    try:
        record = parsed(terms)
    except SyntaxFault as fault:
        shown["fault"] = fault.message
        return shown, False
    asks = [each for each in record.mechanisms if each.name not in ("all", "ip4", "ip6")]
    shown["terms"] = count = len(asks) + (record.redirect is not None)
    if count > LIMITS.terms:
        shown["fault"] = f"more than {LIMITS.terms} mechanisms ask DNS"
    return shown, not shown["fault"]
