"""Which worker owns which shard. Pure: names in, names out.

A shard is a directory named by its number, three digits. A worker's first shard takes its new
mail, the others it only drains. A shard keeps its number as long as anything is in it, for the
ids of its messages carry that number.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

from angarium.core.errors import Error
from angarium.core.ident import SHARDS


def existing(spool: Path) -> list[str]:
    """Return the names of the shards of a spool, in order; [] when it does not exist yet."""
    if not spool.is_dir():
        return []
    return sorted(each.name for each in spool.iterdir() if each.is_dir() and is_name(each.name))


def is_name(name: str) -> bool:
    return len(name) == 3 and name.isdecimal() and int(name) < SHARDS


def unused(taken: Iterable[str]) -> str:
    """Return the lowest free name. Raises Error when all 128 are taken."""
    used = set(taken)
    for number in range(SHARDS):
        if (name := f"{number:03d}") not in used:
            return name
    raise Error("all shards are in use; start with fewer workers until some are drained")


def assign(found: Sequence[str], workers: int) -> list[list[str]]:
    """Deal the shards of a spool to workers 0 to `workers` - 1; each gets at least one.

    >>> assign(["000", "001", "002", "003"], 3)
    [['000', '003'], ['001'], ['002']]
    >>> assign(["004"], 2)
    [['004'], ['000']]
    """
    dealt = [list(found[number::workers]) for number in range(workers)]
    taken = set(found)
    for shards in dealt:
        if not shards:
            shards.append(name := unused(taken))
            taken.add(name)
    return dealt
