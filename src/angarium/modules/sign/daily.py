"""The day's reports of DMARC: made by one worker for the node, when the day is over.

What was seen lies on disk until every domain that asks has its report in our queue; which ones have
is written down, so whoever goes on after a crash sends none twice. What goes wrong for one domain
is told, and the others go on.
"""

import asyncio
import calendar
import fcntl
import os
import time
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Final

from angarium.core.body import MemoryBody
from angarium.core.errors import Error
from angarium.core.message import Message, Notify, Recipient, Trait
from angarium.events.metrics import counter
from angarium.journal.errors import SpoolError
from angarium.mail.auth import asking
from angarium.mail.auth.asking import Ask, NameTrouble, NoSuchName
from angarium.mail.auth.dmarc.evaluate import discover
from angarium.mail.auth.dmarc.organisation import organisation
from angarium.mail.auth.dmarc.record import Destination, Record, is_record, parsed
from angarium.mail.format.addresses import mailboxes
from angarium.mail.report.dmarc.aggregate import Published, Report, Row
from angarium.mail.report.dmarc.letters import Writer, daily
from angarium.modules.means import Means
from angarium.modules.sign.options.dmarc import Dmarc as Options
from angarium.modules.sign.seen import Seen
from angarium.outbound.bounce import INTERNAL

FIRST_SECONDS: Final = 5.0  # after the start: what a stop left over need not wait
LOOK_SECONDS: Final = 300.0
DAY: Final = 86400
KEPT_DAYS: Final = 7  # after which what could not be reported is given up
MAX_ROWS: Final = 50_000  # of one report; a domain may be the target of a flood of senders
STANZA: Final = "dmarc"

SENT: Final = counter("dmarc_reports_sent", "Daily reports of DMARC which went into the queue.")


class Daily:
    """Who makes the reports."""

    def __init__(
        self, options: Options, means: Means, ask: Ask, seen: Seen, writer: Writer
    ) -> None:
        self._options = options
        self._means = means
        self._ask = ask
        self._seen = seen
        self._folder = means.state / STANZA
        self._writer = writer
        self._sent = means.metrics.cell(SENT)
        self._timer: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._timer = self._means.loop.call_later(FIRST_SECONDS, self._look)

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._task is not None:
            self._task.cancel()
            self._task = None

    def _look(self) -> None:
        self._timer = self._means.loop.call_later(LOOK_SECONDS, self._look)
        if self._means.shared.first and (self._task is None or self._task.done()):
            self._task = self._means.loop.create_task(self.run())

    async def run(self) -> None:
        """Report all days which are over."""
        now = self._means.clock.time()
        for day in self._seen.days():
            end = begin_of(day) + DAY
            if now < end + self._options.report_delay:
                continue
            if now > end + KEPT_DAYS * DAY:
                self._means.tell("WARNING", f"what was seen on {day} is too old to be reported")
                self._forget(day)
                continue
            # Two generations of the configuration may both be there for a while.
            with _lock(self._folder / "lock") as free:
                if free and await self._report(day):
                    self._forget(day)

    def _forget(self, day: str) -> None:
        self._seen.forget(day)
        self._list(day).unlink(missing_ok=True)

    def _list(self, day: str) -> Path:
        """Return the file which names the domains whose report is in the queue."""
        return self._folder / f"{day}.sent"

    async def _report(self, day: str) -> bool:
        """Report a day; say whether all is done."""
        seen = await self._means.loop.run_in_executor(None, self._seen.of, day)
        try:
            done = set(self._list(day).read_text("utf-8").splitlines())
        except FileNotFoundError:
            done = set()
        complete = True
        with self._list(day).open("a", encoding="utf-8") as noted:
            for domain in sorted(seen.keys() - done):
                if await self._about(day, domain, *seen[domain]):
                    noted.write(f"{domain}\n")
                    noted.flush()
                else:
                    complete = False
        return complete

    async def _about(self, day: str, domain: str, text: str, rows: Counter[Row]) -> bool:
        """Send the reports about a domain; say whether that is done with."""
        try:
            record = await self._record(domain, text)
            if record is None:
                return True
            places = await destinations(self._ask, domain, record.aggregate)
        except NameTrouble:
            return False
        report = self._made(day, domain, record, rows)
        done = True
        for place in places:
            token = f"{day.replace('-', '')}.{self._means.random.getrandbits(96):024x}"
            octets = await self._means.loop.run_in_executor(
                None,
                partial(
                    daily, report, self._writer, [place.mailbox], self._means.clock.time(), token
                ),
            )
            limits = [each for each in (place.limit, self._options.report_limit) if each]
            if limits and len(octets) > min(limits):
                self._means.tell("NOTICE", f"the report about {domain} is too large to be sent")
            else:
                taken = await inject(self._means, octets, place.mailbox)
                self._sent.value += taken
                done = done and taken
        return done

    async def _record(self, domain: str, text: str) -> Record | None:
        """Return the record as it is now; as it was seen, if it is gone."""
        published, record = await discover(self._ask, domain)
        return record if record is not None and published == domain else parsed(text.encode())

    def _made(self, day: str, domain: str, record: Record, rows: Counter[Row]) -> Report:
        begin = begin_of(day)
        options, shown = self._options, rows.most_common(MAX_ROWS)
        left = len(rows) - len(shown)
        return Report(
            options.report_organization or self._means.host,
            mailboxes(self._writer.sender.encode())[0].address,
            f"{day.replace('-', '')}.{self._means.random.getrandbits(64):016x}",
            begin,
            begin + DAY - 1,
            published_of(domain, record),
            tuple(shown),
            options.report_contact,
            (f"{left} rows were left out",) if left else (),
        )


def begin_of(day: str) -> int:
    """Return when a day begins, in UTC."""
    return calendar.timegm(time.strptime(day, "%Y-%m-%d"))


def published_of(domain: str, record: Record) -> Published:
    """Return a policy as a report shows it."""
    return Published(
        domain,
        str(record.policy),
        str(record.subdomain),
        "s" if record.strict_dkim else "r",
        "s" if record.strict_spf else "r",
        str(record.percent),
        ":".join(sorted(record.failures)),
        str(record.missing or ""),
    )


def writer_of(options: Options, host: str) -> Writer:
    """Return who reports. Raises Error."""
    sender = options.report_sender or f"postmaster@{host}"
    found = mailboxes(sender.encode("utf-8", "surrogateescape"))
    if len(found) != 1 or not found[0].domain:
        raise Error("report_sender is no address", stanza=STANZA, given=sender)
    return Writer(host, sender)


async def destinations(ask: Ask, domain: str, wanted: tuple[Destination, ...]) -> list[Destination]:
    """Return where reports about a domain may go (RFC 7489 section 7.1).

    A destination of another organisation has to say that it wants them; it may name another address
    of its own. Raises NameTrouble.
    """
    found: list[Destination] = []
    for place in wanted:
        host = place.mailbox.rpartition("@")[2].lower()
        if not host:
            continue
        if organisation(host) == organisation(domain):
            found.append(place)
            continue
        try:
            texts = await asking.texts(ask, f"{domain}._report._dmarc.{host}")
        except NoSuchName:
            continue
        records = [each for each in texts if is_record(each)]
        if not records:
            continue
        instead = parsed(records[0] + b";p=none")
        others = instead.aggregate if instead else ()
        own = [each for each in others if each.mailbox.rpartition("@")[2].lower() == host]
        found += own or [place]
    return list(dict.fromkeys(found))


async def inject(means: Means, octets: bytes, address: str) -> bool:
    """Put a report into the queue; say whether it is there, on disk.

    It has the null sender, so nothing is ever reported about it.
    """
    stored: asyncio.Future[SpoolError | None] = means.loop.create_future()
    message = Message(
        "",
        MemoryBody(octets),
        traits=(Trait.DOTS if b"\r\n." in octets else Trait.NONE)
        | (Trait.NONE if octets.isascii() else Trait.EIGHT_BIT),
        protocol=INTERNAL,
        received_at=means.clock.time(),
    )
    recipients = [Recipient(address, "", notify=Notify.NEVER)]
    means.admit.inject(message, recipients, partial(_settle, stored))
    refused = await stored
    if refused is not None:
        means.tell("ERROR", f"a report to {address} was not taken: {refused}")
    return refused is None


def _settle(stored: "asyncio.Future[SpoolError | None]", refused: SpoolError | None) -> None:
    if not stored.done():
        stored.set_result(refused)


class _lock:  # noqa: N801 - read as a verb, in a with
    """Holds a lock of the node, or does not."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._handle = -1

    def __enter__(self) -> bool:
        self._handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True

    def __exit__(self, *_what: object) -> None:
        os.close(self._handle)
