"""`angarium dkim`: keys which sign, and their records in DNS."""

import asyncio
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import click

from angarium.core.errors import Error
from angarium.mail.auth.keys import PrivateKey, made
from angarium.mail.auth.publishing import Fault, faults, place, record_of, zone_line
from angarium.mail.auth.tags import TagError, name_of
from angarium.run.keyfiles import exposed, read_key, write_key
from angarium.run.names import asks_names
from angarium.run.nameservers import told
from angarium.run.programs.config_files import ending
from angarium.run.programs.dkim_rotate import command as rotate
from angarium.run.programs.dkim_table import command as table

FAILED, WRONG_USAGE = 1, 2
SECONDS: Final = 60.0  # for all questions to DNS
KINDS: Final = click.Choice(("rsa", "ed25519"))
SIZES: Final = ("1024", "2048", "4096")
SHORT: Final = "a key of 1024 bits is the shortest receivers take; 2048 is what RFC 8301 wants"


class Name(click.ParamType[str]):
    """A name of DNS."""

    name = "name"

    def convert(self, value: Any, param: Any, ctx: Any) -> str:
        try:
            return name_of(str(value).encode("utf-8", "surrogateescape"), "d")
        except TagError:
            self.fail(f"{value} is no name for DNS", param, ctx)


NAME: Final = Name()
KEY: Final = click.Path(path_type=Path, dir_okay=False)


@click.group("dkim", short_help="make, check and exchange keys of DKIM")
def command() -> None:
    """Make keys for signatures, check their records in DNS, and put new ones in their place."""


command.add_command(rotate)
command.add_command(table)


@command.command("keygen")
@click.option(
    "--out", required=True, type=KEY, help="The file which is made; for us and the server."
)
@click.option("--kind", type=KINDS, default="rsa", show_default=True, help="Of the key.")
@click.option(
    "--bits", type=click.Choice(SIZES), default="2048", show_default=True, help="Of a key of RSA."
)
@click.option("--domain", type=NAME, help="Who signs; with --selector its line for the zone.")
@click.option("--selector", type=NAME, help="Under which name the key is to be found.")
def keygen(out: Path, kind: str, bits: str, domain: str | None, selector: str | None) -> None:
    """Make a private key, and print the record which DNS must have.

    A file that is there is not replaced. Receivers which do not know Ed25519 (RFC 8463) pass such
    signatures over: sign with RSA, too. Exit code 0 if it was made, 1 if not.
    """
    with ending():
        key = made(kind, int(bits))
        _or_fail(write_key, out, key)
    if key.kind == "rsa" and key.bits < 2048:
        click.echo(SHORT, err=True)
    _print(key, domain, selector)


@command.command("record")
@click.option("--key", "path", required=True, type=KEY, help="File of the private key.")
@click.option("--domain", type=NAME, help="Who signs; with --selector the line for the zone.")
@click.option("--selector", type=NAME, help="Under which name the key is to be found.")
@click.option("--testing", is_flag=True, help="Say that the domain tests DKIM (t=y).")
@click.option("--strict", is_flag=True, help="Say that the key is not for subdomains (t=s).")
def record(
    path: Path, domain: str | None, selector: str | None, *, testing: bool, strict: bool
) -> None:
    """Print the record which DNS must have for a private key.

    With --domain and --selector it is a line for a zone, in strings of at most 255 octets; else the
    text alone, for forms of the web. Exit code 0, or 1 if the file has no key.
    """
    with ending():
        key = _or_fail(read_key, path)
        _print(key, domain, selector, testing=testing, strict=strict)


def _print(
    key: PrivateKey, domain: str | None, selector: str | None, *, testing: bool = False,
    strict: bool = False,
) -> None:  # fmt: skip
    text = record_of(key, testing=testing, strict=strict)
    click.echo(zone_line(selector, domain, text) if domain and selector else text.decode())


def _or_fail(function: Any, *arguments: Any) -> Any:
    """Return what a function returns; end with 1 where a file is not as it should be."""
    try:
        return function(*arguments)
    except Error as error:
        click.echo(error.message, err=True)
    except OSError as error:
        click.echo(f"{error.filename}: {error.strerror}", err=True)
    sys.exit(FAILED)


@command.command("check")
@click.option("--domain", required=True, type=NAME, help="Who signs.")
@click.option("--selector", required=True, type=NAME, help="Which key.")
@click.option("--key", "path", type=KEY, help="File of the private key, to be compared with DNS.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@asks_names
def check(
    domain: str, selector: str, path: Path | None, zone: Path | None, servers: Sequence[str], *,
    as_json: bool,
) -> None:  # fmt: skip
    """Say all that is wrong with the record of a key, at each name server of the domain.

    With --dns only those are asked. Exit code 0 if signatures of the key hold at receivers, 1 if
    not, or if a name server does not answer.
    """
    with ending():
        key = None if path is None else _or_fail(read_key, path)
        found = asyncio.run(_found(domain, place(selector, domain), key, zone, servers))
        if path is not None and exposed(path):
            found.setdefault(str(path), []).append(Fault(False, "everybody may read the key"))
    good = not any(each.fatal for said in found.values() for each in said)
    if as_json:
        shown = {
            where: [{"fatal": each.fatal, "text": each.text} for each in said]
            for where, said in found.items()
        }
        click.echo(json.dumps({"name": place(selector, domain), "good": good, "said": shown}))
    else:
        for where, said in found.items():
            for each in said or [Fault(False, "good")]:
                click.echo(f"{where}: {'' if each.fatal or not said else 'note: '}{each.text}")
    sys.exit(0 if good else FAILED)


async def _found(
    domain: str, name: str, key: PrivateKey | None, zone: Path | None, servers: Sequence[str]
) -> dict[str, list[Fault]]:
    """Return what is wrong, by the server which says so. Raises Error."""
    found: dict[str, list[Fault]] = {}
    try:
        async with asyncio.timeout(SECONDS):
            async for server, records in told(domain, name, zone, servers):
                found[server] = (
                    [Fault(True, "it does not answer")] if records is None else faults(records, key)
                )
    except TimeoutError:
        found["DNS"] = [Fault(True, "it did not answer in time")]
    return found
