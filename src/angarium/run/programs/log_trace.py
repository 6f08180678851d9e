"""`angarium log trace`, and `ec_log_trace`: lines of text logs found, counted and grouped."""

import os
import re
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any, Final, TypeVar

import click

from angarium.config.errors import ConfigError
from angarium.config.load import load
from angarium.config.pcre import regex
from angarium.core.errors import Error
from angarium.modules.loggers.options.logs import EcLogger
from angarium.queue.spool.options import Spooling
from angarium.run.programs.config_files import default_file
from angarium.run.trace import printing, sources, tracing
from angarium.run.trace.choice import Choice, Test, equal
from angarium.run.trace.records import Record
from angarium.run.trace.sources import Source

FAILED, USAGE = 1, 2
STANDARD_INPUT: Final = "-"
# Option, what it tests, which records; "{}-regex" is there as well.
TESTS: Final = (
    ("from", "message", "sender", "ADDRESS", "Messages from this sender; '<>' for none."),
    ("from-domain", "message", "sender_domain", "DOMAIN", "From a sender in this domain."),
    ("to", "message", "recipient", "ADDRESS", "To this recipient."),
    ("src-ip", "message", "source", "IP", "From this client."),
    ("dst-ip", "attempt", "destination", "IP", "Attempts at this server."),
    ("binding", "attempt", "binding", "NAME", "Attempts by this binding."),
    ("binding-group", "attempt", "group", "NAME", "Attempts by this binding group."),
    ("to-domain", "domains", "", "DOMAIN", "Records of a recipient in this domain."),
)  # fmt: skip
KINDS: Final = {"in_": "R", "out": "DX", "perm": "P", "tran": "T"}
# Day and month as the manual has them, "Sep 12 18:12:21 2006" and "09 12 18:12:21 2006".
DATES: Final = ("%b %d %H:%M:%S %Y", "%m %d %H:%M:%S %Y", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d")

Function = TypeVar("Function", bound=Callable[..., Any])


def tests(function: Function) -> Function:
    """Give a command the options which test a field."""
    for name, _, _, metavar, about in reversed(TESTS):
        for suffix, shown, text in (
            ("-regex", "PCRE", "The same by a pattern."), ("", metavar, about)
        ):  # fmt: skip
            key = f"test_{name}{suffix}".replace("-", "_")
            function = click.option(
                f"--{name}{suffix}", key, multiple=True, metavar=shown, help=text
            )(function)
    for where, of in (("mess", "message"), ("conn", "connection")):
        for suffix in ("-regex", ""):
            function = click.option(
                f"--vctx-{where}{suffix}", f"vctx_{where}{suffix}".replace("-", "_"),
                multiple=True, metavar="KEY[=VALUE]",
                help=f"Refusals with this variable of the {of}.",
            )(function)  # fmt: skip
    return function


@click.command(
    "trace",
    short_help="find, count and group lines of mainlog and rejectlog",
    context_settings={"help_option_names": ["-h", "--help"]},
)
@tests
@click.option("--id", "idents", multiple=True, metavar="ID", help="Records of this message.")
@click.option("--in", "--reception", "in_", is_flag=True, help="Receptions.")
@click.option("--out", "--delivery", "out", is_flag=True, help="Deliveries.")
@click.option("--perm", "--permanent", "perm", is_flag=True, help="Permanent failures.")
@click.option("--tran", "--transient", "tran", is_flag=True, help="Transient failures.")
@click.option("--main", is_flag=True, help="Records of mainlog only.")
@click.option("--regex", "patterns", is_flag=True, help="The values of all tests are patterns.")
@click.option(
    "--start", metavar="DATE", help='From this time on: seconds, or "Sep 12 18:12:21 2006".'
)
@click.option("--end", metavar="DATE", help="Up to this time.")
@click.option("--count", is_flag=True, help="Print how many there are of each kind.")
@click.option("--date", "dates", is_flag=True, help="Print dates in place of seconds.")
@click.option("--xml", is_flag=True, help="Print XML.")
@click.option("--lines", is_flag=True, help="Print the lines as they are in the log.")
@click.option("-v", "--verbose", is_flag=True, help="All records of the messages, grouped by them.")
@click.option(
    "--output", type=click.Path(path_type=Path, dir_okay=False), help="Write to this file."
)
@click.option("--append", is_flag=True, help="Add to that file.")
@click.argument("files", nargs=-1, metavar="[LOG]...")
def command(files: tuple[str, ...], output: Path | None, **said: Any) -> None:
    """Print records of mainlog and rejectlog which pass all tests; without a test, all of them.

    A LOG is plain or compressed by bzip2, gzip or xz, in any order; - is standard input. Without
    one the logs of the configuration are read (CONFFILE, ecelerity.conf), with the rotated ones,
    the oldest first. Tests of sender, recipient and client choose receptions; with --count,
    --verbose or a test of an attempt they choose messages, with all their records.

    Memory does not grow with the logs. Exit code 0, 1 if a log cannot be read, 2 for wrong usage.
    """
    choice = _choice(said)
    found = _sources(
        files, once=tracing.passes(choice, whole=said["count"] or said["verbose"]) == 1
    )
    try:
        with ExitStack() as stack:
            out: IO[str] = sys.stdout
            if output is not None:
                mode = "a" if said["append"] else "w"
                out = stack.enter_context(
                    output.open(mode, encoding="utf-8", errors="backslashreplace")
                )
            for line in _told(choice, found, said):
                click.echo(line.encode("utf-8", "backslashreplace").decode(), file=out)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # or Python complains when it ends
    except (Error, OSError) as error:
        click.echo(f"log trace: {error}", err=True)
        sys.exit(FAILED)
    for source in found:
        if source.too_long:
            click.echo(f"{source.name}: {source.too_long} lines were too long", err=True)


def _told(choice: Choice, found: Sequence[Source], said: dict[str, Any]) -> Iterator[str]:
    if said["count"]:
        counts = tracing.counted(choice, found)
        for code, title in printing.TITLES.items():
            yield f"{title}: {counts[code]}"
        return
    if said["xml"]:
        yield '<?xml version="1.0" encoding="utf-8"?>'
        yield "<records>"
    if said["verbose"]:
        yield from _grouped(choice, found, said)
    else:
        with tracing.wanted(choice, found, joint=False) as records:
            for record in records:
                yield from _record(record, said)
    if said["xml"]:
        yield "</records>"


def _record(record: Record, said: dict[str, Any]) -> Iterator[str]:
    if said["xml"]:
        yield from printing.xml(record, dates=said["dates"])
    elif said["lines"]:
        yield record.text
    else:
        yield printing.line(record, dates=said["dates"])


def _grouped(choice: Choice, found: Sequence[Source], said: dict[str, Any]) -> Iterator[str]:
    before = ""
    plain = not said["xml"] and not said["lines"]
    with tracing.histories(choice, found) as records:
        for ident, record in records:
            if not record.code and plain:
                yield from printing.details(record, dates=said["dates"])
                continue
            if ident != before and plain:
                yield f"message {ident}"
            before = ident
            for line in _record(record, said):
                yield f"  {line}" if plain else line


def _choice(said: dict[str, Any]) -> Choice:
    choice = Choice(
        kinds=frozenset("".join(codes for name, codes in KINDS.items() if said[name])),
        idents=frozenset(said["idents"]),
        start=_time(said["start"], float("-inf")),
        end=_time(said["end"], float("inf")),
        main_only=said["main"],
    )
    for name, where, key, _, _ in TESTS:
        for suffix in ("", "_regex"):
            values = said[f"test_{name.replace('-', '_')}{suffix}"]
            made = [_test(each, pattern=bool(suffix) or said["patterns"]) for each in values]
            if made and where == "domains":
                choice.domains += made
            elif made:
                getattr(choice, where).setdefault(key, []).extend(made)
    for where in ("conn", "mess"):
        for suffix in ("", "_regex"):
            for each in said[f"vctx_{where}{suffix}"]:
                variable, equals, value = each.partition("=")
                pattern = bool(suffix) or said["patterns"]
                test = _test(value, pattern=pattern, exact=True) if equals else None
                getattr(choice, where).append((variable, test))
    return choice


def _test(text: str, *, pattern: bool, exact: bool = False) -> Test:
    if pattern:
        try:
            return regex(text, re.IGNORECASE).search
        except ValueError as error:
            raise click.UsageError(str(error)) from error
    if exact:
        return lambda value: value == text.strip("'\"")
    return equal(text)


def _time(text: str | None, default: float) -> float:
    """Return the time a word means; local time, as Momentum's."""
    if text is None:
        return default
    if re.fullmatch(r"[0-9]{1,12}(\.[0-9]{1,6})?", text):
        return float(text)
    for form in DATES:
        try:
            return time.mktime(time.strptime(text, form))
        except (ValueError, OverflowError):
            continue
    raise click.UsageError(f"{text!r} is no date such as 1123456789 or Sep 12 18:12:21 2006")


def _sources(files: Sequence[str], *, once: bool) -> list[Source]:
    names = list(files) or [str(each) for each in _configured()]
    if not names:
        raise click.UsageError("name a log; there is no configuration which does")
    if names.count(STANDARD_INPUT) > 1:
        raise click.UsageError("standard input is read once")
    return [
        sources.of_stream(sys.stdin.buffer, once=once)
        if each == STANDARD_INPUT
        else sources.of(Path(each))
        for each in names
    ]


def _configured() -> Iterator[Path]:
    """Yield the logs of the configuration of this machine, the oldest first."""
    file = default_file(os.environ)
    try:
        configuration = load(file) if file is not None else None
    except ConfigError:
        configuration = None
    if configuration is None:
        return
    base = Path(configuration.top(Spooling).spoolbase)
    for _, options in configuration.instances(EcLogger):
        for destination in (options.mainlog, options.rejectlog):
            path = (destination or "").removeprefix("file://")
            if path and "://" not in path:
                yield from _with_old(base / path)


def _with_old(log: Path) -> Iterator[Path]:
    old = [each for each in log.parent.glob(f"{log.name}.*") if _number(each, log)]
    yield from sorted(old, key=lambda each: -_number(each, log))
    if log.exists():
        yield log


def _number(path: Path, log: Path) -> int:
    number = path.name[len(log.name) + 1 :].partition(".")[0]
    return int(number) if number.isdigit() else 0


def main() -> None:
    command()


if __name__ == "__main__":
    main()
