"""`angarium passwd`, and `ec_md5passwd`: a line of a password file for DIGEST-MD5.

    user:realm:hash      hash = MD5(user:realm:password), as htdigest and RFC 2617 have it

Whoever reads the hash can log in with it, so a new file is for the server only.
"""

import fcntl
import hashlib
import os
import stat
import sys
from pathlib import Path
from typing import Final

import click
import setproctitle

from angarium.config import durable
from angarium.run.secret_files import OWN, give

FAILED: Final = 1
REALM: Final = "Momentum Console"
VARIABLE: Final = "EC_DIGEST_REALM"
_SEPARATORS: Final = (":", "#", "\n", "\r", "\0")


@click.command(
    "passwd",
    short_help="make or change a line of a password file",
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.option(
    "-f", "--file", "path", type=click.Path(path_type=Path, dir_okay=False),
    help="The file to change; without, the line is printed.",
)  # fmt: skip
@click.option(
    "-r", "--realm", envvar=VARIABLE, default=REALM, show_default=True,
    help=f"The realm; without, that of {VARIABLE}.",
)  # fmt: skip
@click.argument("username", required=False)
@click.argument("password", required=False)
def command(path: Path | None, realm: str, username: str | None, password: str | None) -> None:
    """Make a password for a user, or change it.

    What is not named is asked for; a password is better asked for, as others see the arguments of a
    program. Where standard input is no terminal it is its first line. Of a file all other lines
    stay as they are. Exit code 0 if it was done, 1 if not.
    """
    setproctitle.setproctitle("angarium: passwd")  # the arguments may have the password
    user = username or click.prompt("Username")
    if password is None:
        password = asked(user)
    for name, text in (("user name", user), ("realm", realm)):
        if not text or any(each in text for each in _SEPARATORS):
            raise click.UsageError(
                f"a {name} has no colon, number sign or line end, and is not empty"
            )
    made = line(user, realm, password)
    if path is None:
        click.echo("Place or replace this line in your password file:", err=True)
        click.echo(made)
        return
    try:
        change(path, user, realm, made)
    except (OSError, UnicodeDecodeError) as error:
        click.echo(f"passwd: {error}", err=True)
        sys.exit(FAILED)
    click.echo("Password updated.", err=True)


def asked(user: str) -> str:
    """Return a password: typed twice on a terminal, else the first line of standard input."""
    if sys.stdin.isatty():
        said: str = click.prompt(
            f"Please enter password for {user}", hide_input=True, confirmation_prompt=True, err=True
        )
        return said
    return sys.stdin.readline().rstrip("\r\n")


def line(user: str, realm: str, password: str) -> str:
    """Return the line of a user, without a line end."""
    whole = f"{user}:{realm}:{password}".encode()
    return f"{user}:{realm}:{hashlib.md5(whole, usedforsecurity=False).hexdigest()}"


def change(path: Path, user: str, realm: str, made: str) -> None:
    """Put a line into a file in one step, in place of the one that is there.

    Owner and mode of the file stay. Raises OSError, or UnicodeDecodeError if it is no text.
    """
    path = path.resolve()  # a link stays a link
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        try:
            text, found = path.read_text("utf-8"), path.stat()
        except FileNotFoundError:
            text, found = "", None
        mark = f"{user}:{realm}:"
        rows = text.splitlines()
        kept = [made if each.lstrip().startswith(mark) else each for each in rows]
        if made not in kept:
            kept.append(made)

        def own(handle: int) -> None:
            if found is None:
                give(handle)
            else:
                os.fchown(handle, found.st_uid, found.st_gid)
                os.fchmod(handle, stat.S_IMODE(found.st_mode))

        draft = f"{path}.new"
        durable.write(draft, "".join(f"{each}\n" for each in kept).encode(), OWN, prepare=own)
        os.replace(draft, path)
        durable.sync_folder(str(path.parent))
    finally:
        os.close(folder)


def main() -> None:
    command()


if __name__ == "__main__":
    main()
