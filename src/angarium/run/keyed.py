"""Small files of settings: `name = value`, as Momentum's ec_rotate.conf has them.

    # a comment
    logfiles = /var/log/angarium/mainlog.ec \\
               /var/log/angarium/rejectlog.ec
    retention = 7

A backslash at the end of a line joins the next one. Nothing is quoted and nothing is run.
"""

import re
from collections.abc import Collection
from pathlib import Path
from typing import Final

from angarium.core.errors import Error

MOST: Final = 1 << 16  # octets of such a file; a page of text has 3000
_JOINED: Final = re.compile(r"\\[ \t]*\n")
_SETTING: Final = re.compile(r"([A-Za-z][A-Za-z0-9_]*)[ \t]*=[ \t]*(.*)")


class SettingsError(Error):
    """A file of settings cannot be read, or says what nobody understands."""


def read(path: Path, names: Collection[str]) -> dict[str, str]:
    """Return what a file sets; names in small letters, the last one counts.

    Raises:
        SettingsError: with the path, and the line if there is one.
    """
    try:
        with path.open("rb") as file:
            octets = file.read(MOST + 1)
        if len(octets) > MOST:
            raise SettingsError("too large for a file of settings", file=str(path))
        text = octets.decode()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError("cannot be read", file=str(path), reason=str(error)) from error
    found: dict[str, str] = {}
    # A joined line still counts as the lines it was, for what is told of a later one.
    joined = _JOINED.sub(lambda _: " \x00", text)
    number = 1
    for line in joined.split("\n"):
        stripped = line.replace("\x00", "").strip()
        if stripped and not stripped.startswith("#"):
            setting = _SETTING.fullmatch(stripped)
            if setting is None:
                raise SettingsError("this is no `name = value`", file=str(path), line=number)
            name = setting[1].lower()
            if name not in names:
                known = ", ".join(names)
                raise SettingsError(
                    f"no such setting: {name}; there are {known}", file=str(path), line=number
                )
            found[name] = setting[2].strip()
        number += 1 + line.count("\x00")
    return found
