"""A configuration while it is being changed: commands of an operator, edits of the files.

    workspace = Workspace(snapshot)
    workspace.set(["domain", "example.com"], "max_outbound_connections", "5")
    load_snapshot(workspace.snapshot())

Nothing is written and nothing goes live here. Into which file a change goes:

1. what is set already is replaced where it was set last, if that file may be written;
2. else it goes into the first file, in the order they are read, that may be written and has the
   stanza;
3. else into local_changes_file, if there is one or it is named;
4. else into the main file, or into local_changes_file where that may not be written.

With local_changes_only it is always the local changes. What is set last counts, so each change is
looked up again, and goes to the next of these places if it is not what holds there.

A value is checked when it is set, the rules across options when the snapshot is loaded.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

import msgspec

from angarium.config import path, spelling
from angarium.config.check import Checked
from angarium.config.drafts import Draft, Undo
from angarium.config.edit import Addition
from angarium.config.grammar import Setting, parse
from angarium.config.kinds import Bool, Raw
from angarium.config.load import check_snapshot, text_hash
from angarium.config.option import Option
from angarium.config.options import Changes
from angarium.config.path import PathError, Place, Step, option_in, unknown
from angarium.config.spelling import HIDDEN, quotes, secret
from angarium.config.tree import Snapshot, read
from angarium.config.visits import Drafts, Visit
from angarium.core.errors import Error

Where: TypeAlias = Place | Sequence[str]  # a place, or the words a console has for it


class WorkspaceError(Error):
    """A change which cannot be made; the message says why, and what would do."""


def everywhere(_path: str) -> bool:
    """Say that any file may be written; whether it can be is seen when it is."""
    return True


class Workspace:
    """The files of a snapshot, and what was done to them.

    Args:
        writable: says of a path whether changes may go there at all. Files of readonly_include, and
            those which are included more than once, never are.
    """

    def __init__(self, snapshot: bytes, *, writable: Callable[[str], bool] = everywhere) -> None:
        self.base = self._given = snapshot
        self._taken = msgspec.msgpack.decode(snapshot, type=Snapshot)
        self._writable = writable
        self._commands: list[str] = []
        self._checked: tuple[int, Checked] | None = None
        self._only: bool | None = None  # local_changes_only, once somebody asked
        self._files = Drafts(read(self._taken.main, self._taken, self._taken.search))

    @classmethod
    def from_scratch(cls, snapshot: bytes) -> "Workspace":
        """Return a workspace with nothing set, for the main file of a snapshot."""
        taken = msgspec.msgpack.decode(snapshot, type=Snapshot)
        empty = msgspec.structs.replace(taken, files={taken.main: b""}, directories={})
        workspace = cls(msgspec.msgpack.encode(empty))
        workspace.base = snapshot
        return workspace

    # What became of it.

    @property
    def base_hash(self) -> str:
        """Return the `text_hash` of the configuration this began with."""
        return text_hash(self.base)

    @property
    def changed(self) -> bool:
        """Say whether any file is different."""
        return self.snapshot() != self.base

    def replay(self) -> list[str]:
        """Return the commands so far, as an operator types them; secrets are masked."""
        return list(self._commands)

    def snapshot(self) -> bytes:
        """Return all files as they are now, unchecked."""
        changed = self._files.changed()
        if not changed:
            return self._given
        files = self._taken.files | changed
        return msgspec.msgpack.encode(msgspec.structs.replace(self._taken, files=files))

    def checked(self) -> Checked:
        """Return what it means now, with its faults, for those who ask within a transaction."""
        if self._checked is None or self._checked[0] != len(self._commands):
            self._checked = len(self._commands), check_snapshot(self.snapshot(), files=False)
        return self._checked[1]

    # Commands.

    def set(self, where: Where, option: str, text: str) -> None:
        """Set an option at a place.

        Args:
            text: the value as it is written in a file.

        Raises:
            PathError: there is no such place or option.
            WorkspaceError: the value is none of the option, or another one would hold.
        """
        place = _place(where)
        declared = option_in(place.kind, option)
        if declared is None and not place.kind.free:
            raise unknown(place.kind, option)
        hidden = secret(declared, option.lower())
        value = _value(option, text, hidden=hidden)
        if declared is not None:
            _check(declared, value)
        if value == HIDDEN and hidden:
            raise WorkspaceError(f"{HIDDEN} stands for a secret which is not shown; write it out")
        what = Addition(option, value, quoted=quotes(declared))
        self._put(place.steps, what)
        shown = HIDDEN if hidden else " ".join(spelling.lines(value, quoted=what.quoted))
        if declared is Changes.local_changes_only:
            self._only = None
        self._commands.append(f"config set {_words(place.steps)}{option} = {shown}")

    def unset(self, where: Where, option: str | None = None) -> bool:
        """Remove an option from a place, or the place with all that is in it.

        Returns:
            Whether there was anything to remove.

        Raises:
            PathError: there is no such place or option.
            WorkspaceError: it stands in a file which may not be changed, or it is the file itself.
        """
        place = _place(where)
        if option is None:
            if not place.steps:
                raise WorkspaceError("all of the configuration cannot be unset at once")
            found = self._remove(lambda: self._files.stanzas(place.steps))
            self._commands.append(f"config unset {_words(place.steps)}".rstrip())
            return found
        if option_in(place.kind, option) is None and not place.kind.free:
            raise unknown(place.kind, option)
        found = self._remove(lambda: self._files.settings(place.steps, option.lower()))
        self._only = None
        self._commands.append(f"config unset {_words(place.steps)}{option}")
        return found

    # How a value gets into a file.

    def _put(self, steps: tuple[Step, ...], what: Addition) -> None:
        visits = list(self._files.visits(steps, what.option.lower()))
        found = [each.setting.value for each in visits if each.setting is not None]
        if found[-1:] == [what.value]:
            return
        for attempt in self._attempts(visits, steps, what):
            undo = attempt()
            if self._holds(steps, what):
                return
            undo()
        last = self._files.last(steps, what.option.lower())
        file = (last.draft if last is not None else self._files.main).path
        raise WorkspaceError(
            f"{what.option} cannot be set there: {file} is not written to, and is read after all "
            "files which are"
        )

    def _attempts(
        self, visits: list[Visit], steps: tuple[Step, ...], what: Addition
    ) -> Iterator[Callable[[], Undo]]:
        """Yield ways to set it, in the order of the rules."""
        only = self._only_local()
        last = max((at for at, each in enumerate(visits) if each.setting is not None), default=-1)
        local = self._files.local()
        main = self._files.main
        if last >= 0:
            found = visits[last]
            if self._may(found.draft) and (not only or found.draft is local):
                yield lambda: found.draft.replace(found.spot, what.value, quoted=what.quoted)
        if not only:
            there = [at for at, each in enumerate(visits) if each.setting is None
                     and each.depth == len(steps) and self._may(each.draft)
                     and each.draft is not local]  # fmt: skip
            # What is behind the one which holds now will hold; the first one may, for all we know.
            behind = [at for at in there if at > last]
            for at in dict.fromkeys(there[:1] + behind[:1]):
                yield _adding(visits[at], steps, what)
        if local is not None and self._may(local):
            yield from self._within(local, steps, what)
        if not only and self._may(main):
            yield from self._within(main, steps, what)
        if local is None and (only or not self._may(main)):
            local = self._files.made_local()
            if local is not None:
                yield from self._within(local, steps, what)

    def _within(
        self, draft: Draft, steps: tuple[Step, ...], what: Addition
    ) -> Iterator[Callable[[], Undo]]:
        """Yield ways to set it in one file: in the innermost stanza there is, else at the end."""
        there = [each for each in self._files.visits(steps) if each.draft is draft]
        deepest = max((each.depth for each in there), default=0)
        if deepest:
            yield _adding([each for each in there if each.depth == deepest][-1], steps, what)
        yield lambda: draft.append(_inside(steps, what))

    def _holds(self, steps: tuple[Step, ...], what: Addition) -> bool:
        last = self._files.last(steps, what.option.lower())
        return last is not None and last.setting is not None and last.setting.value == what.value

    def _remove(self, visits: Callable[[], list[Visit]]) -> bool:
        found = visits()
        for each in found:
            if not self._may(each.draft):
                raise WorkspaceError(
                    f"it stands in {each.draft.path}, which is not written to; remove it there"
                )
        left = found
        while left:  # One at a time: the others have other numbers then.
            left[-1].draft.remove(left[-1].outer or left[-1].spot)
            left = visits()
        return bool(found)

    def _may(self, draft: Draft) -> bool:
        return draft.path not in self._files.readonly and self._writable(draft.path)

    def _only_local(self) -> bool:
        if self._only is None:
            last = self._files.last((), Changes.local_changes_only.name)
            found = last.setting if last is not None else None
            self._only = found is not None and Bool().parse(found.value)
        return self._only


def _adding(visit: Visit, steps: tuple[Step, ...], what: Addition) -> Callable[[], Undo]:
    """Return what adds to a stanza, with the stanzas which are missing in there."""
    return lambda: visit.draft.add(visit.spot, _inside(steps[visit.depth :], what))


def _inside(steps: tuple[Step, ...], what: Addition) -> Addition:
    return replace(what, stanzas=tuple((kind.name, instance) for kind, instance in steps))


def _words(steps: tuple[Step, ...]) -> str:
    """Return a place as the beginning of what a console takes, with a blank behind."""
    return "".join(f"{word} " for word in path.words_of(steps))


def _place(where: Where) -> Place:
    place = where if isinstance(where, Place) else path.parse(where)
    if place.rest and not isinstance(where, Place):
        raise PathError(f"{place.rest[0]} is no stanza")
    return place


def _check(declared: Option[Any], value: Raw) -> None:
    try:
        declared.kind.parse(value)
    except ValueError as wrong:
        raise WorkspaceError(f"{declared.name}: {wrong}; write {declared.kind}") from None


def _value(option: str, text: str, *, hidden: bool) -> Raw:
    """Read a value as a file would have it."""
    try:
        octets = text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        raise WorkspaceError(f"{option}: there are characters which cannot be written") from None
    file = parse("", b"value = " + octets)
    item = file.items[0] if file.items else None
    if file.faults or len(file.items) != 1 or not isinstance(item, Setting) or (
        item.end != len(file.text.rstrip())
    ):  # fmt: skip
        raise WorkspaceError(
            f"{option}: {HIDDEN if hidden else repr(text[:80])} is no value; write a word, a text "
            "in quotes, a list ( ... ) or a dictionary [ key = value ... ]"
        )
    return item.value
