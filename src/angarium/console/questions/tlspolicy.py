"""What a worker knows of policies of MTA-STS, and the order to fetch one."""

from itertools import islice
from typing import TYPE_CHECKING, Final

import msgspec

from angarium.console.question import question
from angarium.net.tlspolicy.policies import DAY

if TYPE_CHECKING:
    from angarium.console.parts import Parts

MOST: Final = 20_000  # domains which are told


class Domains(msgspec.Struct, frozen=True):
    """Domains which have a policy, in order."""

    names: list[str] = []

    def __add__(self, other: "Domains") -> "Domains":
        return Domains(sorted({*self.names, *other.names}))


class Sts(msgspec.Struct, frozen=True):
    """What is known of a domain; of several workers, what the one has that asked last.

    Attributes:
        asked: whether it has been asked at all.
        record: the id of its TXT record, "" if it has none; `ttl`: seconds.
        id: of the policy, "" if it has none.
        renewed_in: seconds, until it is fetched again though its id is the same.
    """

    asked: bool = False
    record: str = ""
    ttl: float = 0.0
    id: str = ""
    fetched: float = 0.0
    mode: str = ""
    max_age: int = 0
    renewed_in: float = 0.0
    hosts: tuple[str, ...] = ()

    def __add__(self, other: "Sts") -> "Sts":
        return max(self, other, key=lambda each: (each.asked, each.fetched, each.ttl))


@question("sts domains")
def domains(worker: "Parts") -> Domains:
    """Return the domains whose policies it has."""
    return Domains(list(islice(worker.demanding.policies.domains(), MOST)))


@question("sts known")
def known(worker: "Parts", domain: str) -> Sts:
    """Return what it knows of a domain; nobody is asked."""
    return _of(worker, domain)


def _of(worker: "Parts", domain: str) -> Sts:
    found = worker.demanding.policies.peek(domain)
    if found is None:
        return Sts()
    ttl = max(0.0, found.record_until - worker.clock.monotonic())
    kept = found.kept
    if kept is None:
        return Sts(True, found.record, ttl)
    policy, now = kept.policy, worker.clock.time()
    return Sts(
        True, found.record, ttl, kept.id, kept.fetched, policy.mode.value, policy.max_age,
        max(0.0, min(kept.fetched + DAY, kept.expires()) - now), policy.hosts,
    )  # fmt: skip


@question("sts fetched")
async def fetched(worker: "Parts", domain: str) -> Sts:
    """Fetch the policy of a domain."""
    await worker.demanding.policies.refresh(domain)
    return _of(worker, domain)


@question("sts forgotten")
def forgotten(worker: "Parts", domain: str) -> int:
    """Forget what is known of a domain: what lies on the disk is looked at again."""
    return worker.demanding.policies.forget(domain)
