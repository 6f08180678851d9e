"""`angarium ctl`, and `ec_ctl`: the server started, stopped and started again in the background.

    ec_ctl start | stop | restart | status | reload

Where systemd has our unit and we are root it does the starting, so that there is never a server it
does not know of. Momentum's variables hold: CONFFILE, EXTRA_ARGS, TRY.
"""

import os
import shlex
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import click
import psutil
import setproctitle

from angarium.config.errors import ConfigError
from angarium.core.errors import Error
from angarium.run import background
from angarium.run.background import BackgroundError
from angarium.run.plan import Plan
from angarium.run.privileges import PrivilegeError
from angarium.run.programs.config_files import default_file

FAILED, NOT_RUNNING = 1, 3
ACTIONS: Final = ("start", "stop", "restart", "status", "reload")
ENVIRONMENT: Final = Path("/etc/angarium/environment")
INCLUDES: Final = Path("/etc/angarium/rc.includes")
UNIT: Final = "angarium.service"
SYSTEMD: Final = Path("/run/systemd/system")  # sd_booted(3)
OUTPUT: Final = "service.log"
TRY: Final = 10


@dataclass(slots=True)
class Node:
    """The server which is meant."""

    config: Path
    plan: Plan
    named_state: Path | None
    environment: dict[str, str]
    output: Path | None
    own: bool

    @property
    def state(self) -> Path:
        return self.plan.state

    @property
    def patience(self) -> float:
        """Return how long to wait: TRY + ... + 2 + 1 seconds, 55 for 10."""
        said = self.environment.get("TRY", "")
        tries = int(said) if said.isdigit() else TRY
        return tries * (tries + 1) / 2


@click.command(
    "ctl",
    short_help="start, stop and restart the server in the background",
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.argument("action", type=click.Choice(ACTIONS))
@click.option(
    "--config", type=click.Path(path_type=Path),
    help="The ecelerity.conf; without, the one CONFFILE names, or of the search path.",
)  # fmt: skip
@click.option(
    "--state", type=click.Path(path_type=Path, file_okay=False),
    help="The state directory, as `serve --state`; the spoolbase of the configuration without.",
)  # fmt: skip
@click.option(
    "--environment", type=click.Path(path_type=Path, dir_okay=False),
    help="File of variables; /etc/angarium/environment without.",
)  # fmt: skip
@click.option(
    "--output", type=click.Path(path_type=Path, dir_okay=False),
    help="Where a server started here prints; service.log in its state directory without.",
)  # fmt: skip
@click.option("--no-systemd", "own", is_flag=True, help="Do not let systemd do it.")
def command(
    action: str, config: Path | None, state: Path | None, environment: Path | None,
    output: Path | None, *, own: bool,
) -> None:  # fmt: skip
    """Start, stop or restart the server, ask whether it runs, or have it read its files again.

    start returns when every listener accepts, stop when all has ended; both wait for 55 seconds, or
    as TRY says. restart checks the configuration before it stops anything. Scripts in
    /etc/angarium/rc.includes are included: start.* before a start, which they can refuse, stop.*
    after a stop. Where systemd has angarium.service, root starts that.

    Exit code 0 if it was done, or runs; 1 if it failed; 3 if it does not run (status, reload).
    """
    setproctitle.setproctitle("angarium: ctl")
    try:
        node = _node(config, state, environment, output, own=own)
        code = _ACTIONS[action](node)
    except (ConfigError, PrivilegeError, Error, OSError) as error:
        click.echo(f"ctl: {error}", err=True)
        code = FAILED
    sys.exit(code)


def _node(
    config: Path | None, state: Path | None, environment: Path | None, output: Path | None, *,
    own: bool,
) -> Node:  # fmt: skip
    file = environment or ENVIRONMENT
    there = environment is not None or file.exists()
    variables = dict(os.environ) | (background.variables(file) if there else {})
    found = str(config) if config is not None else default_file(variables)
    if found is None:
        raise BackgroundError("no configuration; name it by --config or CONFFILE")
    return Node(Path(found), Plan.make(Path(found), state), state, variables, output, own)


def _start(node: Node) -> int:
    if pid := background.running(node.state):
        click.echo(f"it runs already, process {pid}")
        return 0
    if _managed(node):
        return _systemctl("start")
    variables = background.included(INCLUDES, "start", node.environment)
    node.state.mkdir(parents=True, exist_ok=True)
    words = ["--config", str(node.config)]
    words += ["--state", str(node.named_state)] if node.named_state is not None else []
    words += shlex.split(variables.get("EXTRA_ARGS", ""))
    output = node.output or node.state / OUTPUT
    pid = background.start(words, output, variables, node.patience)
    click.echo(f"started, process {pid}; it prints to {output}")
    return 0


def _stop(node: Node) -> int:
    pid = background.stop(node.state, node.patience)
    click.echo(f"stopped, process {pid}" if pid else "it does not run")
    if pid:
        background.included(INCLUDES, "stop", node.environment)
    return 0


def _restart(node: Node) -> int:
    if _managed(node):
        return _systemctl("restart")
    return _stop(node) or _start(node)


def _status(node: Node) -> int:
    pid = background.running(node.state)
    if not pid:
        click.echo(f"it does not run; state in {node.state}")
        return NOT_RUNNING
    since = time.localtime(psutil.Process(pid).create_time())
    said = time.strftime("%Y-%m-%d %H:%M:%S", since)
    click.echo(f"it runs, process {pid}, since {said}; state in {node.state}")
    return 0


def _reload(node: Node) -> int:
    if not background.running(node.state):
        click.echo("it does not run", err=True)
        return NOT_RUNNING
    program = [sys.executable, "-P", "-m", "angarium.run.programs.cli", "console"]
    done = subprocess.run([*program, "--state", str(node.state), "config", "reload"], check=False)
    return done.returncode


def _managed(node: Node) -> bool:
    """Say whether systemd is to start the server: it has our unit, for this very server."""
    if node.own or node.named_state is not None or os.geteuid() != 0 or not SYSTEMD.is_dir():
        return False
    program = shutil.which("systemctl")
    if program is None:
        return False
    unit = subprocess.run(
        [program, "cat", UNIT], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False
    )
    return unit.returncode == 0 and str(node.config.absolute()).encode() in unit.stdout


def _systemctl(action: str) -> int:
    click.echo(f"systemctl {action} {UNIT}")
    done = subprocess.run(["systemctl", action, UNIT], check=False)
    return FAILED if done.returncode else 0


_ACTIONS: Final = {
    "start": _start,
    "stop": _stop,
    "restart": _restart,
    "status": _status,
    "reload": _reload,
}


def main() -> None:
    command()


if __name__ == "__main__":
    main()
