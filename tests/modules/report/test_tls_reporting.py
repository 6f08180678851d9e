"""Domains hear once a day how their policies of TLS fared with us (RFC 8460)."""

from pathlib import Path

import pytest

from angarium.core.errors import Error
from angarium.core.message import Message
from angarium.journal.errors import SpoolError
from angarium.mail.format.draft import Draft
from angarium.mail.format.tree import tree
from angarium.mail.report.tlsrpt import Failure, Report, Summary, attached, read
from angarium.modules.report.posting import PostError
from angarium.modules.report.tls_reporting import TlsReporting
from angarium.net.tlspolicy.demand import STS, TLSA, Demand
from angarium.outbound.demands import nobody
from angarium.outbound.hearing import hearing
from helpers.authentic import Way
from helpers.letterbox import Letterbox

POLICY = ("version: STSv1", "mode: enforce", "mx: mx.a.test", "max_age: 86400")
RECORDS = ("_25._tcp.mx.a.test. IN TLSA 3 1 1 00",)
ENFORCE = Demand(STS, "a.test", POLICY, required=True, checked=True)
NAMED = Demand(TLSA, "a.test", RECORDS, required=True)
ZONE = """
_smtp._tls.a.test     TXT  v=TLSRPTv1; rua=mailto:tls@a.test?subject=x
_smtp._tls.b.test     TXT  v=TLSRPTv1; rua=https://reports.b.test/v1
_smtp._tls.both.test  TXT  v=TLSRPTv1; rua=mailto:a@both.test,mailto:b@both.test
"""


class Node:
    def __init__(self, folder: Path, options: str = "") -> None:
        self.queue = Letterbox()
        self.way = Way(folder, f"tls_reporting {{ {options} }}", ZONE, admit=self.queue)
        [self.module] = self.way.means.modules["tls_reporting"]
        assert isinstance(self.module, TlsReporting)
        self.module.start()
        self.clock = self.way.place.clock
        self.heard = hearing(self.way.policing.policy, self.clock.time)

    def fares(self, demand: Demand = ENFORCE, result: str = "", times: int = 1) -> None:
        for _ in range(times):
            reason = f"it is {result}" if result else ""
            self.heard(demand, "mx.a.test", "192.0.2.1", "198.51.100.1", result, reason)

    async def over(self, seconds: float = 86400.0 + 14400.0) -> None:
        """Let the day be over and report it."""
        self.module.stop()
        self.clock.advance(seconds)
        await self.module._daily.run()

    def reports(self) -> list[tuple[str, Report]]:
        return [(address, _attached(message)) for message, address in self.queue.taken]


def _attached(message: Message) -> Report:
    octets = attached(tree(Draft(message.body.whole())))
    assert octets is not None
    return read(octets)


async def test_a_domain_is_told_what_fared_how_often(tmp_path: Path) -> None:
    node = Node(tmp_path)
    node.fares(times=5)
    node.fares(result="certificate-expired", times=2)
    node.fares(NAMED, "validation-failure")
    await node.over()
    [(address, report)] = node.reports()
    assert address == "tls@a.test"
    sts, tlsa = report.policies
    assert (sts.policy.policy_type, sts.policy.mx_host) == ("sts", ("mx.a.test",))
    assert sts.policy.policy_string == POLICY
    assert sts.summary == Summary(5, 2)
    assert sts.failure_details == (
        Failure(
            "certificate-expired", "198.51.100.1", "mx.a.test", "", "192.0.2.1", 2, "",
            "it is certificate-expired",
        ),
    )  # fmt: skip
    assert (tlsa.policy.policy_type, tlsa.policy.policy_string) == ("tlsa", RECORDS)
    assert tlsa.summary == Summary(0, 1)
    assert not list(tmp_path.glob("tls_reporting/*.rows"))


async def test_the_message_is_what_the_rfc_asks_for(tmp_path: Path) -> None:
    node = Node(tmp_path, 'report_sender = "TLS <tls@mx.example>"')
    node.fares()
    await node.over()
    [(message, _)] = node.queue.taken
    octets = message.body.whole()
    assert message.sender == ""
    for line in (
        b"From: TLS <tls@mx.example>",
        b"TLS-Report-Domain: a.test",
        b"TLS-Report-Submitter: ",
        b'Content-Type: multipart/report; report-type="tlsrpt";',
        b"Content-Type: application/tlsrpt+gzip",
    ):
        assert b"\r\n" + line in b"\r\n" + octets
    assert max(map(len, octets.split(b"\r\n"))) <= 998
    assert b"\n" not in octets.replace(b"\r\n", b"")


@pytest.mark.effect("tls_reporting.report_sender")
@pytest.mark.effect("tls_reporting.report_organization")
@pytest.mark.effect("tls_reporting.report_contact")
async def test_who_reports_can_be_said(tmp_path: Path) -> None:
    node = Node(
        tmp_path,
        'report_organization = "Example" report_contact = "ask@mx.example"'
        ' report_sender = "tls@mx.example"',
    )
    node.fares()
    await node.over()
    [(_, report)] = node.reports()
    assert (report.organization_name, report.contact_info) == ("Example", "ask@mx.example")
    assert b"From: tls@mx.example\r\n" in node.queue.taken[0][0].body.whole()


@pytest.mark.effect("tls_reporting.enabled")
async def test_switched_off_it_counts_nothing(tmp_path: Path) -> None:
    way = Way(tmp_path, "tls_reporting { enabled = false }", ZONE)
    assert hearing(way.policing.policy, way.place.clock.time) is nobody


@pytest.mark.effect("tls_reporting.debug_level")
async def test_what_it_tells_is_as_serious_as_it_is_asked_for(tmp_path: Path) -> None:
    for level, told in (("ERROR", 0), ("WARNING", 1)):
        node, posted = Node(tmp_path / level, f"debug_level = {level}"), Posted()
        node.fares(Demand(STS, "b.test", POLICY))
        posted.fails = True
        node.module._seen.stop()
        node.clock.advance(86400 + 14400)
        node.module._poster = posted
        await node.module._daily.run()
        node.module._poster = None
        node.module.stop()
        assert len(node.way.place.panics) == told


async def test_a_domain_which_asks_for_none_gets_none(tmp_path: Path) -> None:
    node = Node(tmp_path)
    node.fares(Demand(STS, "quiet.test", POLICY, required=True))
    await node.over()
    assert not node.queue.taken
    assert not list(tmp_path.glob("tls_reporting/*.rows"))


@pytest.mark.effect("tls_reporting.report_delay")
async def test_a_day_is_reported_when_it_is_over_for_a_while(tmp_path: Path) -> None:
    node = Node(tmp_path, "report_delay = 60")
    node.fares()
    left = 86400 - node.clock.time() % 86400
    await node.over(left + 59)
    assert not node.queue.taken
    await node.over(2)
    assert len(node.queue.taken) == 1


async def test_each_place_which_a_domain_names_gets_it(tmp_path: Path) -> None:
    node = Node(tmp_path)
    node.fares(Demand(STS, "both.test", POLICY))
    await node.over()
    assert [address for _, address in node.queue.taken] == ["a@both.test", "b@both.test"]


async def test_what_dns_cannot_tell_now_and_the_queue_does_not_take_is_tried_again(
    tmp_path: Path,
) -> None:
    node = Node(tmp_path)
    node.fares()
    node.way.dns.zone.add("_smtp._tls.a.test SERVFAIL")
    await node.over()
    node.way.dns.zone.remove("_smtp._tls.a.test")
    node.way.dns.zone.add(ZONE)
    node.way.dns.clear()
    node.queue.refused = SpoolError("full")
    await node.over(600)
    assert not node.queue.taken
    node.queue.refused = None
    await node.over(600)
    assert len(node.queue.taken) == 1


class Posted:
    def __init__(self) -> None:
        self.taken: list[tuple[str, Report]] = []
        self.fails = False

    async def close(self) -> None:
        """Nothing is open."""

    async def post(self, url: str, octets: bytes) -> None:
        if self.fails:
            raise PostError("no")
        self.taken.append((url, read(octets)))


async def test_one_by_https_is_posted_and_again_if_it_is_not_taken(tmp_path: Path) -> None:
    node, posted = Node(tmp_path), Posted()
    node.module._poster = posted
    node.fares(Demand(STS, "b.test", POLICY))
    posted.fails = True
    node.module._daily.stop()
    node.module._seen.stop()
    node.clock.advance(86400 + 14400)
    await node.module._daily.run()
    assert not posted.taken
    posted.fails = False
    await node.module._daily.run()
    [(url, report)] = posted.taken
    assert url == "https://reports.b.test/v1"
    assert report.policies[0].summary == Summary(1, 0)


async def test_a_sender_which_is_no_address_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Error, match="no address"):
        Node(tmp_path, 'report_sender = "nobody"')
