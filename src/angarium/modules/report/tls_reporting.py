"""tls_reporting: domains hear once a day how their policies of TLS fared with us (RFC 8460).

Each session by a policy, and each policy which was not to be had, is a row that is counted; one
worker makes a report of a domain's rows and sends it by mail or HTTPS, to where the domain says.
"""

from collections import Counter
from datetime import UTC, datetime
from email.utils import parseaddr
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

import msgspec

from angarium.core.errors import Error
from angarium.events.metrics import counter
from angarium.mail.report.tlsrpt import (
    Envelope,
    Failure,
    Judged,
    PolicyOf,
    Range,
    Report,
    Summary,
    letter,
    packed,
    where,
)
from angarium.modules.daily import DAY, Daily, begin_of, inject
from angarium.modules.days import Days
from angarium.modules.means import Means
from angarium.modules.report.options.tls import TlsReporting as Options
from angarium.policy.hooks import TlsReport, on
from angarium.policy.verdict import CONT, Verdict

if TYPE_CHECKING:
    from angarium.modules.report.posting import Poster

STANZA: Final = "tls_reporting"
MAX_FAILURES: Final = 10_000  # kinds of failure in a report; the most frequent ones

LOST: Final = counter("tls_report_rows_lost", "Rows for reports of TLS without room for them.")
SENT: Final = counter("tls_reports_sent", "Daily reports of TLS which were sent, or are queued.")


class Row(msgspec.Struct, frozen=True):
    """Sessions which fared alike; `result` "" is success."""

    kind: str
    policy: tuple[str, ...]
    result: str = ""
    source: str = ""
    host: str = ""
    address: str = ""
    reason: str = ""


class TlsReporting:
    """The module."""

    def __init__(self, _name: str, options: Options, means: Means) -> None:
        folder = means.state / STANZA
        self._options = options
        self._means = means
        self._sender = options.report_sender or f"postmaster@{means.host}"
        if "@" not in parseaddr(self._sender)[1]:
            raise Error("report_sender is no address", stanza=STANZA, given=self._sender)
        self._sent = means.metrics.cell(SENT)
        self._seen: Days[Row] = Days(folder, means, Row, LOST)
        self._daily = Daily(means, self._seen, folder, options.report_delay, self.about)
        self._poster: Poster | None = None

    def start(self) -> None:
        self._seen.start()
        self._daily.start()

    def stop(self) -> None:
        self._daily.stop()
        self._seen.stop()
        if self._poster is not None:
            self._means.spawn(self._poster.close())

    @on(TlsReport)
    def count(self, event: TlsReport) -> Verdict:
        """Count a session."""
        if event.result:
            row = Row(
                event.kind, event.policy, event.result, event.source, event.host, event.address,
                event.reason[:200],
            )  # fmt: skip
        else:
            row = Row(event.kind, event.policy)
        self._seen.add(event.domain, "", row)
        return CONT

    async def about(self, day: str, domain: str, _text: str, rows: "Counter[Row]") -> bool:
        """Send the reports about a domain; say whether that is done with."""
        answer = await self._means.resolver.txt(f"_smtp._tls.{domain}")
        if answer.temporary:
            return False
        places = where(answer.records)
        if not places:
            return True
        begin = begin_of(day)
        report = self._made(domain, begin, rows)
        octets = packed(report, begin)
        done = True
        for place in places:
            taken = await self._sent_to(place, domain, begin, report, octets)
            self._sent.value += taken
            done = done and taken
        return done

    async def _sent_to(
        self, place: str, domain: str, begin: int, report: Report, octets: bytes
    ) -> bool:
        kind, _, rest = place.partition(":")
        if kind.lower() == "https":
            return await self._posted(place, octets)
        address = unquote(rest.partition("?")[0])
        envelope = Envelope(
            self._means.host, self._sender, address, domain, begin, begin + DAY - 1,
            self._means.clock.time(), f"{self._means.random.getrandbits(96):024x}",
        )  # fmt: skip
        return await inject(self._means, letter(report, octets, envelope), address)

    async def _posted(self, url: str, octets: bytes) -> bool:
        if self._poster is None:
            from angarium.modules.report.posting import Poster  # noqa: PLC0415 - aiohttp, for few

            self._poster = Poster(self._means.resolver)
        try:
            await self._poster.post(url, octets)
        except Error as error:
            self._means.tell("WARNING", f"a report of TLS is not taken at {url}: {error}")
            return False
        return True

    def _made(self, domain: str, begin: int, rows: "Counter[Row]") -> Report:
        policies: dict[tuple[str, tuple[str, ...]], Counter[Row]] = {}
        for row, count in rows.items():
            policies.setdefault((row.kind, row.policy), Counter())[row] += count
        token = f"{begin}.{self._means.random.getrandbits(64):016x}"
        return Report(
            self._options.report_organization or self._means.host,
            Range(_stamp(begin), _stamp(begin + DAY - 1)),
            token,
            tuple(
                _judged(domain, kind, policy, found)
                for (kind, policy), found in sorted(policies.items(), key=lambda each: each[0])
            ),
            self._options.report_contact or parseaddr(self._sender)[1],
        )


def _judged(domain: str, kind: str, policy: tuple[str, ...], rows: "Counter[Row]") -> Judged:
    failures = Counter({row: count for row, count in rows.items() if row.result})
    hosts = tuple(line[4:] for line in policy if kind == "sts" and line.startswith("mx: "))
    return Judged(
        PolicyOf(kind, domain, policy, hosts),
        Summary(sum(rows.values()) - sum(failures.values()), sum(failures.values())),
        tuple(
            Failure(row.result, row.source, row.host, "", row.address, count, "", row.reason)
            for row, count in failures.most_common(MAX_FAILURES)
        ),
    )


def _stamp(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
