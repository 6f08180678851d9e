"""Whether a regular expression can take longer than anybody waits.

`re` goes back and tries another way. That is harmless as long as there is one way through a text;
it is a hang where a stretch can be gone through in two ways and be repeated: (a+)+, (a|ab?)*b.
Where repetitions stand in a row and can take each other's characters, as in .*.*.*x, the time grows
with a power of the length. Both are found before the pattern is used.

The places of a pattern which take a character are its positions, and `follow` says which may come
after which (V. M. Glushkov, 1961). Time doubles if two different walks lead from a position back to
itself over the same text: then, in the graph of pairs of positions, a pair of equals lies on a
circle with a pair of different ones. A power needs walks over the same text in a repetition, in a
later one, and from the one to the other (A. Weber and H. Seidl, On the degree of ambiguity of
finite automata, 1991); here that is judged by the sets of characters alone, so it is never missed.
"""

import functools
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

# What a domain name is made of; patterns are compared without regard to case.
ALPHABET: Final = "abcdefghijklmnopqrstuvwxyz0123456789-._:[] @/!\n"
ANYTHING: Final = (1 << len(ALPHABET)) - 1
LINE_END: Final = 1 << ALPHABET.index("\n")
# Names have 255 octets. Three repetitions in a row took a second in the worst case, four a minute.
MOST_IN_A_ROW: Final = 3
MOST_OPTIONAL: Final = 16  # parts which may be there or not, each of which can double the time
MOST_STEPS: Final = 300_000  # then a pattern is too large to be sure of, and is let through


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a pattern: the positions it can begin and end with, and whether it may be empty.

    `optional`: how many parts of it, in a row, may be there or not.
    """

    first: frozenset[int] = frozenset()
    last: frozenset[int] = frozenset()
    empty: bool = True
    optional: int = 0


NOTHING: Final = Piece()


class Automaton:
    """Pieces of one pattern, put together.

    `danger` finds out `row`, how many repetitions in a row can take each other's characters, and
    `crosses`, whether one of them goes on beyond the end of a line; `endless`: there is one.
    """

    __slots__ = ("_follow", "_masks", "crosses", "doubles", "endless", "row")

    def __init__(self) -> None:
        self._masks: list[int] = []
        self._follow: list[set[int]] = []
        self.doubles = False  # a repetition of what is a repetition already
        self.row = 0
        self.crosses = False
        self.endless = False

    def atom(self, mask: int) -> Piece:
        """Return a piece which takes one character of a set."""
        self._masks.append(mask)
        self._follow.append(set())
        position = frozenset((len(self._masks) - 1,))
        return Piece(position, position, empty=False)

    def sequence(self, pieces: Iterable[Piece]) -> Piece:
        whole = NOTHING
        for each in pieces:
            self._link(whole.last, each.first)
            whole = Piece(
                whole.first | each.first if whole.empty else whole.first,
                whole.last | each.last if each.empty else each.last,
                whole.empty and each.empty,
                whole.optional + each.optional,
            )
        return whole

    def choice(self, pieces: Iterable[Piece]) -> Piece:
        ways = list(pieces)
        return Piece(
            frozenset().union(*(each.first for each in ways)),
            frozenset().union(*(each.last for each in ways)),
            any(each.empty for each in ways),
            max(each.optional for each in ways),
        )

    def repeated(self, piece: Piece, *, least: int, endless: bool, often: bool) -> Piece:
        """Return a repetition; `often`: more than once, in different numbers of times."""
        if endless and any(not self._follow[each].isdisjoint(piece.first) for each in piece.last):
            self.doubles = True
        if endless or often:
            self._link(piece.last, piece.first)
        optional = piece.optional + (not least and not endless)
        return Piece(piece.first, piece.last, piece.empty or not least, optional)

    def opaque(self, piece: Piece) -> Piece:
        """Return a piece into which nothing goes back, such as (?>a+)."""
        new = self.atom(ANYTHING)
        return Piece(new.first, new.last, piece.empty)

    def _link(self, before: frozenset[int], after: frozenset[int]) -> None:
        for each in before:
            self._follow[each] |= after

    def danger(self, whole: Piece) -> str:
        """Return what is wrong with the pattern, "" if nothing is."""
        loops = components(self._follow)
        if self.doubles or any(self._ambiguous(each) for each in loops):
            return "a repetition is repeated; on some names it would never end"
        self.row = self._in_a_row(loops, whole.last)
        self.endless = bool(loops)
        self.crosses = any(self._mask(each) & LINE_END for each in loops)
        if self.row > MOST_IN_A_ROW:
            return f"more than {MOST_IN_A_ROW} repetitions in a row can take the same characters"
        if whole.optional > MOST_OPTIONAL:
            return f"more than {MOST_OPTIONAL} parts in a row may be there or not"
        return ""

    def _in_a_row(self, loops: list[set[int]], ends: frozenset[int]) -> int:
        """Return how many repetitions there are which can take the text between each other.

        The last one does not count if the pattern ends with it: then nothing can fail after it.
        """
        loop_of = {each: n for n, members in enumerate(loops) for each in members}
        masks = [self._mask(members) for members in loops]
        longest: dict[int, int] = {}
        for n in range(len(loops)):  # later ones are found first, see `components`
            after = {
                loop_of[each]
                for each in self._reached(loops[n], masks[n])
                if each in loop_of and loop_of[each] != n
            }
            counted = 0 if ends & loops[n] and not after else 1
            longest[n] = counted + max((longest[each] for each in after), default=0)
        return max(longest.values(), default=0)

    def _mask(self, positions: set[int]) -> int:
        found = 0
        for each in positions:
            found |= self._masks[each]
        return found

    def _reached(self, start: set[int], mask_: int) -> set[int]:
        """Return the positions which come after, over characters of a set."""
        reached, pending = set(start), list(start)
        while pending:
            for each in self._follow[pending.pop()]:
                if each not in reached and self._masks[each] & mask_:
                    reached.add(each)
                    pending.append(each)
        return reached

    def _ambiguous(self, members: set[int]) -> bool:
        """Say whether two different walks in a component come back over the same text."""
        inner = {each: self._follow[each] & members for each in members}
        pairs: dict[tuple[int, int], int] = {(each, each): n for n, each in enumerate(members)}
        order = list(pairs)
        graph: list[set[int]] = []
        steps = 0
        for one, two in order:  # it grows
            reached: set[int] = set()
            for a in inner[one]:
                for b in inner[two]:
                    steps += 1
                    if self._masks[a] & self._masks[b]:
                        if (a, b) not in pairs:
                            pairs[a, b] = len(order)
                            order.append((a, b))
                        reached.add(pairs[a, b])
            graph.append(reached)
            if steps > MOST_STEPS:
                return False
        return any(
            len({order[each][0] == order[each][1] for each in circle}) == 2
            for circle in components(graph)
        )


def components(graph: list[set[int]]) -> list[set[int]]:
    """Return the sets of nodes which reach each other, of more than one or with an edge to itself.

    R. Tarjan's algorithm, without recursion.
    """
    found: list[set[int]] = []
    number: dict[int, int] = {}
    low: dict[int, int] = {}
    stack: list[int] = []
    on_stack: set[int] = set()
    for start in range(len(graph)):
        if start in number:
            continue
        work = [(start, iter(graph[start]))]
        number[start] = low[start] = len(number)
        stack.append(start)
        on_stack.add(start)
        while work:
            node, further = work[-1]
            for each in further:
                if each not in number:
                    number[each] = low[each] = len(number)
                    stack.append(each)
                    on_stack.add(each)
                    work.append((each, iter(graph[each])))
                    break
                if each in on_stack:
                    low[node] = min(low[node], number[each])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == number[node]:
                    members = _popped(stack, node)
                    on_stack -= members
                    if len(members) > 1 or node in graph[node]:
                        found.append(members)
    return found


def _popped(stack: list[int], node: int) -> set[int]:
    members = set()
    while True:
        each = stack.pop()
        members.add(each)
        if each == node:
            return members


@functools.lru_cache(maxsize=4096)
def mask(piece: str) -> int:
    """Return which characters of ALPHABET a pattern of one character takes, as bits."""
    compiled = re.compile(piece, re.ASCII | re.IGNORECASE | re.DOTALL)
    return sum(1 << n for n, each in enumerate(ALPHABET) if compiled.fullmatch(each))
