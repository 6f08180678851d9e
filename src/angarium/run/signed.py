"""What was signed, by binding, kept beyond the end of the server: `signing_stats`.

    known = load(state)
    save(state, known)

It is written with the last words of each worker, so a server which is stopped in order loses none.
The rule: these are figures. A file which cannot be read or written is told, and stops nothing.
"""

import os
from pathlib import Path
from typing import Final

import msgspec

from angarium.config.durable import write
from angarium.events.signing import Signed

NAME: Final = "signed.json"
_MODE: Final = 0o640


def load(state: Path) -> tuple[dict[str, Signed], str]:
    """Return what was kept, by kind and binding, and what is wrong with the file."""
    path = state / NAME
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, Signed]), ""
    except FileNotFoundError:
        return {}, ""
    except (OSError, msgspec.MsgspecError) as error:
        return {}, f"{path}: {error}; figures of signatures begin anew"


def save(state: Path, known: dict[str, Signed]) -> str:
    """Keep it; return what is wrong, if it cannot be."""
    path = state / NAME
    if not known:
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            return f"{path}: {error.strerror}; what it has counts again after the next start"
        return ""
    coming = f"{path}.new"
    try:
        write(coming, msgspec.json.format(msgspec.json.encode(known)), _MODE)
        os.replace(coming, path)
    except OSError as error:
        return f"{path}: {error.strerror}; figures of signatures are not kept"
    return ""
