"""The day's reports of DMARC: what of a domain was seen, for whom it wants to have it told.

`modules/daily` says when a day is reported, and by which worker.
"""

from collections import Counter
from functools import partial
from typing import Final

from angarium.core.errors import Error
from angarium.events.metrics import counter
from angarium.mail.auth import asking
from angarium.mail.auth.asking import Ask, NameTrouble, NoSuchName
from angarium.mail.auth.dmarc.evaluate import discover
from angarium.mail.auth.dmarc.organisation import organisation
from angarium.mail.auth.dmarc.record import Destination, Record, is_record, parsed
from angarium.mail.format.addresses import mailboxes
from angarium.mail.report.dmarc.aggregate import Published, Report, Row
from angarium.mail.report.dmarc.letters import Writer, daily
from angarium.modules.daily import DAY, begin_of, inject
from angarium.modules.means import Means
from angarium.modules.sign.options.dmarc import Dmarc as Options

MAX_ROWS: Final = 50_000  # of one report; a domain may be the target of a flood of senders
STANZA: Final = "dmarc"

SENT: Final = counter("dmarc_reports_sent", "Daily reports of DMARC which went into the queue.")


class Reports:
    """Who makes the reports about a domain."""

    def __init__(self, options: Options, means: Means, ask: Ask, writer: Writer) -> None:
        self._options = options
        self._means = means
        self._ask = ask
        self._writer = writer
        self._sent = means.metrics.cell(SENT)

    async def about(self, day: str, domain: str, text: str, rows: Counter[Row]) -> bool:
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
