"""`angarium credentials`, and `credmgr`: passwords for other servers, encrypted at rest.

    credmgr create_key | create_db | set_cred | get_cred | del_cred [OPTIONS]

Both files are for root to write and for the server's user to read; not root is who owns them.
"""

import getpass
import sys
from pathlib import Path
from typing import Final

import click
import setproctitle

from angarium.data.credentials import SIZES, CredentialsError, Keys, Login, Store
from angarium.run.secret_files import give

FAILED, USAGE = 1, 2
FOLDER: Final = Path("/etc/angarium")
ACTIONS: Final = ("create_db", "create_key", "set_cred", "get_cred", "del_cred")


@click.command(
    "credentials",
    short_help="keep passwords for other servers, encrypted",
    context_settings={"help_option_names": ["--help"]},
)
@click.argument("action", type=click.Choice(ACTIONS))
@click.option(
    "-d", "--database", default=FOLDER / "credentials.db", show_default=True,
    type=click.Path(path_type=Path), help="The database.",
)  # fmt: skip
@click.option(
    "-k", "--key-file", default=FOLDER / "credentials.key", show_default=True,
    type=click.Path(path_type=Path), help="The key.",
)  # fmt: skip
@click.option("-h", "--hostname", default="", help="The host the password is for.")
@click.option("-u", "--username", default="", help="The user there.")
@click.option(
    "-f", "--facility", default="", help="The service: pgsql, odbc, mysql, ldap, proxy or other."
)
@click.option(
    "-p", "--password",
    help="The password; others see it. Without, it is asked for, or the first line of the input.",
)  # fmt: skip
@click.option("-P", "clear", is_flag=True, help="Show the passwords of a list.")
@click.option("--cipher", type=click.Choice(["aes"]), default="aes", expose_value=False,
    help="There is AES only.",
)  # fmt: skip
@click.option(
    "--key_size", "--key-size", type=click.Choice([str(each) for each in SIZES]), default="32",
    show_default=True, help="Octets of a new key.",
)  # fmt: skip
@click.option(
    "--block_mode", "--block-mode", type=click.Choice(["cbc", "gcm"]), default="gcm",
    expose_value=False,
    help="It is GCM always, which shows changes too; cbc is taken for Momentum's scripts.",
)  # fmt: skip
def command(
    action: str, database: Path, key_file: Path, hostname: str, username: str, facility: str,
    password: str | None, *, clear: bool, key_size: str,
) -> None:  # fmt: skip
    """Make the store, put passwords into it, list and remove them.

    create_key makes the key; where there is one a new one takes its place, and all passwords are
    encrypted anew. create_db makes an empty database. set_cred and del_cred want host, user and
    facility; get_cred with them prints the password, without them lists what is there.

    Exit code 0 if it was done, 1 if not or there is no such password, 2 for wrong usage.
    """
    setproctitle.setproctitle("angarium: credentials")  # the arguments may have the password
    named = [each for each in (hostname, username, facility) if each]
    if action in ("set_cred", "del_cred") and len(named) < 3:
        raise click.UsageError(f"{action} wants --hostname, --username and --facility")
    if named and len(named) < 3:
        raise click.UsageError("host, user and facility belong together")
    try:
        login = Login(hostname, username, facility)
        match action:
            case "create_key":
                done = create_key(key_file, database, int(key_size))
            case "create_db":
                Store.create(database, give)
                done = True
            case "set_cred":
                given = password if password is not None else asked(login)
                Store(database, Keys.read(key_file)).set(login, given)
                done = True
            case "del_cred":
                done = Store(database).delete(login)
            case _:
                done = show(database, key_file, login if named else None, clear=clear)
    except CredentialsError as error:
        click.echo(f"credentials: {error}", err=True)
        sys.exit(FAILED)
    if not done:
        click.echo("credentials: there is no such password", err=True)
        sys.exit(FAILED)


def create_key(key_file: Path, database: Path, size: int) -> bool:
    """Make a key, or one in place of another.

    Raises:
        CredentialsError: nothing was lost; where both keys are in the file, do it again.
    """
    made = Keys.made(size)
    if key_file.exists():
        both = made.before(Keys.read(key_file))
        both.write(key_file, give)
        if database.is_file():
            Store(database, both).seal_anew()
    made.write(key_file, give)
    return True


def show(database: Path, key_file: Path, login: Login | None, *, clear: bool) -> bool:
    """Print a password, or what there is. Raises CredentialsError."""
    if login is None:
        store = Store(database, Keys.read(key_file) if clear else None)
        for each in store.logins():
            secret = [store.get(each) or ""] if clear else []
            click.echo("\t".join([each.hostname, each.username, each.facility, *secret]))
        return True
    found = Store(database, Keys.read(key_file)).get(login)
    if found is not None:
        click.echo(found)
    return found is not None


def asked(login: Login) -> str:
    """Return a password: typed, else the first line of standard input."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    return getpass.getpass(f"Password of {login.username} at {login.hostname}: ")


def main() -> None:
    command()


if __name__ == "__main__":
    main()
