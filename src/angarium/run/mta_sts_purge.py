"""`ec_mta_sts_purge`, as Momentum has it: remove policies of MTA-STS which are over.

    ec_mta_sts_purge [-dir DIRECTORY] [-dryrun] [-v | -verbose]

It may run beside a server: a policy which is over counts for nothing there.
"""

import sys
import time
from pathlib import Path
from typing import Final

import click

from angarium.net.options.tlspolicy import STORE
from angarium.net.tlspolicy.shelf import Shelf

UNUSABLE: Final = 1


@click.command("ec_mta_sts_purge", context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "-dir", "folder", default=STORE, show_default=True,
    help="The directory of the policies: mtasts in the state directory, or mta_sts_policy_store.",
)  # fmt: skip
@click.option("-dryrun", "dry", is_flag=True, help="Only list the files.")
@click.option("-v", "-verbose", "verbose", is_flag=True, help="List the files.")
def command(folder: str, *, dry: bool, verbose: bool) -> None:
    """Remove the files of policies which are over, as of domains nobody sends mail to any more."""
    shelf, now = Shelf(Path(folder)), time.time()
    try:
        for kept in shelf.all():
            if now < kept.expires():
                continue
            if dry or verbose:
                click.echo(str(shelf.path(kept.domain)))
            if not dry:
                shelf.remove(kept.domain)
    except OSError as error:
        click.echo(f"{error.filename or folder}: {error.strerror}", err=True)
        sys.exit(UNUSABLE)


def main() -> None:
    command()


if __name__ == "__main__":
    main()
