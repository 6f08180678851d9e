"""`angarium dmarc`: the policy which holds for a domain, and reports which others sent."""

import asyncio
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import click

from angarium.core.errors import Error
from angarium.mail.auth.asking import NameTrouble
from angarium.mail.auth.dmarc.evaluate import Proven, Result, discover, evaluate
from angarium.mail.auth.dmarc.organisation import organisation
from angarium.mail.format.draft import Draft
from angarium.mail.format.tree import tree
from angarium.mail.report.dmarc.aggregate import Report
from angarium.mail.report.dmarc.received import ReportError, attached, read
from angarium.modules.sign.daily import published_of
from angarium.run.names import asks_names, names

FAILED, WRONG_USAGE = 1, 2
SECONDS: Final = 20.0


@click.group("dmarc", short_help="show the policy of a domain, and reports of DMARC")
def command() -> None:
    """Show what domains want done with mail they do not stand behind, and reports about it."""


@command.command("policy")
@click.argument("domain")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@asks_names
def policy(domain: str, zone: Path | None, servers: Sequence[str], *, as_json: bool) -> None:
    """Show which record holds for a domain, and what it wants.

    The exit code is 0 if there is one, 1 if there is none or nobody can tell.
    """
    name = domain.lower().removesuffix(".")

    async def answered() -> dict[str, Any]:
        async with names(zone, servers) as ask, asyncio.timeout(SECONDS):
            published, record = await discover(ask, name)
            found = await evaluate(ask, name, Proven())
            if record is None or found.result is Result.TEMPERROR:
                return {}
            return {
                "domain": name,
                "organisation": organisation(name),
                "policy": str(found.policy),
                "published": asdict(published_of(published, record)),
                "reports": [each.uri for each in record.aggregate],
                "failures": [each.uri for each in record.failure],
            }

    try:
        shown = asyncio.run(answered())
    except (NameTrouble, TimeoutError):
        click.echo(f"DNS does not answer about {name}", err=True)
        sys.exit(FAILED)
    except (Error, OSError) as error:
        click.echo(str(error), err=True)
        sys.exit(WRONG_USAGE)
    if as_json:
        click.echo(json.dumps(shown))
    elif shown:
        of = shown["published"]["domain"]
        click.echo(f"{name}: {shown['policy']}, by the record of {of}")
        for what in ("reports", "failures"):
            for uri in shown[what]:
                click.echo(f"{what} go to {uri}")
    else:
        click.echo(f"{name}: no record")
    sys.exit(0 if shown else FAILED)


@command.command("report")
@click.argument("files", nargs=-1, required=True, type=click.File("rb"))
@click.option("--json", "as_json", is_flag=True, help="Print each report as a line of JSON.")
def report(files: Sequence[Any], *, as_json: bool) -> None:
    """Show aggregate reports: XML, packed by gzip or zip, or the message with one of them.

    The exit code is 1 if one of the files is none.
    """
    good = True
    for file in files:
        octets = file.read()
        try:
            found = read(_inside(octets))
        except ReportError as error:
            click.echo(f"{file.name}: {error}", err=True)
            good = False
            continue
        if as_json:
            click.echo(json.dumps(asdict(found)))
        else:
            _print(found)
    sys.exit(0 if good else FAILED)


def _inside(octets: bytes) -> bytes:
    """Return the report in a message, or what is no message as it is."""
    if octets.lstrip()[:1] == b"<" or octets.startswith((b"PK", b"\x1f\x8b")):
        return octets
    lines = octets.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    return attached(tree(Draft(lines))) or octets


def _print(found: Report) -> None:
    began, ended = (
        time.strftime("%Y-%m-%d %H:%M", time.gmtime(at)) for at in (found.begin, found.end)
    )
    total = sum(count for _, count in found.rows)
    click.echo(f"{found.published.domain} by {found.organisation}, {began} to {ended}: {total}")
    for row, count in found.rows:
        by = " ".join([f"{each.domain}={each.result}" for each in row.signatures])
        click.echo(
            f"{count:9} {row.source_ip:39} {row.disposition:10} dkim={row.dkim} spf={row.spf}"
            f" from={row.header_from} {by}".rstrip()
        )
