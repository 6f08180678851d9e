"""Name servers which storm, lie, answer too late or hang: other mail goes on, nothing ends wrongly.

One name server does all of it, by the name that is asked for; a hundred domains at once have their
mail in such names while that of another, whose records are as short-lived as they may be, goes on.
"""

import contextlib
import socket
import threading
from pathlib import Path
from typing import Final

import dns.message
import dns.rrset
import pytest

from helpers.dns import DnsServer
from helpers.outlook import Outlook

pytestmark = pytest.mark.slow

LATE: Final = 6.0  # seconds; 30 against the usual 15, in small
CONFIG: Final = """
generate_bounces = false
dns_max_in_flight = 50
retry_interval = 600
max_cname_depth = 5
esmtp_listener { listen "127.0.0.9:{sink}" { } }
"""
# Long enough for a name server in Python on a busy machine: who is not answered is known.
SOON: Final = "dns_timeout = 4\ndns_attempts = 1\n"
UNANSWERED: Final = ("silent", "late", "hang")
KINDS: Final = ("servfail", "refused", "garbage", "loop", "wrong", *UNANSWERED)
NUMBER: Final = 12  # domains of each kind
OTHERS: Final = """
well.test 1 A 127.0.0.1
victim.test A 127.0.0.1
forever.test 2147483648 A 127.0.0.1
zero.test 0 A 127.0.0.1
poison.test A 127.0.0.1
null.test MX 0 .
nowhere.test MX 10 any.test
any.test A 0.0.0.0
ours.test A 127.0.0.9
"""
NAMES: Final = "no MX or A for domain"


def zone() -> str:
    lines = [OTHERS]
    for n in range(NUMBER):
        lines.append(f"servfail{n}.test SERVFAIL\nrefused{n}.test REFUSED\nsilent{n}.test TIMEOUT")
        lines.append(f"loop{n}.test CNAME pool{n}.test\npool{n}.test CNAME loop{n}.test")
        lines += [f"{kind}{n}.test A 127.0.0.1" for kind in ("late", "hang", "garbage", "wrong")]
    # More hosts than anybody can use; one of those which count is well.
    lines += ["many.test MX 10 first.many.test", "first.many.test A 127.0.0.1"]
    lines += [f"many.test MX 20 h{n}.many.test" for n in range(2000)]
    return "\n".join(lines)


class Liar(DnsServer):
    """A name server which does to each name what the name says."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._hanging: list[socket.socket] = []

    def __exit__(self, *what: object) -> None:
        super().__exit__(*what)
        for each in self._hanging:
            each.close()

    def _answer_datagram(self, data: bytes, peer: tuple[str, int]) -> None:
        name = dns.message.from_wire(data).question[0].name.to_text()
        if name.startswith("late"):
            later = super()._answer_datagram
            waiting = threading.Timer(LATE, lambda: _quietly(later, data, peer))
            waiting.daemon = True
            waiting.start()
            return
        kinds = {"hang": "truncation", "garbage": "garbage", "wrong": "wrong id"}
        for kind, fault in kinds.items():
            if name.startswith(kind):
                self.faults.insert(0, fault)
        super()._answer_datagram(data, peer)

    def _answer_stream(self, peer: socket.socket) -> None:
        # Which name it is stands in the question, which is read only to hang after it.
        size = int.from_bytes(peer.recv(2, socket.MSG_WAITALL), "big")
        data = peer.recv(size, socket.MSG_WAITALL)
        query = dns.message.from_wire(data)
        if query.question[0].name.to_text().startswith("hang"):
            self._hanging.append(peer.dup())
            return
        answer = self._response(query, "tcp")
        if answer is not None:
            octets = answer.to_wire(max_size=65535)
            peer.sendall(len(octets).to_bytes(2, "big") + octets)

    def _response(self, query: dns.message.Message, how: str) -> dns.message.Message | None:
        answer = super()._response(query, how)
        if answer is not None and query.question[0].name.to_text() == "poison.test.":
            for section in (answer.answer, answer.authority, answer.additional):
                section.append(dns.rrset.from_text("victim.test.", 86400, "IN", "A", "192.0.2.66"))
        return answer


def _quietly(later: object, data: bytes, peer: tuple[str, int]) -> None:
    with contextlib.suppress(OSError):  # The test is over.
        later(data, peer)  # type: ignore[operator]


@pytest.fixture
def liar(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("helpers.world.DnsServer", Liar)


async def test_names_which_cannot_be_resolved_cost_no_other_mail_its_pace(
    tmp_path: Path, liar: None
) -> None:
    async with Outlook(tmp_path, SOON + CONFIG, zone()) as world:

        def put_off(*kinds: str) -> list[str]:
            domains = [row[5] for row in world.rows("mainlog", "T")]
            return [each for each in domains if each.startswith(kinds)]

        async with world.call() as caller:
            for kind in KINDS:
                for n in range(NUMBER):
                    said = await caller.deliver(b"Subject: x\r\n\r\nx\r\n", f"b@{kind}{n}.test")
                    assert said.startswith("250")
        await world.mails(50, "beside@well.test")
        await world.came("beside@well.test", 50)
        # All of it has gone while there are names of which nobody has heard anything.
        assert len(put_off(*UNANSWERED)) < len(UNANSWERED) * NUMBER
        wanted = (len(KINDS) - 1) * NUMBER
        await world.until(lambda: len(put_off(*KINDS)) >= wanted, "each verdict")
        # Whatever it was, it is temporary: nobody said that there is no such domain.
        assert {row[13] for row in world.rows("mainlog", "T")} == {f"454 4.4.4 [internal] {NAMES}"}
        assert world.rows("mainlog", "P") == []
        assert len(world.rows("mainlog", "T")) == wanted, sorted(put_off(""))
        # Those whose true answer followed the forged one have come.
        await world.came("*@wrong*.test", NUMBER)
        assert "worker died" not in "\n".join(world.output)


async def test_strange_records_lead_where_they_should(tmp_path: Path, liar: None) -> None:
    async with Outlook(tmp_path, CONFIG, zone()) as world:
        for name in ("poison", "victim", "forever", "zero", "many"):
            await world.mail(f"b@{name}.test")
            await world.came(f"b@{name}.test")
        for name in ("null", "nowhere", "ours"):
            await world.mail(f"b@{name}.test")
        await world.records("mainlog", "P", count=2)
        ends = {row[5]: row[-1] for kind in "PT" for row in world.rows("mainlog", kind)}
        assert ends == {
            "null.test": "550 5.4.4 [internal] NULL MX domain does not accept mail",
            "ours.test": "554 5.4.6 [internal] mail for this domain loops back to this host",
            "nowhere.test": "451 4.4.1 [internal] No valid hosts",
        }
