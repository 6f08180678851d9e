"""Reports of single failures."""

import asyncio
from pathlib import Path

import pytest

from angarium.mail.auth.dmarc.evaluate import Evaluation
from angarium.mail.auth.dmarc.evaluate import Result as Outcome
from angarium.mail.auth.dmarc.record import parsed
from angarium.mail.auth.results import Result
from angarium.mail.auth.spf.check import Finding
from angarium.mail.auth.spf.record import Result as SpfResult
from angarium.mail.format.draft import Draft
from angarium.mail.format.tree import tree
from angarium.mail.report import arf
from angarium.modules.sign.failures import wanted
from angarium.modules.sign.found import Found
from helpers.authentic import Way
from modules.sign.test_daily import Queue

ZONE = """
b.example         TXT v=spf1 ip4:192.0.2.1 -all
_dmarc.a.example  TXT v=DMARC1; p=reject; ruf=mailto:f@a.example,mailto:x@other.test
_dmarc.c.example  TXT v=DMARC1; p=reject; rua=mailto:f@c.example
_dmarc.d.example  TXT v=DMARC1; p=reject; ruf=mailto:f@d.example!100
"""


class Node:
    def __init__(self, folder: Path, options: str) -> None:
        self.queue = Queue()
        self.way = Way(folder, f"dmarc {{ {options} }}", ZONE, admit=self.queue)
        [self.module] = self.way.means.modules["dmarc"]

    async def hears(self, author: str) -> None:
        await self.way.whole("joe@b.example", f"From: joe@{author}", "Subject: x", "", "secret")
        if self.module._failures is not None:
            await asyncio.gather(*self.module._failures.tasks)


@pytest.mark.effect("dmarc.failure_reports")
async def test_who_asks_is_told_of_a_failure(tmp_path: Path) -> None:
    node = Node(tmp_path, 'failure_reports = true action = "reject"')
    await node.hears("a.example")
    [(message, address)] = node.queue.taken
    assert address == "f@a.example"
    assert message.sender == ""
    octets = message.body.whole()
    assert b"secret" not in octets
    complaint = arf.read(tree(Draft(octets)))
    assert complaint is not None
    assert complaint.group.get("delivery-result") == "reject"
    assert complaint.group.get("reported-domain") == "a.example"
    assert "dmarc=fail; spf=pass; dkim=none" in complaint.group.get("authentication-results")
    assert complaint.header is not None
    assert complaint.header.value(b"subject") == b"x"
    for other in ("c.example", "d.example"):  # did not ask, or not for one of this size
        await node.hears(other)
    assert len(node.queue.taken) == 1
    off = Node(tmp_path, "")
    await off.hears("a.example")
    assert not off.queue.taken


@pytest.mark.effect("dmarc.failure_report_rate")
async def test_a_flood_of_failures_is_no_flood_of_reports(tmp_path: Path) -> None:
    node = Node(tmp_path, "failure_reports = true failure_report_rate = 2")
    for _ in range(4):
        await node.hears("a.example")
    assert len(node.queue.taken) == 2
    node.way.place.clock.advance(3600)
    await node.hears("a.example")
    assert len(node.queue.taken) == 3


@pytest.mark.parametrize(
    ("options", "spf", "dkim", "report"),
    [
        ("0", False, False, True),
        ("0", True, False, False),
        ("1", True, False, True),
        ("1", True, True, False),
        ("d", True, False, True),
        ("d", True, True, False),
        ("s", False, True, True),
        ("s", True, False, False),
        ("d:s", False, True, True),
        ("", False, False, True),
    ],
)
def test_a_domain_says_of_which_failures_it_wants_to_hear(
    options: str, spf: bool, dkim: bool, report: bool
) -> None:
    record = parsed(f"v=DMARC1; p=none; fo={options}".encode())
    assert record is not None
    way = Found.__new__(Found)
    way.spf = Finding(SpfResult.PASS if spf else SpfResult.FAIL, "a.example")
    way.signatures = [Result("dkim", "pass" if dkim else "fail")]
    outcome = Outcome.PASS if spf or dkim else Outcome.FAIL
    evaluation = Evaluation(outcome, "a.example", record=record, spf=spf, dkim=dkim)
    assert wanted(record, way, evaluation) is report
