"""`angarium dkim rotate`: a new key for a domain, which signs when all name servers show it."""

import asyncio
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import click

from angarium.config import writeback
from angarium.config.load import snapshot
from angarium.console.client import Client, ConsoleError
from angarium.core.errors import Error
from angarium.mail.auth.keys import PrivateKey, made
from angarium.mail.auth.publishing import Fault, faults, place, record_of, zone_line
from angarium.mail.auth.tags import TagError, name_of
from angarium.run.keychange import Change, planned
from angarium.run.keyfiles import read_key, write_key
from angarium.run.names import asks_names
from angarium.run.nameservers import told
from angarium.run.programs.config_files import MAIN, default_file, ending
from angarium.run.programs.console import own

FAILED: Final = 1
SECONDS: Final = 60.0  # for one round of questions
LOOK: Final = 15.0  # seconds between two rounds
# Mail waits that long in queues: retries of Momentum end after seven days (message_expiration).
KEPT_DAYS: Final = 7


@click.command("rotate")
@click.option(
    "--config", "path", type=click.Path(path_type=Path, dir_okay=False),
    help="The ecelerity.conf; the one CONFFILE names, or of the search path, without.",
)  # fmt: skip
@click.option("--domain", required=True, help="Which signs.")
@click.option("--selector", required=True, help="Under which name the new key is to be found.")
@click.option("--stanza", default="", help="Its name, where several stanzas sign for the domain.")
@click.option("--kind", type=click.Choice(("rsa", "ed25519")), help="That of the old key without.")
@click.option("--bits", type=click.Choice(("2048", "4096")), default="2048", show_default=True)
@click.option("--wait", type=click.FloatRange(0), default=0.0, help="Seconds to wait for DNS.")
@click.option("--reload", "reloads", is_flag=True, help="Have the server read its files then.")
@click.option(
    "--state", type=click.Path(path_type=Path, file_okay=False),
    help="The state directory of that server, as `serve --state`.",
)  # fmt: skip
@asks_names
def command(
    path: Path | None, zone: Path | None, servers: Sequence[str], domain: str, selector: str,
    **given: Any,
) -> None:  # fmt: skip
    """Put a new key in the place of the one which signs for a domain.

    It makes the key, where the stanza of opendkim looks for it, and prints its record. When each
    name server of the domain shows that (with --dns: each of those) it names the new selector in
    the configuration; before, nothing changes. So it is given twice: before the record is
    published and after, or once with --wait. The old key stays in its file.

    Exit code 0 when the configuration has the new selector; 1 when it has not, yet; 2 for wrong
    usage, or files which cannot be read or written.
    """
    with ending():
        found = str(path) if path is not None else default_file(os.environ)
        if found is None:
            raise Error(f"there is no {MAIN}: say --config")
        try:
            name, new = _name(domain), _name(selector)
            change = planned(snapshot(found), name, new, given["stanza"])
            key = _key(change, given["kind"], int(given["bits"]))
            asyncio.run(_shown(change, key, zone, servers, given["wait"]))
            written = writeback.write(change.snapshot, change.edited())
        except OSError as error:
            raise Error(f"{error.filename}: {error.strerror}") from error
        for each in written:
            click.echo(f"{each}: {name} is signed by the key {new}")
    click.echo(_of_the_old(change))
    if given["reloads"]:
        _reload(given["state"], Path(found))
    else:
        click.echo("it counts when the server has read it: angarium console config reload")


def _name(word: str) -> str:
    try:
        return name_of(word.encode("utf-8", "surrogateescape"), "d")
    except TagError:
        raise Error(f"{word} is no name for DNS") from None


def _key(change: Change, kind: str | None, bits: int) -> PrivateKey:
    """Return the new key, made if nobody has done it. Raises Error, OSError."""
    path = change.new.path
    if path.exists():
        return read_key(path)
    if kind is None:
        kind = read_key(change.old.path).kind if change.old.path.exists() else "rsa"
    key = made(kind, bits)
    write_key(path, key)
    click.echo(f"{path}: a new key, {key.kind} of {key.bits} bits", err=True)
    return key


async def _shown(
    change: Change, key: PrivateKey, zone: Path | None, servers: Sequence[str], wait: float
) -> None:
    """Return when all name servers show the key; end where they do not in time."""
    loop = asyncio.get_running_loop()
    until = loop.time() + wait
    name = place(change.new.selector, change.domain)
    line = zone_line(change.new.selector, change.domain, record_of(key))
    printed = False
    while missing := await _missing(change.domain, name, key, zone, servers):
        if not printed:
            click.echo(line)
            printed = True
        left = until - loop.time()
        if left <= 0:
            for where, fault in missing:
                click.echo(f"{where}: {fault}", err=True)
            click.echo(
                f"{change.domain} is signed by the key {change.old.selector} still", err=True
            )
            sys.exit(FAILED)
        await pause(min(LOOK, left))


async def pause(seconds: float) -> None:
    await asyncio.sleep(seconds)


async def _missing(
    domain: str, name: str, key: PrivateKey, zone: Path | None, servers: Sequence[str]
) -> list[tuple[str, str]]:
    """Return which name servers do not show the key, and what they say. Raises Error."""
    found = []
    try:
        async with asyncio.timeout(SECONDS):
            async for server, records in told(domain, name, zone, servers):
                if records is None:
                    found.append((server, "it does not answer"))
                else:
                    found += [(server, each.text) for each in _fatal(faults(records, key))]
    except TimeoutError:
        found.append(("DNS", "it did not answer in time"))
    return found


def _fatal(said: list[Fault]) -> list[Fault]:
    return [each for each in said if each.fatal]


def _of_the_old(change: Change) -> str:
    old = place(change.old.selector, change.domain)
    day = time.strftime("%Y-%m-%d", time.localtime(time.time() + KEPT_DAYS * 86400))
    return (
        f"{old} stays in DNS until {day}: mail under way is signed by it;"
        f" {change.old.path} may be removed then, too"
    )


def _reload(state: Path | None, config: Path) -> None:
    """Have the server read its files; end where it does not."""
    try:
        client = Client(own(state, config))
        try:
            said = "".join(client.ask("config reload"))
            failed = client.failed
        finally:
            client.close()
    except ConsoleError as error:
        said, failed = f"the server was not reloaded: {error}", True
    click.echo(said, err=failed)
    if failed:
        sys.exit(FAILED)
