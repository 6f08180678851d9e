"""Certificates by ACME, asked of the monitor."""

from typing import Final, Protocol

import msgspec

from angarium.console.question import Of, question

MONITOR: Final = ("monitor",)  # who is asked


class Certificate(msgspec.Struct, frozen=True):
    """One certificate; times are Unix times.

    Attributes:
        name: of the stanza, "" if it has none.
        ends: 0: there is no certificate.
        due: why a new one is wanted, "" if none is.
        next: when it is asked for.
        ordering: an order is under way.
        failures: orders which failed since the last which did not; `reason`: of the last.
    """

    name: str
    path: str
    names: tuple[str, ...]
    directory: str
    issuer: str
    ends: float
    days: float
    due: str
    next: float
    ordering: bool
    failures: int
    reason: str


class Outcome(msgspec.Struct, frozen=True):
    """What came of an order: a certificate until a day, or the reason why not."""

    path: str
    until: str
    reason: str = ""


class Certifier(Protocol):
    """What has them."""

    async def status(self) -> list[Certificate]: ...

    async def renew(self, name: str) -> list[Outcome]: ...


class Monitor(Protocol):
    """The process which is asked."""

    certifier: Certifier


@question("acme certificates", of=Of.AIDE)
async def certificates(monitor: Monitor) -> list[Certificate]:
    """Return what is known of each certificate."""
    return await monitor.certifier.status()


@question("acme renew", of=Of.AIDE)
async def renew(monitor: Monitor, name: str = "") -> list[Outcome]:
    """Ask for new certificates now."""
    return await monitor.certifier.renew(name)
