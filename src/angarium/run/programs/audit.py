"""`angarium audit`: the proof that nothing was lost, while the server runs or when it does not."""

import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any, Final

import click
import setproctitle

from angarium.core.errors import Error
from angarium.core.ident import printed
from angarium.journal.disk import FileDisk
from angarium.queue.spool.audit import STATES, Account, audit
from angarium.run import shards

UNPROVED, CANNOT_START = 1, 3
COLUMNS: Final = ("shard", "accepted", *STATES)


@click.command("audit", short_help="prove that nothing was lost")
@click.option(
    "--state",
    required=True,
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="The state directory of the server; its spoolbase where it has none.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.option("--list", "listing", is_flag=True, help="Print each recipient: id, state, address.")
@click.option("--bodies", is_flag=True, help="Read the contents of what is queued, too.")
def command(state: Path, *, as_json: bool, listing: bool, bodies: bool) -> None:
    """Account for every recipient that was ever accepted, shard by shard.

    accepted = queued + quarantined + delivered + bounced + expired + discarded + transferred

    Totals count from the beginning of a shard; recipients are compared one by one as far back as
    events are kept (event_retention). Nothing is changed, and a running server is not disturbed:
    the account is of the moment at which it was read. The exit code is 0 if all is accounted for, 1
    if not, 3 if it cannot be read.
    """
    setproctitle.setproctitle("angarium: audit")
    entries: list[tuple[int, str, str]] = []
    accounts: dict[str, Account] = {}
    disk = FileDisk()

    def entry(ident: int, state: str, address: str) -> None:
        entries.append((ident, state, address))

    for name in shards.existing(state / "spool"):
        try:
            accounts[name] = audit(
                disk, str(state / "spool" / name), entry if listing else None, bodies=bodies
            )
        except (Error, OSError) as error:
            click.echo(f"shard {name} cannot be read: {error}", err=True)
            sys.exit(CANNOT_START)
    if as_json:
        click.echo(json.dumps(_shown(accounts, entries, listing=listing)))
    else:
        _print(accounts, entries)
    sys.exit(0 if all(each.sound for each in accounts.values()) else UNPROVED)


def _row(account: Account) -> dict[str, int]:
    return {"accepted": account.accepted} | {each: account.ends[each] for each in STATES}


def _sum(accounts: dict[str, Account]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for account in accounts.values():
        total.update(_row(account))
    return {name: total[name] for name in COLUMNS[1:]}


def _shown(
    accounts: dict[str, Account], entries: list[tuple[int, str, str]], *, listing: bool
) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "sound": all(each.sound for each in accounts.values()),
        "sum": _sum(accounts),
        "shards": {
            name: _row(each)
            | {"upto": each.upto, "compared": each.told, "repeated": each.repeated}
            | {"faults": each.faults}
            for name, each in accounts.items()
        },
    }
    if listing:
        shown["entries"] = [
            {"id": printed(ident), "state": state, "recipient": address}
            for ident, state, address in entries
        ]
    return shown


def _print(accounts: dict[str, Account], entries: list[tuple[int, str, str]]) -> None:
    for ident, state, address in entries:
        click.echo(f"{printed(ident)} {state} {address}")
    rows = [COLUMNS, *((name, *_row(each).values()) for name, each in accounts.items())]
    rows.append(("sum", *_sum(accounts).values()))
    widths = [max(len(str(row[at])) for row in rows) for at in range(len(COLUMNS))]
    for row in rows:
        cells = zip(row, widths, strict=True)
        click.echo("  ".join(f"{cell:>{width}}" for cell, width in cells))
    for name, account in accounts.items():
        if account.repeated:
            click.echo(f"shard {name}: {account.repeated} worked on twice (a power cut)")
        for fault in account.faults:
            click.echo(f"shard {name}: {fault}")
        if not account.sound and not account.faults:
            missing = account.accepted - account.ends.total()
            click.echo(f"shard {name}: {missing} are not accounted for")
    if all(each.sound for each in accounts.values()):
        compared = sum(each.told for each in accounts.values())
        click.echo(f"all accounted for; {compared} recipients compared one by one")
