"""Files of private keys: made once, for us and the server; never replaced.

write_key(path, key)            Error where the file is there already
key = read_key(path)            Error where it has no key
"""

import os
import stat
from pathlib import Path

from angarium.config import durable
from angarium.core.errors import Error
from angarium.mail.auth.keys import PrivateKey, private
from angarium.run.secret_files import OWN, give


def write_key(path: Path, key: PrivateKey) -> None:
    """Put a new key into a file, with the folders above it. Raises Error, OSError."""
    if path.exists():
        raise Error(f"{path} is there already; remove it, or name another")
    path.parent.mkdir(parents=True, exist_ok=True)
    durable.write(str(path), key.pem(), OWN, prepare=give)
    durable.sync_folder(str(path.parent))


def read_key(path: Path) -> PrivateKey:
    """Return the key of a file, which is proved to be one. Raises Error, OSError."""
    try:
        return private(path.read_bytes(), prove=True)
    except Error as error:
        raise Error(f"{path}: {error.message}") from None


def exposed(path: Path) -> bool:
    """Say whether others than owner and group may read a file. Raises OSError."""
    return bool(stat.S_IMODE(os.stat(path).st_mode) & 0o007)
