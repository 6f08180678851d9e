"""Certificates by ACME: asked for when they are due, written, shown, and told about when not.

The monitor has one of these, and it is the only process which orders: by a lock, as during an
upgrade there are two. It is fed once a second, works beside that, and asks authorities for one
certificate after the other. What decides when is `net/acme/schedule`, what is said to an authority
`wire/acme/order`.
"""

import asyncio
import ssl
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from random import SystemRandom
from typing import Any, Final

from angarium.config.resolve import Configuration
from angarium.console.questions.acme import Certificate, Outcome
from angarium.core.clock import Clock
from angarium.events.metrics import Metrics, counter, gauge
from angarium.net.acme import certificates, schedule
from angarium.net.acme.certificates import Held
from angarium.net.acme.folder import Folder, Record, writable, write_pair
from angarium.net.options.acme import Acme
from angarium.wire.acme import jose
from angarium.wire.acme.errors import AcmeError
from angarium.wire.acme.order import Wish, ordering

LOOK_SECONDS: Final = 60.0
LEFT: Final = gauge(
    "acme_remaining",
    "Time until the first of the certificates of ACME ends; 0 where one is not there.",
    unit="seconds",
)
ISSUED: Final = counter("acme_certificates", "Certificates which came by ACME.")
FAILED: Final = counter("acme_failures", "Orders of certificates by ACME which failed.")


@dataclass(frozen=True, slots=True)
class Means:
    """What it tells the rest of the server by.

    Attributes:
        tell: an alarm, or the end of one.
        say: a line of the service log.
        renewed: there are new certificates to be shown.
    """

    tell: Callable[[str], None]
    say: Callable[[str], None]
    renewed: Callable[[], None]
    spawn: Callable[[Coroutine[Any, Any, None]], None]
    random: Callable[[], float] = field(default_factory=lambda: SystemRandom().random)


class Certifier:
    """Those of one node."""

    def __init__(self, state: Path, clock: Clock, metrics: Metrics, means: Means) -> None:
        self._clock = clock
        self._metrics = metrics
        self._means = means
        self._folder = Folder(state)
        self._wanted: dict[str, tuple[str, Acme]] = {}  # by the path of the certificate
        self._looked = float("-inf")
        self._working: asyncio.Task[None] | None = None
        self._ordering = ""  # for which one an order is under way
        self._asked: dict[str, asyncio.Future[Outcome]] = {}  # by an operator, due or not
        self._told: dict[str, float] = {}  # when it was told last that one ends

    def use(self, configuration: Configuration) -> None:
        """Go over to a generation."""
        self._wanted = {
            options.certificate: (name, options)
            for name, options in configuration.instances(Acme)
            if options.certificate and options.terms_agreed
        }
        self._looked = float("-inf")
        for path in self._asked.keys() - self._wanted.keys():
            self._answer(path, Outcome(path, "", "no stanza has it any more"))

    def second(self) -> None:
        """Let a second pass."""
        now = self._clock.monotonic()
        if self._working is None and self._wanted and now - self._looked >= LOOK_SECONDS:
            self._looked = now
            self._means.spawn(self._work())

    def close(self) -> None:
        """Give up what is under way; it begins anew with the next start."""
        if self._working is not None:
            self._working.cancel()

    async def _work(self) -> None:
        self._working = asyncio.current_task()
        try:
            for path in list(self._wanted):
                if path in self._wanted:  # A reload may have come.
                    await self._see_to(path, self._wanted[path][1])
            await self._measure()
        finally:
            self._working = None

    async def _see_to(self, path: str, options: Acme) -> None:
        """Look whether a certificate is due, and order it."""
        held = await asyncio.to_thread(certificates.on_disk, Path(path))
        now, wish = self._clock.time(), _wish(options)
        record = (await asyncio.to_thread(self._folder.records)).get(path, Record())
        due = schedule.due(held, options.names, options.renew_before, now)
        asked = path in self._asked
        if asked or (due and schedule.may_begin(record, wish, now)):
            await self._order(path, options, record, due or "it was asked for")
        elif held is not None and schedule.ends_soon(held, options.renew_before, now):
            self._tell_of_end(path, held, now)

    def _tell_of_end(self, path: str, held: Held, now: float) -> None:
        """Tell it, once a day."""
        if now - self._told.get(path, float("-inf")) >= schedule.DAY:
            self._told[path] = now
            day = certificates.day(held.ends)
            self._means.tell(f"the certificate in {path} ends on {day}, and there is no new one")

    async def _order(self, path: str, options: Acme, record: Record, why: str) -> None:
        self._ordering = path
        try:
            with self._folder.alone() as alone:
                if not alone:
                    self._answer(path, Outcome(path, "", "another process orders at present"))
                    return
                self._means.say(f"a certificate for {path} is asked for: {why}")
                held = await self._obtained(options, Path(path))
        except (AcmeError, OSError) as error:
            found = error if isinstance(error, AcmeError) else AcmeError(str(error))
            await self._failed(path, options, record, found)
        else:
            await self._got(path, options, record, held)
        finally:
            self._ordering = ""

    async def _obtained(self, options: Acme, path: Path) -> Held:
        """Get a certificate and write it. Raises AcmeError, OSError."""
        # 100 ms and 15 MB, for who orders.
        from angarium.net.acme.client import Client  # noqa: PLC0415

        beside = Path(options.key) if options.key else path
        await asyncio.to_thread(self._folder.make)  # A certificate may lie beside our own files.
        if reason := writable(path, beside):
            raise AcmeError(reason)
        assert options.directory is not None
        account = await asyncio.to_thread(self._folder.account, options.directory)
        key = await asyncio.to_thread(_key, options, beside)
        wish = Wish(
            options.directory,
            account,
            options.names,
            certificates.request(options.names, key),
            tuple(f"mailto:{each}" for each in options.contact),
            _external(options),
        )
        context = await asyncio.to_thread(_context, options.ca_file)
        try:
            chain = await Client(context, account, self._folder.show).run(ordering(wish))
        finally:
            await asyncio.to_thread(self._folder.make)
        held, chain = certificates.checked(chain, options.names, key, self._clock.time())
        await asyncio.to_thread(write_pair, path, beside, chain, key)
        return held

    async def _got(self, path: str, options: Acme, record: Record, held: Held) -> None:
        until = certificates.day(held.ends)
        text = f"there is a new certificate in {path}, until {until}"
        # Where something was wrong, that it is over is told to who was told of it.
        wrong = bool(record.failures) or self._told.pop(path, None) is not None
        (self._means.tell if wrong else self._means.say)(text)
        self._metrics.cell(ISSUED).value += 1
        await self._note(path, schedule.done(_wish(options), self._clock.time()))
        self._means.renewed()
        self._answer(path, Outcome(path, until))

    async def _failed(self, path: str, options: Acme, record: Record, error: AcmeError) -> None:
        now = self._clock.time()
        noted = schedule.failed(record, _wish(options), error, now, self._means.random)
        self._metrics.cell(FAILED).value += 1
        minutes = max(1, round((noted.not_before - now) / 60))
        self._means.tell(f"no new certificate for {path}: {error}; again in {minutes} minutes")
        await self._note(path, noted)
        self._answer(path, Outcome(path, "", str(error)))

    async def _note(self, path: str, record: Record) -> None:
        """Keep what came of an order, and forget certificates which nobody wants any more."""
        known = await asyncio.to_thread(self._folder.records)
        kept = {each: found for each, found in known.items() if each in self._wanted}
        try:
            await asyncio.to_thread(self._folder.keep, kept | {path: record})
        except OSError as error:
            self._means.tell(f"what came of the order for {path} cannot be kept: {error}")

    def _answer(self, path: str, outcome: Outcome) -> None:
        waiting = self._asked.pop(path, None)
        if waiting is not None and not waiting.done():
            waiting.set_result(outcome)

    async def _measure(self) -> None:
        now, left = self._clock.time(), []
        for path in list(self._wanted):
            held = await asyncio.to_thread(certificates.on_disk, Path(path))
            left.append(round(held.ends - now) if held is not None else 0)
        if left:
            self._metrics.cell(LEFT).value = min(left)

    # What operators ask.

    async def status(self) -> list[Certificate]:
        """Return what is known of each certificate."""
        known = await asyncio.to_thread(self._folder.records)
        return [
            await self._status(path, name, options, known.get(path, Record()))
            for path, (name, options) in self._wanted.items()
        ]

    async def _status(self, path: str, name: str, options: Acme, record: Record) -> Certificate:
        held = await asyncio.to_thread(certificates.on_disk, Path(path))
        now = self._clock.time()
        failed = record.failures > 0 and record.wish == _wish(options)
        begins = held.due(options.renew_before) if held is not None else now
        return Certificate(
            name=name,
            path=path,
            names=options.names,
            directory=options.directory or "",
            issuer=held.issuer if held is not None else "",
            ends=held.ends if held is not None else 0.0,
            days=schedule.days_left(held, now) if held is not None else 0.0,
            due=schedule.due(held, options.names, options.renew_before, now),
            next=max(begins, record.not_before) if failed else begins,
            ordering=self._ordering == path,
            failures=record.failures if failed else 0,
            reason=record.reason if failed else "",
        )

    async def renew(self, name: str) -> list[Outcome]:
        """Ask for new certificates now, whatever is due: of a stanza or a file, or of all ("")."""
        chosen = [path for path, (each, _) in self._wanted.items() if name in ("", each, path)]
        loop = asyncio.get_running_loop()
        waiting = [self._asked.setdefault(path, loop.create_future()) for path in chosen]
        self._looked = float("-inf")
        # Who asked may go: the order goes on.
        return list(await asyncio.gather(*(asyncio.shield(each) for each in waiting)))


def _wish(options: Acme) -> str:
    """Return what is asked of whom: of another one an earlier failure says nothing."""
    return " ".join((options.directory or "", *options.names))


def _external(options: Acme) -> tuple[str, bytes] | None:
    if not options.external_key_id or not options.external_key:
        return None
    return options.external_key_id, jose.decoded(options.external_key.rstrip("="))


def _key(options: Acme, path: Path) -> certificates.Key:
    """Return the key for the next certificate: the one that is there, or a new one."""
    if options.reuse_key and path.exists():
        kept = certificates.key_in(path.read_bytes())
        if kept is not None and certificates.kind_of(kept) == options.key_type:
            return kept
    return certificates.made(options.key_type)


def _context(authorities: str | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=authorities)
    except ssl.SSLError as error:
        raise AcmeError(f"there is no certificate in PEM in {authorities}") from error
    except OSError as error:
        raise AcmeError(f"{authorities} cannot be read: {error.strerror}") from error
