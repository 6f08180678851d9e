"""What doctor finds in the network, made up by a zone; sockets are of this machine only."""

import asyncio
import contextlib
import random
import socket

import pytest

from angarium.net.dns import Limits, Stub
from angarium.net.dnssocket import Sockets
from angarium.net.loop import RealClock
from angarium.net.resolvconf import Server
from angarium.run import checkup_network
from angarium.run.checkup import FAIL, OK, SKIPPED, WARN, Verdict
from angarium.run.checkup_network import Sender, identity, port_25, resolver, sources
from helpers.dns import DnsServer, FakeDns

ADDRESS = "8.8.4.4"  # a public one; nothing is sent to it
PTR = "4.4.8.8.in-addr.arpa PTR mx.example.com\n"
GOOD = PTR + f"mx.example.com A {ADDRESS}\n"


@pytest.fixture(autouse=True)
def _ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkup_network, "is_local", lambda address: address != "192.0.2.77")


@pytest.mark.parametrize(
    ("zone", "ehlo", "verdicts"),
    [
        (GOOD, "mx.example.com", [OK, OK]),
        (GOOD + "other.example.com A 8.8.4.5", "other.example.com", [WARN, OK]),
        (GOOD, "nowhere.example.com", [WARN, FAIL]),
        (GOOD, "localhost", [WARN, FAIL]),
        (GOOD, "", [OK]),
        (PTR + "mx.example.com A 8.8.8.8", "mx.example.com", [FAIL, OK]),
        ("mx.example.com A 8.8.4.4", "mx.example.com", [FAIL, OK]),
        ("4.4.8.8.in-addr.arpa TIMEOUT\nmx.example.com SERVFAIL", "mx.example.com", [WARN, WARN]),
    ],
)
async def test_names_must_lead_back_and_forth(
    zone: str, ehlo: str, verdicts: list[Verdict]
) -> None:
    findings = await identity(FakeDns(zone), Sender("g", "b", (ADDRESS,), ehlo))
    assert [each.verdict for each in findings] == verdicts
    assert {each.check for each in findings} == {"binding g/b"}


async def test_an_address_which_is_not_here_or_not_public_is_found() -> None:
    findings = await identity(FakeDns(""), Sender("g", "b", ("192.0.2.77", "10.0.0.1"), ""))
    assert [each.verdict for each in findings] == [FAIL, WARN]
    findings = await identity(FakeDns(""), Sender("g", "b", (), ""))
    assert [each.verdict for each in findings] == [SKIPPED]


async def ask(*servers: Server) -> list[tuple[Verdict, str]]:
    loop = asyncio.get_running_loop()
    limits = Limits(timeout=0.02, attempts=1)
    stub = Stub(servers, Sockets(loop), loop, RealClock(), random.SystemRandom(), limits)
    findings = await resolver(stub, RealClock())
    stub.close()
    return [(each.verdict, each.check) for each in findings]


async def test_each_name_server_is_asked() -> None:
    with DnsServer(". NS a.root-servers.net") as good, DnsServer(". TIMEOUT") as silent:
        one = Server("127.0.0.1", good.port)
        two = Server("127.0.0.1", silent.port)
        assert await ask(one, two) == [(OK, f"name server {one}"), (WARN, f"name server {two}")]
        assert await ask(two) == [(WARN, f"name server {two}"), (FAIL, "resolver")]


async def outward(*says: bytes, host: str = "mx.test") -> tuple[Verdict, str]:
    async def peer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for each in says:
            writer.write(each)
        if says:
            with contextlib.suppress(ConnectionResetError):
                await reader.readline()
        writer.close()
        ended.set()

    ended = asyncio.Event()
    server = await asyncio.start_server(peer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        finding = await port_25(FakeDns("mx.test A 127.0.0.1"), host, port, "127.0.0.9")
        if host == "mx.test":
            await ended.wait()
            await asyncio.sleep(0)  # The loop closes it in its next turn.
    return finding.verdict, finding.found


async def test_a_banner_means_that_the_port_is_open() -> None:
    verdict, found = await outward(b"220 mx.test \x1b[31mESMTP\r\n")
    assert (verdict, found.rpartition("says ")[2]) == (OK, "220 mx.test ?[31mESMTP")


async def test_any_other_answer_is_doubtful_and_none_a_failure() -> None:
    assert (await outward(b"554 go away\r\n"))[0] is WARN
    assert (await outward())[0] is FAIL
    assert (await outward(b"x" * 9000))[0] is FAIL
    assert (await outward(b"220 x\r\n", host="none.test"))[0] is WARN


async def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        port = sock.getsockname()[1]
    finding = await port_25(FakeDns("mx.test A 127.0.0.1"), "mx.test", port)
    assert finding.verdict is FAIL
    finding = await port_25(FakeDns("mx.test AAAA ::1"), "mx.test", port, "127.0.0.1")
    assert "no address of the binding's family" in finding.found


def test_where_a_binding_sends_from() -> None:
    assert sources("192.0.2.1", None) == ("192.0.2.1",)
    assert sources("192.0.2.1", "2001:db8::1") == ("192.0.2.1", "2001:db8::1")
    assert all(isinstance(each, str) for each in sources("*", None))
