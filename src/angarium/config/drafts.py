"""A file under change: its text in pieces, so that an edit reads again only the lines it touches.

A `Block` is a row of statements: those of a file, or inside a large stanza. It is cut into slots:
whole lines with whole statements, so that each can be read alone. What was not edited stays as the
file was parsed; what was is a small text of its own. Slots keep their numbers.
"""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from angarium.config import edit
from angarium.config.check import normal_instance
from angarium.config.edit import Addition, Edit, Style
from angarium.config.grammar import File, Include, Item, Setting, Stanza, parse
from angarium.config.kinds import Raw
from angarium.config.scope import STANZAS, StanzaKind

LARGE: Final = 16_384  # characters of a stanza which is cut into slots of its own
INCLUDE: Final = ""  # what includes are looked up by

Undo: TypeAlias = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Spot:
    """Where something stands: in a slot, by the numbers of statements from the outermost one on.

    No slot: the block itself.
    """

    block: "Block"
    slot: int | None = None
    path: tuple[int, ...] = ()

    def inside(self, number: int) -> "Spot":
        """Return where a statement of the stanza at this spot stands."""
        return Spot(self.block, self.slot, (*self.path, number))


class Draft:
    """One file."""

    __slots__ = ("block", "file", "is_new", "style")

    def __init__(self, file: File, *, is_new: bool = False) -> None:
        self.file = file
        self.is_new = is_new
        self.style = Style.of(file.text)
        self.block = Block(file.path, file.text, file.items, 0, len(file.text))

    @property
    def path(self) -> str:
        return self.file.path

    @property
    def changed(self) -> bool:
        return self.block.edited and (self.is_new or self.text != self.file.text)

    @property
    def text(self) -> str:
        return self.block.text if self.block.edited else self.file.text

    def encode(self) -> bytes:
        return self.text.encode("utf-8", "surrogateescape")

    # Edits. Each returns what takes it back, while no other came after it.

    def replace(self, spot: Spot, value: Raw, *, quoted: bool) -> Undo:
        """Give the setting at a spot another value."""
        slot, file, item = _at(spot)
        assert isinstance(item, Setting)
        return spot.block.put(slot, edit.replaced(file, item, value, self.style, quoted=quoted))

    def remove(self, spot: Spot) -> Undo:
        """Remove what stands at a spot."""
        slot, file, item = _at(spot)
        return spot.block.put(slot, edit.removed(file, item))

    def add(self, spot: Spot, what: Addition) -> Undo:
        """Add to the stanza or block at a spot."""
        if spot.slot is None:
            if what.stanzas and spot.block is self.block:
                return self.append(what)
            slot = spot.block.slot_for(stanza=bool(what.stanzas))
            file = spot.block.read(slot)
            return spot.block.put(slot, edit.added(file, None, what, self.style))
        slot, file, item = _at(spot)
        assert isinstance(item, Stanza)
        return spot.block.put(slot, edit.added(file, item, what, self.style))

    def append(self, what: Addition) -> Undo:
        """Add at the end of the file."""
        slot = self.block.tail()
        file = self.block.read(slot)
        return self.block.put(slot, edit.appended(file.text, what, self.style))


class Block:
    """Statements in a row; see the module."""

    __slots__ = (
        "_base",
        "_by_instance",
        "_by_name",
        "_end",
        "_first",
        "_items",
        "_last_direct",
        "_nested",
        "_new",
        "_path",
        "_starts",
    )  # fmt: skip

    def __init__(self, path: str, text: str, items: list[Item], start: int, end: int) -> None:
        self._path = path
        self._base = text
        self._items = items
        self._end = end
        self._starts = [start]  # of slots; the last one has the rest of the text
        self._first = [0]  # the number of the first statement in each slot
        for number, item in enumerate(items, 1):
            behind = item.end
            begin = behind + 1 if text.startswith("\n", behind) else edit.line_end(text, behind)
            if begin is not None and begin <= end:
                self._starts.append(begin)
                self._first.append(number)
        self._new: dict[int, File] = {}
        self._nested: dict[int, _Nested] = {}
        self._by_name: dict[str, list[int]] | None = None
        self._by_instance: dict[str, dict[str, list[int]]] = {}
        self._last_direct: int | None = None  # the last slot with a setting or include; -1: none

    @property
    def edited(self) -> bool:
        return bool(self._new) or any(each.block.edited for each in self._nested.values())

    @property
    def text(self) -> str:
        pieces: list[str] = []
        at = self._starts[0]
        for slot in sorted({*self._new, *self._nested}):
            pieces += (self._base[at : self._starts[slot]], self._text(slot))
            at = self._stop(slot)
        pieces.append(self._base[at : self._end])
        return "".join(pieces)

    def items(self, slot: int) -> list[Item]:
        """Return the statements of a slot."""
        new = self._new.get(slot)
        if new is not None:
            return new.items
        stop = self._first[slot + 1] if slot + 1 < len(self._first) else len(self._items)
        return self._items[self._first[slot] : stop]

    def read(self, slot: int) -> File:
        """Return a slot as a file of its own."""
        new = None if slot in self._nested else self._new.get(slot)
        return new if new is not None else self._parsed(self._text(slot))

    def put(self, slot: int, change: Edit) -> Undo:
        """Change the text of a slot; return what takes it back.

        What is added at the very end gets a slot of its own: a thousand new stanzas are not read a
        thousand times.
        """
        text = self._text(slot)
        if text and change.start == len(text) and slot == self.tail():
            slot, text, change = self._new_slot(), "", Edit(0, 0, change.text)
        new = self._parsed(change.apply(text))
        assert not new.faults, new.faults
        before, nested = self._new.get(slot), self._nested.pop(slot, None)
        self._new[slot] = new
        self._index(slot, new.items)

        def undo() -> None:
            del self._new[slot]
            self._nested.pop(slot, None)
            if before is not None:
                self._new[slot] = before
            if nested is not None:
                self._nested[slot] = nested
            self._last_direct = None

        return undo

    def inner(self, slot: int, stanza: Stanza) -> "Block | None":
        """Return the block of a large stanza which has its slot for itself, None for others."""
        found = self._nested.get(slot)
        if found is None:
            if stanza.end - stanza.inside <= LARGE or len(self.items(slot)) > 1:
                return None
            file = self._new.get(slot)
            text = self._base if file is None else file.text
            start, stop = (self._starts[slot], self._stop(slot)) if file is None else (0, len(text))
            found = self._nested[slot] = _Nested.of(self._path, text, stanza, start, stop)
        return found.block

    def slot_for(self, *, stanza: bool) -> int:
        """Return the slot behind the statements of which a stanza or setting is added."""
        last = len(self._starts) - 1
        if stanza:
            while last > 0 and not self.items(last):
                last -= 1
            return last if self.items(last) else self.tail()
        if self._last_direct is None:
            self._last_direct = self._find_direct(last)
        return self.tail() if self._last_direct < 0 else self._last_direct

    def _new_slot(self) -> int:
        self._starts.append(self._end)
        self._first.append(len(self._items))
        return len(self._starts) - 1

    def tail(self) -> int:
        """Return the last slot which has any text."""
        last = len(self._starts) - 1
        while last > 0 and not self._text(last):
            last -= 1
        return last

    def _find_direct(self, last: int) -> int:
        while last >= 0 and not _has_direct(self.items(last)):
            last -= 1
        return last

    # Lookups. A slot which is returned may have lost what was asked for; none is left out.

    def slots_of(self, name: str) -> list[int]:
        """Return the slots with statements of a name; INCLUDE for includes."""
        if self._by_name is None:
            self._by_name = {}
            for slot in range(len(self._starts)):
                for each in {_name(item) for item in self.items(slot)}:
                    self._by_name.setdefault(each, []).append(slot)
        return self._by_name.get(name, [])

    def slots_with(self, kind: StanzaKind, instance: str) -> list[int]:
        """Return the slots with stanzas of a kind and instance."""
        known = self._by_instance.get(kind.key)
        if known is None:
            known = self._by_instance[kind.key] = {}
            for slot in self.slots_of(kind.name):
                for each in _instances(kind, self.items(slot)):
                    known.setdefault(each, []).append(slot)
        return known.get(instance, [])

    def _index(self, slot: int, items: list[Item]) -> None:
        """Note what stands in a slot now."""
        if self._by_name is not None:
            for name in {_name(item) for item in items}:
                _note(self._by_name.setdefault(name, []), slot)
        for key, known in self._by_instance.items():
            for each in _instances(STANZAS[key], items):
                _note(known.setdefault(each, []), slot)
        if self._last_direct is not None:
            direct = _has_direct(items)
            if direct and slot > self._last_direct:
                self._last_direct = slot
            elif not direct and slot == self._last_direct:
                self._last_direct = self._find_direct(slot)

    # Texts.

    def _stop(self, slot: int) -> int:
        return self._starts[slot + 1] if slot + 1 < len(self._starts) else self._end

    def _text(self, slot: int) -> str:
        nested = self._nested.get(slot)
        if nested is not None:
            return nested.text
        new = self._new.get(slot)
        return self._base[self._starts[slot] : self._stop(slot)] if new is None else new.text

    def _parsed(self, text: str) -> File:
        return parse(self._path, text.encode("utf-8", "surrogateescape"))


@dataclass(frozen=True, slots=True)
class _Nested:
    """A large stanza: what is before its block, and after."""

    head: str
    block: Block
    tail: str

    @classmethod
    def of(cls, path: str, text: str, stanza: Stanza, start: int, stop: int) -> "_Nested":
        close = stanza.end - 1
        begin = text.rfind("\n", stanza.inside, close) + 1
        if begin and not text[begin:close].strip():
            close = begin  # The indentation of the brace belongs to the brace.
        block = Block(path, text, stanza.items, stanza.inside, close)
        return cls(text[start : stanza.inside], block, text[close:stop])

    @property
    def text(self) -> str:
        return self.head + self.block.text + self.tail


def matches(kind: StanzaKind, instance: str, item: Stanza) -> bool:
    """Say whether a stanza, in the place for it, is the instance of a kind."""
    return item.name == kind.name and _normal(kind, item) == instance


def _normal(kind: StanzaKind, item: Stanza) -> str | None:
    if item.instance is None:
        return ""
    try:
        return normal_instance(kind, item.instance)
    except ValueError:
        return None


def _instances(kind: StanzaKind, items: Sequence[Item]) -> set[str]:
    found = (_normal(kind, each) for each in items
             if isinstance(each, Stanza) and each.name == kind.name)  # fmt: skip
    return {each for each in found if each is not None}


def _name(item: Item) -> str:
    return INCLUDE if isinstance(item, Include) else item.name


def _has_direct(items: Sequence[Item]) -> bool:
    return any(isinstance(each, Setting | Include) for each in items)


def _note(slots: list[int], slot: int) -> None:
    if slot not in slots[-1:]:
        at = bisect_left(slots, slot)
        if slots[at : at + 1] != [slot]:
            slots.insert(at, slot)


def _at(spot: Spot) -> tuple[int, File, Item]:
    assert spot.slot is not None
    file = spot.block.read(spot.slot)
    first, *inner = spot.path
    item = file.items[first]
    for number in inner:
        assert isinstance(item, Stanza)
        item = item.items[number]
    return spot.slot, file, item
