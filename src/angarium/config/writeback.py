"""Changes from memory to the files: all of them, or none as far as `rename` lets us.

Nothing is overwritten which is not what was read: whoever edited a file meanwhile is told, and
keeps the edit. First all new texts are written and synced beside the files, then they take their
places; if one cannot, those before it get their old text back. A file keeps its mode, owner and
extended attributes; of a symbolic link, what it points to is written.
"""

import contextlib
import os
import stat
from dataclasses import dataclass
from typing import Final

import msgspec

from angarium.config import durable
from angarium.config.flatten import flattened
from angarium.config.tree import Snapshot
from angarium.core.errors import Error

BESIDE: Final = ".angarium-new"
NEW_MODE: Final = 0o640  # of a file which comes into being, where there is no main file
TITLE: Final = b"# The whole configuration in one file, by `config writeback`.\n"


class WritebackError(Error):
    """Files were left as they are; the message names the one and says why."""


@dataclass(frozen=True, slots=True)
class _Target:
    """A file to be written. `old` is None if there is none yet; `like`, whose mode it gets."""

    path: str  # no link
    old: bytes | None
    new: bytes
    like: str

    @property
    def beside(self) -> str:
        return self.path + BESIDE


def changed(read: bytes, now: bytes) -> list[str]:
    """Return the files in which two snapshots differ, in the order of the later one."""
    before = msgspec.msgpack.decode(read, type=Snapshot).files
    after = msgspec.msgpack.decode(now, type=Snapshot).files
    return [path for path, text in after.items() if before.get(path) != text]


def write(read: bytes, now: bytes) -> list[str]:
    """Write what differs between the snapshot of the files as they were read, and that of now.

    Returns:
        The files which were written. `now` is what the next writeback has as `read`.

    Raises:
        WritebackError: nothing was written.
    """
    before = msgspec.msgpack.decode(read, type=Snapshot)
    after = msgspec.msgpack.decode(now, type=Snapshot)
    targets = [
        _Target(os.path.realpath(path), before.files.get(path), after.files[path],
                os.path.realpath(path if path in before.files else after.main))
        for path in changed(read, now)
    ]  # fmt: skip
    pending = [each for each in targets if not _is_there(each)]
    for each in pending:
        _check(each)
    _replace_all(pending)
    return [each.path for each in pending]


def write_to(path: str, now: bytes) -> None:
    """Write the whole configuration into one file: a new one, or one written by this before.

    Raises:
        WritebackError: nothing was written.
        FlattenError: it is too large as one file.
    """
    if not os.path.isabs(path) or "\0" in path:
        raise WritebackError(f"{path!r} is no absolute path")
    target = os.path.realpath(path)
    old = _octets(target)
    if old is not None and not old.startswith(TITLE):
        raise WritebackError(f"{target} exists and was not written by `config writeback`")
    main = msgspec.msgpack.decode(now, type=Snapshot).main
    like = target if old is not None else os.path.realpath(main)
    _replace_all([_Target(target, old, TITLE + flattened(now), like)])


def _octets(path: str) -> bytes | None:
    """Return what a file holds now, None if there is none."""
    try:
        with open(path, "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise WritebackError(f"{path} is no file")
            return file.read()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise WritebackError(f"{path} cannot be read: {error.strerror}") from None


def _is_there(target: _Target) -> bool:
    """Say whether the file has the new text already, as after a writeback nobody was told of."""
    return _octets(target.path) == target.new


def _check(target: _Target) -> None:
    """Refuse what was changed by somebody else, or may not be changed by us."""
    found = _octets(target.path)
    if found != target.old:
        if target.old is None:
            raise WritebackError(f"{target.path} exists, and was not there when files were read")
        what = "is gone" if found is None else "was changed"
        raise WritebackError(
            f"{target.path} {what} since it was read; reload to see it, then make the change again"
        )
    if found is not None and not os.access(target.path, os.W_OK):
        raise WritebackError(f"{target.path} may not be written to: Permission denied")


def _replace_all(targets: list[_Target]) -> None:
    done: list[_Target] = []
    path = ""
    try:
        for each in targets:
            path = each.path
            _write_beside(each, each.new)
        for each in targets:
            path = each.path
            _check(each)
            os.rename(each.beside, each.path)
            done.append(each)
        for path in dict.fromkeys(os.path.dirname(each.path) for each in targets):
            durable.sync_folder(path)
    except (OSError, WritebackError) as error:
        left = [each.path for each in reversed(done) if not _restored(each)]
        for each in targets:
            with contextlib.suppress(OSError):
                os.unlink(each.beside)
        if isinstance(error, OSError):
            error = WritebackError(f"{path} cannot be written: {error.strerror}")
        if left:
            error.message += f"; the new text is in {', '.join(left)}"
        raise error from None


def _restored(target: _Target) -> bool:
    """Give a file its old text back; say whether it has it."""
    try:
        if target.old is None:
            os.unlink(target.path)
        else:
            _write_beside(target, target.old)
            os.rename(target.beside, target.path)
        durable.sync_folder(os.path.dirname(target.path))
    except OSError:
        return False
    return True


def _write_beside(target: _Target, octets: bytes) -> None:
    is_new = not os.path.exists(target.path)
    like = target.like if is_new else target.path

    def prepare(handle: int) -> None:
        with contextlib.suppress(FileNotFoundError):
            _make_alike(handle, like, is_new=is_new)

    durable.write(target.beside, octets, NEW_MODE, prepare=prepare)


def _make_alike(handle: int, path: str, *, is_new: bool) -> None:
    """Give a file the owner, mode and extended attributes of an old one.

    Args:
        is_new: it takes nothing's place, so it may be ours: the main file can be root's.
    """
    old, new = os.stat(path), os.fstat(handle)
    if (old.st_uid, old.st_gid) != (new.st_uid, new.st_gid):
        try:
            os.fchown(handle, old.st_uid, old.st_gid)
        except PermissionError:
            if not is_new:
                raise
    os.fchmod(handle, stat.S_IMODE(old.st_mode))
    try:
        for name in os.listxattr(path):  # access control lists, labels of SELinux
            os.setxattr(handle, name, os.getxattr(path, name))
    except OSError:
        return  # Such as a file system without them, or a label which is given by rules anyway.
