"""`angarium dkim table`, and `ec_dkim_ctl`: which key signs for a domain, in a small database.

Scripts which sign read it by a datasource; the tables and their columns are Momentum's:

    SELECT selector, keyfile FROM ec_dkim_conf WHERE domain = ?
"""

import sqlite3
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Final, NamedTuple

import click

from angarium.core.errors import Error
from angarium.mail.auth.tags import TagError, name_of

FAILED: Final = 1
DATABASE: Final = "/var/log/ecelerity/dkim_db"  # where ec_dkim_ctl has it
TABLES: Final = {"DomainKeys": "ec_dk_conf", "DKIM": "ec_dkim_conf"}
SCHEMA: Final = """CREATE TABLE IF NOT EXISTS {} (
  domain varchar(255) PRIMARY KEY,
  selector varchar(255) NOT NULL,
  keyfile varchar(255))"""
BUSY_SECONDS: Final = 10.0  # for another who writes
MAX_COLUMN: Final = 255


class Entry(NamedTuple):
    """A domain, and what signs for it."""

    domain: str
    selector: str
    keyfile: str


class Words(click.ParamType[Entry]):
    """DOMAIN,SELECTOR,KEYFILE; the last one may be empty."""

    name = "domain,selector,keyfile"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> Entry:
        if isinstance(value, Entry):
            return value
        domain, _, rest = str(value).partition(",")
        selector, _, keyfile = rest.partition(",")
        try:
            return Entry(_name(domain), _name(selector), keyfile.strip()[:MAX_COLUMN])
        except TagError:
            self.fail(f"{value!r} is not DOMAIN,SELECTOR,KEYFILE", param, ctx)


def _name(word: str) -> str:
    return name_of(word.strip().encode("utf-8", "surrogateescape"), "d")


def _adds(option: str, key: str, about: str) -> click.Option:
    return click.Option([option, key], type=Words(), multiple=True, help=about)


def _deletes(option: str, key: str, about: str) -> click.Option:
    return click.Option([option, key], metavar="DOMAIN", multiple=True, help=about)


def run(
    database: Path, add_dk: Sequence[Entry], add_dkim: Sequence[Entry], delete_dk: Sequence[str],
    delete_dkim: Sequence[str], *, listed: bool,
) -> None:  # fmt: skip
    """Change which keys sign for domains, in a database scripts read, or list them.

    The database is made with the first entry. A domain that is there has to be deleted before it is
    added again. Exit code 0 if all was done; 1 if not, and then nothing was changed.
    """
    if not (add_dk or add_dkim or delete_dk or delete_dkim or listed):
        raise click.UsageError("say what is to be done: --help lists it")
    try:
        if add_dk or add_dkim or delete_dk or delete_dkim:
            changes = {"ec_dk_conf": (add_dk, delete_dk), "ec_dkim_conf": (add_dkim, delete_dkim)}
            with closing(_opened(database, make=bool(add_dk or add_dkim))) as held, held:
                for table, (added, deleted) in changes.items():
                    _change(held, table, added, deleted)
        if listed:
            with closing(_opened(database, make=False)) as held:
                click.echo("".join(_list(held)), nl=False)
    except (Error, sqlite3.Error) as error:
        click.echo(f"{database}: {error}", err=True)
        sys.exit(FAILED)


def _opened(database: Path, *, make: bool) -> sqlite3.Connection:
    """Open the database, with its tables. Raises Error, sqlite3.Error."""
    if not make and not database.exists():
        raise Error("there is no such database: it is made with the first entry")
    held = sqlite3.connect(database, timeout=BUSY_SECONDS)
    if make:
        for table in TABLES.values():
            held.execute(SCHEMA.format(table))
    return held


def _change(
    held: sqlite3.Connection, table: str, added: Sequence[Entry], deleted: Sequence[str]
) -> None:
    """Delete, then add. Raises Error, sqlite3.Error."""
    for domain in deleted:
        found = held.execute(f"DELETE FROM {table} WHERE domain = ?", (domain.strip().lower(),))
        if not found.rowcount:
            raise Error(f"{domain} is not there")
    for entry in added:
        try:
            held.execute(f"INSERT INTO {table} VALUES (?, ?, ?)", entry)
        except sqlite3.IntegrityError:
            raise Error(f"{entry.domain} is there already: delete it first") from None


def _list(held: sqlite3.Connection) -> Iterator[str]:
    for title, table in TABLES.items():
        yield f"{title}:\n"
        for row in held.execute(f"SELECT domain, selector, keyfile FROM {table} ORDER BY domain"):
            yield "  " + ",".join([str(each or "") for each in row]) + "\n"


def _command(name: str) -> click.Command:
    return click.Command(
        name,
        callback=run,
        help=run.__doc__,
        short_help="which key signs for a domain, in a database scripts read",
        context_settings={"help_option_names": ["-h", "--help"]},
        params=[
            _adds("--add-dk", "add_dk", "Add a domain to those of DomainKeys."),
            _adds("--add-dkim", "add_dkim", "Add a domain to those of DKIM."),
            _deletes("--delete-dk", "delete_dk", "Delete a domain from those of DomainKeys."),
            _deletes("--delete-dkim", "delete_dkim", "Delete a domain from those of DKIM."),
            click.Option(["--list", "listed"], is_flag=True, help="List both."),
            click.Option(
                ["--database"],
                type=click.Path(path_type=Path, dir_okay=False),
                default=DATABASE,
                show_default=True,
                help="Its file.",
            ),
        ],
    )


command: Final = _command("table")
ec_dkim_ctl: Final = click.version_option(None, "-V", "--version", package_name="angarium")(
    _command("ec_dkim_ctl")
)


def main() -> None:
    ec_dkim_ctl()


if __name__ == "__main__":
    main()
