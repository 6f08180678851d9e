"""`angarium config check`: all that is wrong with a configuration, and what has no effect."""

import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

import click

from angarium.config.errors import Fault, Severity
from angarium.config.load import load
from angarium.core.errors import Error
from angarium.run.programs.config_files import FAULTY, UNUSABLE, json_option, printable, read, say
from angarium.run.stage import tryout


@click.command("check", short_help="say all that is wrong with a configuration")
@json_option
@click.option("--strict", is_flag=True, help="Warnings are failures too.")
@click.option(
    "--without-files",
    is_flag=True,
    help="Do not look at files which options name: they are on another machine.",
)
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path())
def command(files: tuple[str, ...], *, as_json: bool, strict: bool, without_files: bool) -> None:
    """Read configurations and say all that is wrong with them.

    Errors refuse a configuration. Warnings and notes do not: they tell what is likely not meant,
    and which options and stanzas in use have no effect here, with the reason. Exit code 0 if each
    file can be used, 1 if one has errors (with --strict: or warnings), 2 if one cannot be read.
    """
    code = 0
    results: dict[str, Any] = {}
    for file in files:
        try:
            checked = read(file, files=not without_files)
            faults = [*checked.faults, *(() if without_files else _policy(file, checked.faults))]
        except Error as error:
            faults = [Fault(file, 0, 0, str(error).removeprefix(f"{file}: "))]
            code = UNUSABLE
        counts = Counter(each.severity for each in faults)
        if counts[Severity.ERROR] or (strict and counts[Severity.WARNING]):
            code = max(code, FAULTY)
        if as_json:
            results[file] = _plain(faults, counts)
        else:
            say(f"{printable(str(each))}\n" for each in faults)
            say([f"{printable(file)}: {_counted(counts)}\n"])
    if as_json:
        say([json.dumps(results, indent=2), "\n"])
    sys.exit(code)


def _policy(file: str, faults: Iterable[Fault]) -> Iterator[Fault]:
    """Yield what is wrong with the policy of a configuration which has no other errors."""
    if any(each.severity is Severity.ERROR for each in faults):
        return
    configuration = load(file)
    if tryout.needed(configuration) and (said := tryout.fault(configuration)):
        yield Fault(file, 0, 0, f"policy cannot be used: {said}", "see angarium policy check")


def _counted(counts: Counter[Severity]) -> str:
    said = [
        f"{count} {severity.name.lower()}{'s' if count > 1 else ''}"
        for severity in sorted(Severity, reverse=True)
        if (count := counts[severity])
    ]
    return ", ".join(said) or "nothing to say, it can be used"


def _plain(faults: Iterable[Fault], counts: Counter[Severity]) -> dict[str, Any]:
    return {
        "usable": not counts[Severity.ERROR],
        **{f"{each.name.lower()}s": counts[each] for each in Severity},
        "faults": list(_each(faults)),
    }


def _each(faults: Iterable[Fault]) -> Iterator[dict[str, Any]]:
    for each in faults:
        yield {
            "file": each.file,
            "line": each.line,
            "column": each.column,
            "severity": each.severity.name.lower(),
            "message": each.message,
            "advice": each.advice,
        }
