"""Whom a program asks about names: the name servers of this machine, others, or a zone file.

async with names(zone, servers) as ask:
    await ask("example.com", "TXT")
"""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import click

from angarium.config.load import load_text
from angarium.mail.auth.asking import Ask
from angarium.mail.auth.zonefile import Zone
from angarium.modules.sign.asked import Asked
from angarium.net.loop import RealClock
from angarium.net.options.resolver import Resolver as Options
from angarium.net.resolver import Naming

F = TypeVar("F", bound=Callable[..., Any])


def asks_names(command: F) -> F:
    """Give a command the options `zone` and `servers`."""
    command = click.option(
        "--zone",
        type=click.Path(path_type=Path, dir_okay=False, exists=True),
        help="A file with DNS records, in the form of master files; no name server is asked.",
    )(command)
    return click.option(
        "--dns",
        "servers",
        multiple=True,
        metavar="ADDRESS[:PORT]",
        help="A name server which is asked instead of those of this machine.",
    )(command)


def zone_of(path: Path) -> Zone:
    """Return a zone file. Raises Error, OSError."""
    return Zone(path.read_text("utf-8", "surrogateescape"))


@asynccontextmanager
async def names(zone: Path | None, servers: Sequence[str] = ()) -> AsyncIterator[Ask]:
    """Give who is asked. Raises Error for a zone or a server which is none."""
    if zone is not None:
        yield zone_of(zone)
        return
    quoted = " ".join([f'"{each}"' for each in servers])
    options = load_text(f"dns_servers = ( {quoted} )" if servers else "").top(Options)
    naming = Naming(options, asyncio.get_running_loop(), RealClock(), random.SystemRandom())
    try:
        yield Asked(naming.resolver)
    finally:
        naming.close()
