"""From a file to a `Configuration`, or to all its faults.

conf = load("etc/quickstart/ecelerity.conf")

data = snapshot("ecelerity.conf")           in the supervisor
conf = load_snapshot(data, 2)    in each worker: the very same text
"""

import functools
import hashlib
import importlib
import os
import pkgutil
from collections.abc import Mapping

import msgspec

import angarium
from angarium.config import authentication, rules  # noqa: F401 - registers rules
from angarium.config.check import Checked
from angarium.config.errors import ConfigError, Fault, Severity
from angarium.config.held import NOTHING, Held
from angarium.config.resolve import Configuration
from angarium.config.tree import Disk, Document, Snapshot, Sources, outline, read, search_path


@functools.cache
def declarations() -> None:
    """Import every `options` module, so that what may be set depends on no other import."""
    for each in pkgutil.walk_packages(angarium.__path__, "angarium."):
        if "options" in each.name.split("."):
            importlib.import_module(each.name)


def load(
    path: str | os.PathLike[str],
    generation: int = 1,
    *,
    environ: Mapping[str, str] | None = None,
    files: bool = True,
) -> Configuration:
    """Read a configuration and all it includes.

    Args:
        files: look at what stands in files which options name, too. Not on another machine.

    Raises:
        ConfigError: with every fault, by file, line and column.
    """
    return load_snapshot(snapshot(path, environ=environ), generation, files=files)


def snapshot(path: str | os.PathLike[str], *, environ: Mapping[str, str] | None = None) -> bytes:
    """Read all files of a configuration into one value, unchecked.

    Raises:
        ConfigError: the main file cannot be read, or a name is no UTF-8.
    """
    search = search_path(os.environ if environ is None else environ)
    disk, main = Disk(), os.fspath(path)
    read(main, disk, search, outline)
    try:
        return msgspec.msgpack.encode(
            Snapshot(main, search, disk.files, disk.directories, disk.errors)
        )
    except UnicodeEncodeError as error:
        message = f"the name of a file is no UTF-8: {error.object!r}"
        raise ConfigError([Fault(main, 0, 0, message, "rename it")]) from None


def load_snapshot(
    data: bytes, generation: int = 1, *, files: bool = True, held: Held = NOTHING
) -> Configuration:
    """Build what a snapshot holds; equal snapshots give equal configurations.

    Args:
        files: look at what stands in files which options name, too. Not where it was done before.
        held: those of them which could be read at the start only.

    Raises:
        ConfigError: with every fault, by file, line and column.
    """
    checked, taken = _check(data, files=files, held=held)
    errors = [each for each in checked.faults if each.severity is Severity.ERROR]
    if errors:
        raise ConfigError(errors)
    return Configuration(
        checked.root,
        notes=checked.faults,
        generation=generation,
        text_hash=text_hash(data),
        search=(os.path.dirname(taken.main), *taken.search),
        held=held,
    )


def text_hash(data: bytes) -> str:
    """Return what tells a snapshot from others."""
    return hashlib.sha256(data).hexdigest()[:16]


def check_snapshot(data: bytes, *, files: bool = True) -> Checked:
    """Return what a snapshot means with its faults, for `config check` and `config explain`."""
    return _check(data, files=files)[0]


def _check(data: bytes, *, files: bool, held: Held = NOTHING) -> tuple[Checked, Snapshot]:
    taken = msgspec.msgpack.decode(data, type=Snapshot)
    declarations()
    document = read(taken.main, taken, taken.search)
    taken.files.clear()  # They are in the document, and may be large.
    return _checked(document, files=files, held=held), taken


def check(path: str, sources: Sources, search: tuple[str, ...] = ()) -> Checked:
    """Read and check a configuration from any source. Faults are in the result.

    Raises:
        ConfigError: the main file cannot be read.
    """
    declarations()
    return _checked(read(path, sources, search), files=False)


def _checked(document: Document, *, files: bool, held: Held = NOTHING) -> Checked:
    checked = Checked(document, held)
    rules.apply(checked, files=files)
    checked.close()
    _in_file_order(checked, document)
    return checked


def load_text(text: str, generation: int = 1, *, path: str = "ecelerity.conf") -> Configuration:
    """Build a configuration from a text which includes nothing: for tests and the lab.

    Raises:
        ConfigError: with every fault.
    """
    taken = Snapshot(path, (), {path: text.encode()}, {})
    return load_snapshot(msgspec.msgpack.encode(taken), generation, files=False)


def _in_file_order(checked: Checked, document: Document) -> None:
    order = {path: index for index, path in enumerate(document.files)}
    checked.faults.sort(key=lambda each: (order.get(each.file, -1), each.line, each.column))
