"""Contexts of TLS in a worker."""

from collections import Counter
from typing import TYPE_CHECKING

import msgspec

from angarium.console.question import question
from angarium.console.sums import Table

if TYPE_CHECKING:
    from angarium.console.parts import Parts


class Known(msgspec.Struct, frozen=True):
    """One context: of all workers together, `seconds` is the age of the oldest."""

    certificate: str
    authorities: str
    ciphers: str
    seconds: float
    sessions: int

    def __add__(self, other: "Known") -> "Known":
        return Known(
            self.certificate,
            self.authorities,
            self.ciphers,
            max(self.seconds, other.seconds),
            self.sessions + other.sessions,
        )


class Renewed(msgspec.Struct, frozen=True):
    """What came of it: contexts made anew, and why others were not."""

    made: int
    kept: tuple[str, ...]

    def __add__(self, other: "Renewed") -> "Renewed":
        return Renewed(self.made + other.made, tuple(dict.fromkeys((*self.kept, *other.kept))))


@question("tls contexts")
def contexts(worker: "Parts") -> Table[Known]:
    """Return the contexts of listeners, with the sessions which use them."""
    using = Counter(
        id(each.tls_context) for each in worker.services.sessions if each.tls_context is not None
    )
    now, rows = worker.clock.monotonic(), {}
    for recipe, made in worker.services.profiles.contexts.made():
        row = Known(
            recipe.certificate,
            recipe.client_ca or "",
            recipe.ciphers,
            now - made.since,
            using[id(made.context)],
        )
        rows[f"{recipe}"] = row
    return Table(rows)


@question("tls renew")
def renew(worker: "Parts") -> Renewed:
    """Read certificates and keys again, for connections from now on."""
    profiles = worker.services.profiles
    made, kept = profiles.contexts.renew()
    profiles.forget()
    return Renewed(made, tuple(kept))
