"""Whether this program can read the spool it is to start on; looked at before anything is touched.

A spool of a newer version is no damage: whoever goes back a version has to be told, and not to
find an empty queue. So the server does not start, as long as one shard is newer.
"""

from pathlib import Path

from angarium.core.errors import Error
from angarium.journal.disk import FileDisk
from angarium.journal.errors import DamageError, FormatError
from angarium.journal.segment import survey
from angarium.queue.spool import checkpoint
from angarium.queue.spool.inventory import LOGS
from angarium.run import shards


class NewerError(Error):
    """A spool was written by a newer version."""


def refuse_newer(spool: Path) -> None:
    """Look at the versions of all files of a spool; nothing is changed.

    Raises:
        NewerError: at least one is newer than we are.
        OSError: they cannot be read.
    """
    disk = FileDisk()
    for name in shards.existing(spool):
        directory = str(spool / name)
        try:
            for log, kind in LOGS:
                survey(disk, f"{directory}/{log}", kind)
            _checkpoint(disk, f"{directory}/{checkpoint.DIRECTORY}")
        except FormatError as error:
            raise NewerError(
                "this spool was written by a newer Angarium: start that one, or export the mail "
                "with its `angarium spool export`; nothing was touched",
                **error.fields,
            ) from error


def _checkpoint(disk: FileDisk, directory: str) -> None:
    newest = checkpoint.newest(disk.names(directory))
    if not newest:
        return
    path = f"{directory}/{checkpoint.name_of(newest)}"
    try:
        checkpoint.Reader(disk, path).close()
    except DamageError:
        return  # recovery will tell
    except FormatError as error:
        error.fields.setdefault("file", path)
        raise
