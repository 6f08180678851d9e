"""`angarium policy check`: load scripts, and say what is wrong with them."""

from collections.abc import Sequence
from pathlib import Path

import click

from angarium.core.errors import Error
from angarium.modules.lua import lint
from angarium.modules.lua.loader import Loader
from angarium.modules.lua.unknown import Defined, defined_in
from angarium.modules.python import lint as python_lint
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

    A fault is told with its file and line: also a name, function, method or hook nobody knows; and
    in a note what is not there in this server. Of what is well it is said which hooks it handles.
    """
    faulty = False
    for path in files:
        faulty |= _remarked(path, files)
        try:
            found = _handlers(path)
        except Error as error:
            faulty = True
            said = _whole_name(told(error), path)
            click.echo(said if error.fields.get("line") else f"{path}: {said}", err=True)
            continue
        for hook, name in found:
            click.echo(f"{path}: {hook} {name}")
        if not found:
            excuse = _excuse(path)
            faulty |= not excuse
            click.echo(f"{path}: it handles no hook{excuse}", err=not excuse)
    raise SystemExit(1 if faulty else 0)


def _remarked(path: Path, files: Sequence[Path]) -> bool:
    """Say what is to be said about a script as it stands; return whether something is wrong."""
    source = path.read_bytes()
    found: list[lint.Remark] | list[python_lint.Remark] = (
        lint.remarks(source, _others(path, files))
        if path.suffix == ".lua"
        else python_lint.remarks(source, path)
    )
    for each in found:
        note = "" if each.wrong else "note: "
        click.echo(f"{path}:{each.line}: {note}{each.text}", err=each.wrong)
    return any(each.wrong for each in found)


def _others(path: Path, files: Sequence[Path]) -> Defined:
    """Return what scripts set which share their globals with this one, as all of a worker do.

    Those are what it requires, and what is checked with it.
    """
    loader = Loader([str(_folder(path.absolute()))])
    sources = {str(each.absolute()): each.read_bytes() for each in files if each.suffix == ".lua"}
    waiting, unclear = [path.read_bytes()], False
    while waiting:
        for name in lint.required(waiting.pop()):
            found = loader.find(name)
            if found is None:
                unclear = True
            elif found[1] not in sources:
                sources[found[1]] = found[0]
                waiting.append(found[0])
    defined = defined_in(sources.values())
    defined.unclear |= unclear
    return defined


def _excuse(path: Path) -> str:
    """Return why it is well that a script handles no hook; "" if it is not."""
    source = path.read_bytes() if path.suffix == ".lua" else b""
    if lint.is_module(source):
        return ", it is for others to require"
    return " of those which are called here" if lint.registered_names(source) else ""


def _whole_name(said: str, path: Path) -> str:
    """Return what was said, naming the file in full: Lua leaves out how it begins."""
    name, colon, rest = said.partition(":")
    short = name.removeprefix("...")
    return (
        f"{path}{colon}{rest}" if short != name and str(path.absolute()).endswith(short) else said
    )


def _handlers(path: Path) -> list[tuple[str, str]]:
    loop = VirtualLoop()
    try:
        return loop.run_until_complete(_loaded(path.absolute(), loop))
    finally:
        loop.close()


async def _loaded(path: Path, loop: VirtualLoop) -> list[tuple[str, str]]:
    folder = _folder(path)
    script = str(path.relative_to(folder))
    transcript = Transcript(folder / f"{path.stem}.test", [Step("policy", script, 0)])
    stage = Stage(configuration(transcript), loop)
    try:
        policy = stage.services.policing.policy
        # One without a name of its file is the module's own.
        return [
            (hook.name, handler.name)
            for hook, handler in policy.handlers()
            if handler.file or path.suffix != ".lua"
        ]
    finally:
        stage.close()
        await stage.quiet()


def _folder(path: Path) -> Path:
    """Return where others look for a script: `module("a.b")` stands in a/b.lua."""
    parts = lint.module_name(path.read_bytes()).split(".") if path.suffix == ".lua" else []
    if len(parts) > 1 and list(path.with_suffix("").parts[-len(parts) :]) == parts:
        return path.parents[len(parts) - 1]
    return path.parent
