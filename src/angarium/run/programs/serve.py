"""`angarium serve`: the platform in the foreground."""

import asyncio
import faulthandler
import os
import sys
from pathlib import Path

import click
import setproctitle

from angarium.config.errors import ConfigError, told
from angarium.inbound.profile import LISTENER
from angarium.net.loop import RealClock
from angarium.net.options.tls import InboundTls
from angarium.run import log
from angarium.run.formats import NewerError, refuse_newer
from angarium.run.hose import panics_of
from angarium.run.options import Node
from angarium.run.plan import Plan, StartError
from angarium.run.privileges import PrivilegeError
from angarium.run.sockets import ListenError, Sockets
from angarium.run.stage import tryout
from angarium.run.supervisor import Supervisor
from angarium.web.options import HTTP

FAULTY, CANNOT_START = 1, 3


@click.command("serve", short_help="start the platform in the foreground")
@click.option(
    "--config",
    "config_path",
    required=True,
    type=click.Path(path_type=Path),
    help="The ecelerity.conf to start with.",
)
@click.option(
    "--state",
    type=click.Path(path_type=Path, file_okay=False),
    help="Directory for queue, logs and cursors; the spoolbase of the configuration without it.",
)
def command(config_path: Path, state: Path | None) -> None:
    """Start the platform and stay in the foreground.

    One line with the word "ready" is printed when every listener accepts. SIGHUP reloads, SIGUSR1
    reopens the logs, SIGUSR2 upgrades (see `angarium upgrade`), SIGTERM and Ctrl-C drain and stop;
    a second one stops at once.
    """
    faulthandler.enable(2)  # a service manager which finds us stuck sends SIGABRT
    setproctitle.setproctitle("angarium: supervisor")
    try:
        plan = Plan.make(config_path, state)
    except (ConfigError, PrivilegeError) as error:
        click.echo(str(error), err=True)
        sys.exit(FAULTY)
    for note in told(plan.configuration.notes, str(config_path)):
        click.echo(note, err=True)
    sockets = Sockets()
    clock = RealClock()
    try:
        sockets.change(plan.endpoints).commit()
        lock = plan.enter()
        refuse_newer(plan.spool_folder)
        panics = panics_of(plan.configuration, plan.state, clock)
        logger = log.setup("supervisor", panics, "START", plan.configuration.top(Node))
        # As the user who will run it: scripts are code of others.
        if tryout.needed(plan.configuration) and (fault := tryout.asked(plan.snapshot)):
            sockets.close()
            click.echo(f"policy cannot be used: {fault}", err=True)
            sys.exit(FAULTY)
        supervisor = Supervisor(plan, sockets, clock, logger, panics, lock=lock)
    except (ListenError, StartError, PrivilegeError, NewerError, OSError) as error:
        sockets.close()
        click.echo(f"cannot start: {error}", err=True)
        sys.exit(CANNOT_START)
    asyncio.run(supervisor.run(lambda: announce(plan, sockets)))
    os.close(lock)


def announce(plan: Plan, sockets: Sockets) -> None:
    """Say what we listen on, and that we do."""
    if os.geteuid() == 0:
        click.echo("running as root: set user and group in a security stanza to drop privileges")
    if reason := plan.unreadable():
        click.echo(f"a reload will be refused, let the user of the security stanza read: {reason}")
    for path in plan.configuration.held.files:
        click.echo(
            f"what {path} holds now counts until a restart: the user of the security stanza cannot "
            "read it"
        )
    listening = [(where, each.getsockname()) for where, each in sockets.open.items()]
    addresses = [_address(name) for where, name in listening if where.listener == LISTENER]
    for address in addresses:
        click.echo(f"SMTP on {address}")
    for where, name in listening:
        if where.listener == HTTP:
            secure = plan.configuration.at(InboundTls, listener=HTTP, listen=where.name).use_ssl
            click.echo(f"status on {_status(name, 'https' if secure else 'http')}")
    click.echo(f"state in {plan.state}")
    if plan.sink is not None and addresses:
        click.echo(_things_to_try(addresses[0], plan))
    click.echo(f"ready: {plan.workers} workers, generation {plan.configuration.generation}")
    sys.stdout.flush()


def _address(name: object) -> str:
    if not isinstance(name, tuple):
        return str(name)
    host, port = name[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _status(name: object, scheme: str) -> str:
    return f"{scheme}://{_address(name)}/status" if isinstance(name, tuple) else str(name)


def _things_to_try(address: str, plan: Plan) -> str:
    # As it was called: most have no path to it, but ./run's .venv/bin.
    program = sys.argv[0] if "/" in sys.argv[0] else "angarium"
    lines = [
        f"{program} send --server {address} --from me@example.com --to you@sink.test",
        f"swaks --server {address} --from me@example.com --to you@sink.test",
        f"tail -f {plan.state}/log/mainlog.ec",
    ]
    return "\n".join(["try, in another terminal:", *(f"  {line}" for line in lines)])
