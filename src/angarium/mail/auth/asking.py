"""DNS, as code which does no I/O asks it.

    records = await ask("example.com", "TXT")

`Ask` is handed in by whoever has a resolver; a zone file (`zonefile`) is one too, so the same
evaluators run on files. An empty tuple says that the name exists without such records. The two
ways in which there is no answer are exceptions, because nearly all who ask treat them alike from
the place where they are caught to the result.

What comes back is for `TXT` the octets of each record, its strings joined (RFC 7208 section 3.3);
for `A` and `AAAA` addresses as text; for `MX` pairs of preference and host; for `PTR` names. Who
asks wants one kind and gets it typed from `texts`, `addresses`, `exchanges` or `pointers`.
"""

from collections.abc import Coroutine
from typing import Any, Final, Protocol, TypeVar

from angarium.core.errors import Error

T = TypeVar("T")
Record = bytes | str | tuple[int, str]

MAX_NAME: Final = 253  # characters of a name without its final dot, RFC 1035 section 2.3.4
MAX_LABEL: Final = 63


class NoSuchName(Error):  # noqa: N818 - an answer of DNS, as people call it
    """The name does not exist (NXDOMAIN)."""


class NameTrouble(Error):  # noqa: N818 - the other one
    """Nobody could tell now: no answer in time, or a failure of the name servers."""


class Ask(Protocol):
    """Return the records of a name. Raises NoSuchName, NameTrouble."""

    async def __call__(self, name: str, kind: str, /) -> tuple[Record, ...]: ...


async def texts(ask: Ask, name: str) -> tuple[bytes, ...]:
    """Return the TXT records of a name. Raises NoSuchName, NameTrouble."""
    return tuple(each for each in await ask(name, "TXT") if isinstance(each, bytes))


async def addresses(ask: Ask, name: str, kind: str) -> tuple[str, ...]:
    """Return the addresses of a name, of kind A or AAAA. Raises NoSuchName, NameTrouble."""
    return tuple(each for each in await ask(name, kind) if isinstance(each, str))


async def exchanges(ask: Ask, name: str) -> tuple[tuple[int, str], ...]:
    """Return the MX records of a name, as they came. Raises NoSuchName, NameTrouble."""
    return tuple(each for each in await ask(name, "MX") if isinstance(each, tuple))


async def pointers(ask: Ask, name: str) -> tuple[str, ...]:
    """Return the names a PTR record leads to; `name` is below in-addr.arpa or ip6.arpa."""
    return tuple(each for each in await ask(name, "PTR") if isinstance(each, str))


def is_name(name: str) -> bool:
    """Say whether DNS can be asked about a name: its labels and all of it are short enough."""
    name = name.removesuffix(".")
    return (
        len(name) <= MAX_NAME
        and name.isascii()
        and all(0 < len(label) <= MAX_LABEL for label in name.split("."))
    )


def at_once(work: Coroutine[Any, Any, T]) -> T:
    """Run an evaluation which waits for nothing, as those on zone files do; return its result."""
    try:
        work.send(None)
    except StopIteration as stop:
        result: T = stop.value
        return result
    work.close()
    raise RuntimeError("it waits: it was given something else than records at hand")
