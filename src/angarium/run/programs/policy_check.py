"""`angarium policy check`: load scripts, and say what is wrong with them."""

from pathlib import Path

import click

from angarium.core.errors import Error
from angarium.run.stage.play import configuration
from angarium.run.stage.stage import Stage
from angarium.run.stage.transcript import Step, Transcript
from angarium.run.stage.tryout import told
from angarium.run.stage.virtual import VirtualLoop


@click.command("check")
@click.argument(
    "files",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE...",
)
def command(files: tuple[Path, ...]) -> None:
    """Load each FILE, Python or Lua, as a server would, and say what is wrong with it.

    A fault is told with its file and line. Of what is well it is said which hooks it handles.
    """
    faulty = False
    for path in files:
        try:
            found = _handlers(path)
        except Error as error:
            faulty = True
            said = told(error)
            click.echo(said if error.fields.get("line") else f"{path}: {said}", err=True)
        else:
            if not found:
                faulty = True
                click.echo(f"{path}: it handles no hook", err=True)
            for hook, name in found:
                click.echo(f"{path}: {hook} {name}")
    raise SystemExit(1 if faulty else 0)


def _handlers(path: Path) -> list[tuple[str, str]]:
    loop = VirtualLoop()
    try:
        return loop.run_until_complete(_loaded(path.absolute(), loop))
    finally:
        loop.close()


async def _loaded(path: Path, loop: VirtualLoop) -> list[tuple[str, str]]:
    transcript = Transcript(path.with_suffix(".test"), [Step("policy", path.name, 0)])
    stage = Stage(configuration(transcript), loop)
    try:
        policy = stage.services.policing.policy
        return [(hook.name, handler.name) for hook, handler in policy.handlers()]
    finally:
        stage.close()
        await stage.quiet()
