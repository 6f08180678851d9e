"""The stub resolver: on a fake loop where time matters, against real sockets where octets do."""

import asyncio
import random
from collections.abc import Iterator

import pytest
import uvloop

from angarium.net.answer import Status
from angarium.net.dns import DEFAULT_LIMITS, Limits, Stub
from angarium.net.dnssocket import Sockets
from angarium.net.loop import RealClock
from angarium.net.resolvconf import Server
from angarium.wire import dns as wire
from angarium.wire.dns import Response
from helpers.clock import FakeLoop
from helpers.dns import DnsServer
from helpers.nameservers import ONE, TWO, FakeNetwork, Reaction, reply, servfail, silent


@pytest.fixture
def loop() -> Iterator[FakeLoop]:
    loop = FakeLoop()
    yield loop
    loop.close()


def stub_on(network: FakeNetwork, loop: FakeLoop, limits: Limits = DEFAULT_LIMITS) -> Stub:
    return Stub((ONE, TWO), network, loop, loop.clock, random.Random(1), limits)


def ask(stub: Stub, loop: asyncio.AbstractEventLoop, name: str = "a.test") -> Response | Status:
    future: asyncio.Future[Response | Status] = loop.create_future()
    stub.ask(name, wire.A, future.set_result)
    return loop.run_until_complete(future)


def test_the_first_server_is_asked_and_no_other(loop: FakeLoop) -> None:
    network = FakeNetwork(loop)
    result = ask(stub_on(network, loop), loop)
    assert isinstance(result, Response)
    assert network.asked == [ONE]


def test_a_silent_server_is_followed_by_the_next_one(loop: FakeLoop) -> None:
    network = FakeNetwork(loop, one=silent)
    begun = loop.time()
    assert isinstance(ask(stub_on(network, loop), loop), Response)
    assert network.asked == [ONE, TWO]
    assert loop.time() - begun == pytest.approx(DEFAULT_LIMITS.timeout)


def test_a_refusing_system_is_followed_by_the_next_one_at_once(loop: FakeLoop) -> None:
    network = FakeNetwork(loop, one=lambda _: ConnectionRefusedError())
    begun = loop.time()
    assert isinstance(ask(stub_on(network, loop), loop), Response)
    assert (network.asked, loop.time()) == ([ONE, TWO], begun)


def test_a_server_which_failed_is_passed_over_and_probed_once_when_that_is_over(
    loop: FakeLoop,
) -> None:
    network = FakeNetwork(loop, one=lambda _: ConnectionRefusedError())
    stub = stub_on(network, loop)
    ask(stub, loop)
    network.reactions[ONE] = reply
    network.asked.clear()
    ask(stub, loop)
    loop.clock.advance(2.0)
    ask(stub, loop)
    ask(stub, loop)
    assert network.asked == [TWO, ONE, ONE]


def test_one_lost_datagram_is_no_reason_to_pass_a_server_over(loop: FakeLoop) -> None:
    network = FakeNetwork(loop, one=silent)
    stub = stub_on(network, loop)
    ask(stub, loop)
    network.reactions[ONE] = reply
    network.asked.clear()
    ask(stub, loop)
    assert network.asked == [ONE]


def test_when_all_servers_fail_they_are_still_asked(loop: FakeLoop) -> None:
    network = FakeNetwork(
        loop, one=lambda _: ConnectionRefusedError(), two=lambda _: ConnectionRefusedError()
    )
    stub = stub_on(network, loop)
    assert ask(stub, loop) is Status.TIMEOUT
    network.reactions[TWO] = reply
    assert isinstance(ask(stub, loop), Response)


def test_silence_everywhere_ends_at_the_deadline(loop: FakeLoop) -> None:
    network = FakeNetwork(loop, one=silent, two=silent)
    begun = loop.time()
    stub = stub_on(network, loop, Limits(timeout=4.0, deadline=15.0))
    assert ask(stub, loop) is Status.TIMEOUT
    assert loop.time() - begun == pytest.approx(15.0)
    assert stub.pending == 0


def test_servfail_is_asked_of_each_server_once(loop: FakeLoop) -> None:
    network = FakeNetwork(loop, one=servfail, two=servfail)
    stub = stub_on(network, loop)
    assert ask(stub, loop) is Status.SERVFAIL
    assert network.asked == [ONE, TWO]
    ask(stub, loop)
    assert network.asked[2:] == [ONE, TWO], "it says something about the name, not the server"


def test_a_server_without_edns_is_asked_without(loop: FakeLoop) -> None:
    def old(query: bytes) -> bytes:
        if query[11]:
            return query[:2] + b"\x81\x81" + b"\0" * 8
        return reply(query)

    network = FakeNetwork(loop, one=old)
    stub = stub_on(network, loop)
    assert isinstance(ask(stub, loop), Response)
    assert isinstance(ask(stub, loop), Response)
    assert network.asked == [ONE, ONE, ONE]
    assert [query[11] for query in network.queries] == [1, 0, 0]


def test_what_was_cut_off_is_asked_over_tcp(loop: FakeLoop) -> None:
    network = FakeNetwork(loop, one=lambda query: reply(query, flags=0x8380))
    stub = stub_on(network, loop)
    result = ask(stub, loop)
    assert isinstance(result, Response)
    assert not result.truncated
    assert (stub.counters["truncated"], stub.counters["tcp"]) == (1, 1)


@pytest.mark.parametrize(
    "stream", [silent, lambda _: OSError(), lambda _: b"", lambda q: b"\0\0" + q[2:]]
)
def test_where_tcp_fails_the_next_server_is_asked(loop: FakeLoop, stream: Reaction) -> None:
    network = FakeNetwork(loop, one=lambda query: reply(query, flags=0x8380))
    network.stream = stream
    assert isinstance(ask(stub_on(network, loop), loop), Response)
    assert network.asked == [ONE, TWO]


def test_without_tcp_a_part_of_an_answer_is_no_answer(loop: FakeLoop) -> None:
    cut = lambda query: reply(query, flags=0x8380)  # noqa: E731
    network = FakeNetwork(loop, one=cut, two=cut)
    assert ask(stub_on(network, loop, Limits(tcp=False)), loop) is Status.SERVFAIL


def test_authentic_is_believed_of_a_trusted_server_only(loop: FakeLoop) -> None:
    signed = lambda query: reply(query, flags=0x81A0)  # noqa: E731
    network = FakeNetwork(loop, one=signed)
    result = ask(stub_on(network, loop), loop)
    assert isinstance(result, Response)
    assert not result.authentic
    trusted = Server("127.0.0.1", trusted=True)
    network.reactions[trusted] = signed
    stub = stub_on(network, loop)
    stub.set_servers([trusted])
    result = ask(stub, loop)
    assert isinstance(result, Response)
    assert result.authentic


def test_open_questions_are_bounded_and_so_are_those_which_wait(loop: FakeLoop) -> None:
    network = FakeNetwork(loop)
    stub = stub_on(network, loop, Limits(in_flight=2, waiting=3))
    results: list[Response | Status] = []
    for n in range(7):
        stub.ask(f"n{n}.test", wire.A, results.append)
    assert results == [Status.BUSY, Status.BUSY]
    assert len(network.asked) == 2
    loop.run_until_complete(asyncio.sleep(1))
    assert [isinstance(each, Response) for each in results[2:]] == [True] * 5


def test_ten_thousand_which_wait_for_a_dead_network_do_not_nest(loop: FakeLoop) -> None:
    network = FakeNetwork(loop)
    stub = stub_on(network, loop, Limits(in_flight=1, waiting=10_000))
    results: list[Response | Status] = []
    for n in range(10_000):
        stub.ask(f"n{n}.test", wire.A, results.append)

    network.down = True
    loop.run_until_complete(asyncio.sleep(1))
    assert len(results) == 10_000


def test_a_port_serves_few_questions_and_is_closed_after_them(loop: FakeLoop) -> None:
    network = FakeNetwork(loop)
    stub = stub_on(network, loop, Limits(per_port=3))
    for _ in range(60):
        ask(stub, loop)
    assert len(network.every_port) >= 20
    assert len(network.opened) <= 4
    loop.clock.advance(60)
    before = len(network.every_port)
    ask(stub, loop)
    assert len(network.every_port) == before + 1, "an old port is not used again"
    stub.close()
    assert not network.opened


def test_ids_and_the_case_of_letters_are_random(loop: FakeLoop) -> None:
    network = FakeNetwork(loop)
    stub = stub_on(network, loop, Limits(mixed_case=True))
    for _ in range(20):
        ask(stub, loop, "some.example.test")
    assert len({query[:2] for query in network.queries}) == 20
    assert len({query[12:] for query in network.queries}) > 10


def test_other_servers_are_asked_when_they_change(loop: FakeLoop) -> None:
    network = FakeNetwork(loop)
    stub = stub_on(network, loop)
    ask(stub, loop)
    stub.set_servers([TWO])
    assert stub.servers == (TWO,)
    assert not network.opened
    ask(stub, loop)
    assert network.asked == [ONE, TWO]


# Real sockets.


def against(
    server: DnsServer, name: str = "a.test", rrtype: int = wire.A, limits: Limits = DEFAULT_LIMITS
) -> tuple[Response | Status, Stub]:
    async def main() -> tuple[Response | Status, Stub]:
        loop = asyncio.get_running_loop()
        at = Server("127.0.0.1", server.port, trusted=True)
        stub = Stub((at,), Sockets(loop), loop, RealClock(), random.SystemRandom(), limits)
        future: asyncio.Future[Response | Status] = loop.create_future()
        stub.ask(name, rrtype, future.set_result)
        result = await asyncio.wait_for(future, 90)
        stub.close()
        return result, stub

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:  # As in a worker.
        return runner.run(main())


@pytest.fixture
def server() -> Iterator[DnsServer]:
    with DnsServer("a.test A 192.0.2.1\nbig.test TXT " + "x" * 200 + "\n") as server:
        yield server


def address(result: Response | Status) -> object:
    assert isinstance(result, Response)
    return result.answers[0].value


@pytest.mark.parametrize("fault", ["wrong id", "wrong question", "not an answer"])
def test_a_forged_answer_is_counted_and_forgotten(server: DnsServer, fault: str) -> None:
    server.faults = [fault]
    result, stub = against(server)
    assert address(result) == "192.0.2.1"
    assert stub.counters["strays"] == 1


def test_an_answer_from_elsewhere_does_not_reach_us(server: DnsServer) -> None:
    server.faults = ["wrong source"]
    result, stub = against(server)
    assert address(result) == "192.0.2.1"
    assert stub.counters["strays"] == 0


def test_garbage_is_no_answer(server: DnsServer) -> None:
    server.faults = ["garbage"] * 3
    result, stub = against(server)
    assert result is Status.SERVFAIL
    assert stub.counters["bad"] == 1


def test_an_answer_cut_off_comes_whole_over_tcp(server: DnsServer) -> None:
    server.faults = ["truncation"]
    assert address(against(server)[0]) == "192.0.2.1"
    assert [how for _, _, how in server.questions] == ["udp", "tcp"]


def test_a_long_answer_comes_over_tcp(server: DnsServer) -> None:
    for n in range(10):
        server.zone.add(f"big.test TXT {n}" + "y" * 200)
    result, _ = against(server, "big.test", wire.TXT)
    assert isinstance(result, Response)
    assert len(result.answers) == 11


def test_silence_is_followed_by_another_question_from_another_place(server: DnsServer) -> None:
    server.faults = ["silence"]
    result, stub = against(server, limits=Limits(timeout=0.02))
    assert address(result) == "192.0.2.1"
    assert (stub.counters["queries.A"], stub.counters["timeouts.A"]) == (1, 1)
    assert len(set(server.ports)) == 2


def test_where_nobody_listens_the_answer_is_there_at_once() -> None:
    with DnsServer() as server:
        port = server.port

    async def main() -> Response | Status:
        loop = asyncio.get_running_loop()
        at = Server("127.0.0.1", port)
        stub = Stub((at,), Sockets(loop), loop, RealClock(), random.SystemRandom())
        future: asyncio.Future[Response | Status] = loop.create_future()
        stub.ask("a.test", wire.A, future.set_result)
        return await asyncio.wait_for(future, 90)

    assert asyncio.run(main()) is Status.TIMEOUT
