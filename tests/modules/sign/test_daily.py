"""The day's reports of DMARC."""

from pathlib import Path

import pytest

from angarium.core.errors import Error
from angarium.journal.errors import SpoolError
from angarium.mail.auth.asking import NameTrouble
from angarium.mail.auth.dmarc.record import destinations as uris
from angarium.mail.format.draft import Draft
from angarium.mail.format.tree import tree
from angarium.mail.report.dmarc.aggregate import Report
from angarium.mail.report.dmarc.received import attached, read
from angarium.modules.daily import KEPT_DAYS, begin_of
from angarium.modules.sign.asked import Asked
from angarium.modules.sign.daily import destinations
from angarium.modules.sign.dmarc import Dmarc
from helpers.authentic import Way
from helpers.dns import FakeDns
from helpers.letterbox import Letterbox

ZONE = """
a.example          TXT v=spf1 ip4:192.0.2.1 -all
_dmarc.a.example   TXT v=DMARC1; p=quarantine; pct=50; rua=mailto:r@a.example,mailto:x@other.test
_dmarc.b.example   TXT v=DMARC1; p=none; rua=mailto:r@reports.test
b.example._report._dmarc.reports.test TXT v=DMARC1
_dmarc.quiet.example TXT v=DMARC1; p=none
"""


class Queue(Letterbox):
    """Takes reports, and reads them."""

    def reports(self) -> list[tuple[str, Report]]:
        found = []
        for message, address in self.taken:
            octets = attached(tree(Draft(message.body.whole())))
            assert octets is not None
            found.append((address, read(octets)))
        return found


class Node:
    def __init__(self, folder: Path, options: str = "", zone: str = ZONE) -> None:
        self.queue = Queue()
        self.way = Way(folder, f"dmarc {{ reports = true {options} }}", zone, admit=self.queue)
        [self.module] = self.way.means.modules["dmarc"]
        assert isinstance(self.module, Dmarc)
        self.module.start()
        self.clock = self.way.place.clock

    async def hears(self, author: str, times: int = 1) -> None:
        for _ in range(times):
            await self.way.whole("joe@a.example", f"From: joe@{author}", "", "text")

    async def over(self, seconds: float = 86400.0 + 1800.0) -> None:
        """Let the day be over and report it."""
        self.module.stop()
        self.clock.advance(seconds)
        daily = self.module._daily
        assert daily is not None
        await daily.run()


@pytest.mark.effect("dmarc.reports")
async def test_who_asks_is_told_what_was_seen_of_it(tmp_path: Path) -> None:
    node = Node(tmp_path)
    began = node.clock.time()
    await node.hears("a.example", 3)
    await node.hears("b.example", 2)
    await node.hears("quiet.example")
    await node.over()
    found = dict(node.queue.reports())
    assert sorted(found) == ["r@a.example", "r@reports.test"]  # other.test did not say it wants any
    report = found["r@a.example"]
    assert report.begin <= began <= report.end
    assert report.end - report.begin == 86399
    assert (report.published.domain, report.published.pct) == ("a.example", "50")
    [(row, count)] = report.rows
    assert count == 3
    assert (row.source_ip, row.spf, row.dkim) == ("192.0.2.1", "pass", "fail")
    assert (row.spf_domain, row.spf_result, row.spf_scope) == ("a.example", "pass", "mfrom")
    [(row, count)] = found["r@reports.test"].rows
    assert (row.disposition, row.spf, count) == ("none", "fail", 2)
    assert not list(tmp_path.glob("dmarc/*.rows"))
    message, _ = node.queue.taken[0]
    assert message.sender == ""
    node.queue.taken.clear()
    await node.over()
    assert not node.queue.taken


async def test_without_reports_nothing_is_kept(tmp_path: Path) -> None:
    way = Way(tmp_path, "dmarc { }", ZONE)
    await way.whole("joe@a.example", "From: joe@a.example", "", "text")
    assert not list(tmp_path.iterdir())


@pytest.mark.effect("dmarc.report_delay")
async def test_a_day_is_reported_when_it_is_over_for_a_while(tmp_path: Path) -> None:
    node = Node(tmp_path, "report_delay = 7200")
    await node.hears("a.example")
    day = begin_of("1970-01-01") + (int(node.clock.time()) // 86400 + 1) * 86400
    await node.over(day + 7199 - node.clock.time())
    assert not node.queue.taken
    await node.over(2)
    assert len(node.queue.taken) == 1


async def test_who_has_got_its_report_gets_no_other(tmp_path: Path) -> None:
    node = Node(tmp_path)
    await node.hears("a.example")
    await node.hears("b.example")
    node.way.dns.zone.add("_dmarc.b.example SERVFAIL")
    node.way.dns.clear()
    await node.over()
    assert [address for _, address in node.queue.taken] == ["r@a.example"]
    assert list(tmp_path.glob("dmarc/*.rows"))
    node.way.dns.zone.remove("_dmarc.b.example")
    node.way.dns.zone.add(ZONE.splitlines()[3])
    node.way.dns.clear()
    await node.over(600)
    assert [address for _, address in node.queue.taken] == ["r@a.example", "r@reports.test"]
    assert not [path for path in tmp_path.glob("dmarc/*") if path.name != "lock"]


async def test_what_the_queue_refuses_is_tried_again(tmp_path: Path) -> None:
    node = Node(tmp_path)
    await node.hears("a.example")
    node.queue.refused = SpoolError("the disk is full")
    await node.over()
    assert list(tmp_path.glob("dmarc/*.rows"))
    assert ("dmarc", "a report to r@a.example was not taken: the disk is full") in (
        node.way.place.panics
    )
    node.queue.refused = None
    await node.over(600)
    assert len(node.queue.taken) == 1


async def test_what_could_not_be_reported_for_a_week_is_given_up(tmp_path: Path) -> None:
    node = Node(tmp_path, 'debug_level = "WARNING"')
    await node.hears("a.example")
    await node.over(86400.0 * (KEPT_DAYS + 2))
    assert not node.queue.taken
    assert not list(tmp_path.glob("dmarc/*.rows"))
    assert "too old" in node.way.place.panics[-1][1]


@pytest.mark.effect("dmarc.report_sender", "dmarc.report_organization", "dmarc.report_contact")
async def test_who_reports_can_be_said(tmp_path: Path) -> None:
    node = Node(
        tmp_path,
        'report_sender = "DMARC <d@us.example>" report_organization = "Us"'
        ' report_contact = "https://us.example"',
    )
    await node.hears("a.example")
    await node.over()
    [(_, report)] = node.queue.reports()
    assert (report.organisation, report.email, report.contact) == (
        "Us",
        "d@us.example",
        "https://us.example",
    )
    assert b"From: DMARC <d@us.example>\r\n" in node.queue.taken[0][0].body.whole()
    with pytest.raises(Error, match="no address"):
        Node(tmp_path, 'report_sender = "nobody"')


@pytest.mark.effect("dmarc.report_limit")
@pytest.mark.parametrize(
    ("options", "limit", "sent"),
    [("", "", 1), ("report_limit = 500", "", 0), ("", "!300", 0), ("", "!100k", 1)],
)
async def test_a_report_which_is_too_large_is_not_sent(
    tmp_path: Path, options: str, limit: str, sent: int
) -> None:
    zone = f"_dmarc.a.example TXT v=DMARC1; p=none; rua=mailto:r@a.example{limit}"
    node = Node(tmp_path, options, zone)
    await node.hears("a.example")
    await node.over()
    assert len(node.queue.taken) == sent
    assert not list(tmp_path.glob("dmarc/*.rows"))


PLACES = """
a.example._report._dmarc.yes.test TXT v=DMARC1
a.example._report._dmarc.no.test TXT something else
a.example._report._dmarc.other.test TXT v=DMARC1; rua=mailto:new@other.test!5k
a.example._report._dmarc.thief.test TXT v=DMARC1; rua=mailto:x@victim.test
a.example._report._dmarc.slow.test SERVFAIL
*._report._dmarc.any.test TXT v=DMARC1
"""


@pytest.mark.parametrize(
    ("place", "found"),
    [
        ("mailto:r@a.example", ["r@a.example"]),
        ("mailto:r@mail.a.example", ["r@mail.a.example"]),
        ("mailto:r@yes.test", ["r@yes.test"]),
        ("mailto:r@no.test", []),
        ("mailto:r@gone.test", []),
        ("mailto:r@other.test", ["new@other.test"]),
        ("mailto:r@thief.test", ["r@thief.test"]),
        ("https://a.example/", []),
        ("mailto:r@a.example,mailto:r@a.example", ["r@a.example"]),
    ],
)
async def test_reports_go_to_others_only_if_they_want_them(place: str, found: list[str]) -> None:
    ask = Asked(FakeDns(PLACES))
    places = await destinations(ask, "a.example", uris(place))
    assert [each.mailbox for each in places] == found


async def test_where_nobody_can_tell_it_is_asked_again() -> None:
    with pytest.raises(NameTrouble):
        await destinations(Asked(FakeDns(PLACES)), "a.example", uris("mailto:r@slow.test"))
