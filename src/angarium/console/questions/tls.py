"""Contexts of TLS in a worker."""

from collections import Counter
from typing import TYPE_CHECKING, Final, Protocol

import msgspec

from angarium.console.question import Of, question
from angarium.console.sums import Table
from angarium.core.clock import Clock

if TYPE_CHECKING:
    from angarium.console.parts import Parts
    from angarium.net.tls.contexts import Contexts

WEB: Final = ("web",)  # who is asked for listeners of HTTP


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


class Securing(Protocol):
    """What makes listeners of HTTP secure."""

    @property
    def contexts(self) -> "Contexts": ...


class Web(Protocol):
    """The process of the web."""

    @property
    def clock(self) -> Clock: ...

    @property
    def tls(self) -> Securing: ...


@question("tls contexts")
def contexts(worker: "Parts") -> Table[Known]:
    """Return the contexts of listeners, with the sessions which use them."""
    using = Counter(
        id(each.tls_context) for each in worker.services.sessions if each.tls_context is not None
    )
    return _table(worker.services.profiles.contexts, worker.clock.monotonic(), using)


@question("tls contexts of clients")
def contexts_of_clients(worker: "Parts") -> Table[Known]:
    """Return the contexts of connections to hosts, with those which use them."""
    securing = worker.pool.dialer.securing
    if securing is None:
        return Table({})
    using = Counter(
        session.assured.recipe
        for outlet in worker.pool.outlets
        for session in outlet.connections
        if session.assured is not None
    )
    now = worker.clock.monotonic()
    return Table(
        {
            f"{recipe}": Known(
                recipe.certificate or "none", recipe.authorities or "", recipe.ciphers,
                now - since, using[recipe],
            )
            for recipe, since in securing.clients.contexts().items()
        }
    )  # fmt: skip


@question("tls contexts of http", of=Of.AIDE)
def contexts_of_http(web: Web) -> Table[Known]:
    """Return the contexts of listeners of HTTP."""
    return _table(web.tls.contexts, web.clock.monotonic(), Counter())


def _table(contexts: "Contexts", now: float, using: Counter[int]) -> Table[Known]:
    rows = {}
    for recipe, made in contexts.made():
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
    if (securing := worker.pool.dialer.securing) is not None:
        securing.clients.flush()
        securing.broken.forget()
    return Renewed(made, tuple(kept))


@question("tls renew of http", of=Of.AIDE)
def renew_of_http(web: Web) -> Renewed:
    """Read those of listeners of HTTP again."""
    made, kept = web.tls.contexts.renew()
    return Renewed(made, tuple(kept))
