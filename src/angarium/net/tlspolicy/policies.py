"""The policies of MTA-STS which a worker knows: asked for, kept, renewed (RFC 8461 sections 3, 5).

    kept = await policies.of("example.com")       None: the domain has none

The rule against downgrading: what was fetched and is not over counts, whatever DNS and the web
server of the domain say or do not say now. A domain which wants to be rid of its policy publishes
one with `mode: none`.
"""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Final, Protocol

from angarium.core.clock import Clock
from angarium.core.errors import Error
from angarium.net.answer import Answer
from angarium.net.tlspolicy.shelf import Kept, Shelf
from angarium.net.tlspolicy.sts import Policy, policy_id

DAY: Final = 86400.0  # after which a policy is fetched again though its id is the same
PAUSE_SECONDS: Final = 300.0  # between two requests which fail: section 3.3
# How long it is not asked again, whatever the TTL of the record: at least, and at most.
LEAST_SECONDS, MOST_SECONDS = 60.0, 3600.0
MOST_DOMAINS: Final = 20_000


class Names(Protocol):
    """What is asked of DNS."""

    async def txt(self, name: str) -> Answer[bytes]: ...


class Fetches(Protocol):
    """`fetch.Fetch`."""

    async def policy(self, domain: str) -> Policy: ...


class Failed(Protocol):
    """Told that there was no policy to be had: domain, the result of a report, why."""

    def __call__(self, domain: str, result: str, reason: str, /) -> None: ...


@dataclass(slots=True)
class Known:
    """What is known of a domain.

    Attributes:
        until: monotonic; it is not asked before.
        record: the id its record names, "" without one.
        failed: monotonic; it is not fetched before.
    """

    kept: Kept | None = None
    until: float = 0.0
    record: str = ""
    record_until: float = 0.0
    failed: float = 0.0


class Policies:
    """Finds and keeps policies.

    Args:
        depth: CNAMEs which may lead to the record of a domain.
        tell: told what cannot be read or written here.
    """

    def __init__(
        self,
        names: Names,
        fetch: Callable[[], Fetches],
        shelf: Shelf,
        clock: Clock,
        failed: Failed,
        tell: Callable[[str], None],
    ) -> None:
        self._names = names
        self._fetch = fetch
        self._shelf = shelf
        self._clock = clock
        self._failed = failed
        self._tell = tell
        self._known: dict[str, Known] = {}
        self._asked: dict[str, asyncio.Task[Kept | None]] = {}
        self._renewals: dict[str, asyncio.Task[Kept | None]] = {}

    async def of(self, domain: str, depth: int = 5) -> Kept | None:
        """Return the policy which holds for a domain now; it may be one with `mode: none`."""
        domain = domain.lower().removesuffix(".")
        known = self._known.get(domain)
        if (
            known is not None
            and self._clock.monotonic() < known.until
            and (known.kept is None or self._clock.time() < known.kept.expires())
        ):
            return known.kept
        return await self._one(self._asked, domain, lambda: self._look(domain, depth))

    def peek(self, domain: str) -> Known | None:
        """Return what is known of a domain without asking; for the console."""
        return self._known.get(domain.lower().removesuffix("."))

    def domains(self) -> list[str]:
        """Return the domains which have a policy, as far as this worker has asked."""
        now = self._clock.time()
        return sorted(
            domain
            for domain, known in self._known.items()
            if known.kept is not None and now < known.kept.expires()
        )

    def forget(self, domain: str) -> int:
        """Forget what is known here, but not on the disk; return how many domains that were."""
        return 0 if self._known.pop(domain.lower().removesuffix("."), None) is None else 1

    async def refresh(self, domain: str) -> Kept:
        """Fetch the policy of a domain now. Raises Error where there is none."""
        domain = domain.lower().removesuffix(".")
        answer = await self._names.txt(f"_mta-sts.{domain}")
        found = policy_id(answer.records)
        if found is None:
            raise Error(f"{domain} has no record of MTA-STS", dns=answer.status.value)
        return self._fetched(domain, found, await self._fetch().policy(domain))

    async def close(self) -> None:
        """End what is under way."""
        tasks = [*self._asked.values(), *self._renewals.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _one(
        self,
        tasks: dict[str, asyncio.Task[Kept | None]],
        domain: str,
        work: Callable[[], Coroutine[Any, Any, Kept | None]],
    ) -> Kept | None:
        """Do the work for a domain, once for all who want it; who gives up does not end it."""
        task = tasks.get(domain)
        if task is None:
            task = tasks[domain] = asyncio.ensure_future(work())
            task.add_done_callback(lambda done: _forget(tasks, domain, done))
        return await asyncio.shield(task)

    async def _look(self, domain: str, depth: int) -> Kept | None:
        known = self._known.pop(domain, None) or Known(self._read(domain))
        self._note(domain, known)
        kept = known.kept
        if kept is not None and self._clock.time() >= kept.expires():
            kept = known.kept = None
        answer = await self._names.txt(f"_mta-sts.{domain}")
        now = self._clock.monotonic()
        found = None if answer.aliases > depth else policy_id(answer.records)
        known.record, known.record_until = found or "", answer.expires
        known.until = min(max(answer.expires, now + LEAST_SECONDS), now + MOST_SECONDS)
        if found is None or now < known.failed:
            return kept
        if kept is None or kept.id != found:
            kept = self._of_another(domain, found) or kept
            known.kept = kept
        if kept is not None and kept.id == found:
            if self._clock.time() - kept.fetched >= DAY:
                self._renew(domain, found)
            return kept
        return await self._get(domain, known, found)

    def _of_another(self, domain: str, found: str) -> Kept | None:
        """Return what another worker has fetched meanwhile."""
        kept = self._read(domain)
        if kept is None or kept.id != found or self._clock.time() >= kept.expires():
            return None
        return kept

    async def _get(self, domain: str, known: Known, found: str) -> Kept | None:
        try:
            policy = await self._fetch().policy(domain)
        except Error as error:
            now = self._clock.monotonic()
            known.failed = now + PAUSE_SECONDS
            known.until = min(known.until, known.failed)
            self._failed(domain, getattr(error, "result", "sts-policy-fetch-error"), str(error))
            return known.kept
        return self._fetched(domain, found, policy)

    def _renew(self, domain: str, found: str) -> None:
        """Fetch it again, while the old one is used."""
        if domain not in self._renewals:
            known = self._known[domain]
            task = asyncio.ensure_future(self._get(domain, known, found))
            self._renewals[domain] = task
            task.add_done_callback(lambda done: _forget(self._renewals, domain, done))

    def _fetched(self, domain: str, found: str, policy: Policy) -> Kept:
        kept = Kept(domain, found, self._clock.time(), tuple(policy.lines()))
        known = self._known.get(domain) or Known()
        known.kept, known.failed = kept, 0.0
        self._note(domain, known)
        try:
            self._shelf.save(kept)
        except OSError as error:
            self._tell(f"the MTA-STS policy of {domain} is not kept over a restart: {error}")
        return kept

    def _read(self, domain: str) -> Kept | None:
        try:
            return self._shelf.load(domain)
        except OSError as error:
            self._tell(f"the MTA-STS policy of {domain} is not read: {error}")
            return None

    def _note(self, domain: str, known: Known) -> None:
        self._known[domain] = known
        if len(self._known) > MOST_DOMAINS:
            # The one which was asked for first; if it had a policy, the file has it.
            self._known.pop(next(iter(self._known)))


def _forget(
    tasks: dict[str, asyncio.Task[Kept | None]], domain: str, done: asyncio.Task[Kept | None]
) -> None:
    if tasks.get(domain) is done:
        del tasks[domain]
