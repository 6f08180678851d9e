"""All files of a configuration under change, and the search for a place in them.

A place may be opened many times, in several files; a search comes by each time, in the order in
which the files are read, so what it finds last is what holds.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from angarium.config.drafts import INCLUDE, Block, Draft, Spot, matches
from angarium.config.grammar import File, Include, Item, Setting, Stanza, parse
from angarium.config.path import Step
from angarium.config.tree import LOCAL_CHANGES, Document

HEADER: Final = "# Changes made while the server runs. They count more than all other files.\n"


@dataclass(frozen=True, slots=True)
class Visit:
    """What a search comes by: a stanza on the way to a place, or a setting there.

    `depth` is how many steps lead to the stanza; `outer`, where the stanza itself stands, is None
    for a file.
    """

    draft: Draft
    spot: Spot
    depth: int
    outer: Spot | None = None
    setting: Setting | None = None


class Drafts:
    """The files of a document. `readonly`: paths to which nothing is written."""

    __slots__ = ("_by_path", "_included", "_inside", "main", "readonly")

    def __init__(self, document: Document) -> None:
        self.readonly = frozenset(document.readonly)
        self._by_path = {path: Draft(file) for path, file in document.files.items()}
        self.main = self._by_path[document.main.path]
        # By file and target: an edit reads includes anew, and they stand for the same files.
        self._included: dict[tuple[str, str], tuple[Draft, ...]] = {}
        for file in document.files.values():
            for item in _includes(file):
                found = document.included.get(item, ())
                self._included[file.path, item.target] = tuple(
                    self._by_path[each.path] for each in found
                )
        self._inside = frozenset(
            draft.path for found in self._included.values() for draft in found
        ) | {self.main.path}

    def changed(self) -> dict[str, bytes]:
        """Return the files which are not as they were, by path."""
        return {path: each.encode() for path, each in self._by_path.items() if each.changed}

    # The file of local changes.

    def local(self) -> Draft | None:
        """Return the file of local changes, if it is there or the main file names it."""
        named = self._named()
        if named and self._usable(named):
            return self.made_local()
        found = self._by_path.get(LOCAL_CHANGES)
        return found if found is not None and not named and self._usable(LOCAL_CHANGES) else None

    def made_local(self) -> Draft | None:
        """Return the file of local changes, begun now if need be; None if another file is it."""
        path = self._named() or LOCAL_CHANGES
        if not self._usable(path):
            return None
        if path not in self._by_path:
            self._by_path[path] = Draft(parse(path, HEADER.encode()), is_new=True)
        return self._by_path[path]

    def _usable(self, path: str) -> bool:
        """Say whether a file is read as local changes: not if it is read before already."""
        return path not in self._inside and "\0" not in path

    def _named(self) -> str:
        named = ""
        for slot in self.main.block.slots_of("local_changes_file"):
            for item in self.main.block.items(slot):
                if isinstance(item, Setting) and item.name == "local_changes_file":
                    named = item.value if isinstance(item.value, str) else named
        return named

    # Searching.

    def last(self, steps: tuple[Step, ...], option: str) -> Visit | None:
        """Return the setting of an option which holds at a place."""
        found = self.settings(steps, option)
        return found[-1] if found else None

    def settings(self, steps: tuple[Step, ...], option: str) -> list[Visit]:
        return [each for each in self.visits(steps, option) if each.setting is not None]

    def stanzas(self, steps: tuple[Step, ...]) -> list[Visit]:
        """Return the stanzas of a place, without the files that are included there."""
        return [each for each in self.visits(steps)
                if each.depth == len(steps) and each.outer is not None]  # fmt: skip

    def visits(self, steps: tuple[Step, ...], option: str = "") -> Iterator[Visit]:
        """Yield the stanzas on the way to a place, and the settings of an option there."""
        for draft in filter(None, (self.main, self.local())):
            yield from self._block(_Search(draft, steps, option), draft.block, None)

    def _block(self, search: "_Search", block: Block, outer: Spot | None) -> Iterator[Visit]:
        yield Visit(search.draft, Spot(block), search.depth, outer)
        for slot in search.slots(block):
            for number, item in enumerate(block.items(slot)):
                yield from self._item(search, Spot(block, slot, (number,)), item)

    def _item(self, search: "_Search", spot: Spot, item: Item) -> Iterator[Visit]:
        if isinstance(item, Include):
            for draft in self._included.get((search.draft.path, item.target), ()):
                yield from self._block(search.inside(draft), draft.block, None)
        elif isinstance(item, Setting):
            if search.option == item.name and search.depth == len(search.steps):
                yield Visit(search.draft, spot, search.depth, setting=item)
        elif search.leads(item):
            below = search.below()
            assert spot.slot is not None
            block = spot.block.inner(spot.slot, item) if len(spot.path) == 1 else None
            if block is not None:
                yield from self._block(below, block, spot)
                return
            yield Visit(search.draft, spot, below.depth, spot)
            for number, each in enumerate(item.items):
                yield from self._item(
                    below, Spot(spot.block, spot.slot, (*spot.path, number)), each
                )


@dataclass(frozen=True, slots=True)
class _Search:
    """What is looked for, in which file, and how deep the search is."""

    draft: Draft
    steps: tuple[Step, ...]
    option: str
    depth: int = 0

    def inside(self, draft: Draft) -> "_Search":
        return _Search(draft, self.steps, self.option, self.depth)

    def below(self) -> "_Search":
        return _Search(self.draft, self.steps, self.option, self.depth + 1)

    def leads(self, item: Stanza) -> bool:
        return self.depth < len(self.steps) and matches(*self.steps[self.depth], item)

    def slots(self, block: Block) -> list[int]:
        """Return the slots of a block which may have what is looked for, or includes."""
        includes = block.slots_of(INCLUDE)
        if self.depth < len(self.steps):
            found = block.slots_with(*self.steps[self.depth])
        else:
            found = block.slots_of(self.option) if self.option else []
        return sorted({*found, *includes}) if includes else list(found)


def _includes(file: File) -> Iterator[Include]:
    pending = [file.items]
    while pending:
        for item in pending.pop():
            if isinstance(item, Include):
                yield item
            elif isinstance(item, Stanza):
                pending.append(item.items)
