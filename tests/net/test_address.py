"""Addresses of this machine; only loopback is used."""

import asyncio
import errno
import socket

import pytest

from angarium.net import address
from angarium.net.address import ANY, Buffers, Families, connect, is_local, reaches
from angarium.net.errors import NoRouteError, NotLocalError, ShortageError
from helpers.clock import FakeClock

FOREIGN = "192.0.2.77"  # for documentation, RFC 5737


@pytest.fixture
def listening() -> socket.socket:
    sock = socket.create_server(("127.0.0.1", 0))
    sock.setblocking(False)
    return sock


def test_an_address_is_local_if_one_can_leave_from_it() -> None:
    assert is_local("127.0.0.1")
    assert is_local(ANY)
    assert not is_local(FOREIGN)


def test_a_source_reaches_only_its_own_family() -> None:
    assert not reaches(socket.AF_INET6, "127.0.0.1")
    assert not reaches(socket.AF_INET, FOREIGN)


def test_families_are_asked_again_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, has = FakeClock(), {socket.AF_INET}
    monkeypatch.setattr(address, "reaches", lambda wanted, source: wanted in has)
    families = Families(clock)
    assert families.of() == (socket.AF_INET,)
    has.add(socket.AF_INET6)
    assert families.of() == (socket.AF_INET,)
    clock.advance(31)
    assert families.of() == (socket.AF_INET, socket.AF_INET6)


async def test_a_connection_leaves_from_the_source_address(listening: socket.socket) -> None:
    port = listening.getsockname()[1]
    transport, _ = await connect(
        asyncio.Protocol, "127.0.0.1", port, "127.0.0.9", within=1, buffers=Buffers(8192, 8192)
    )
    accepted, peer = listening.accept()
    assert peer[0] == "127.0.0.9"
    transport.abort()
    accepted.close()
    listening.close()


def test_no_port_is_taken_before_the_destination_is_known() -> None:
    sock = address._open("127.0.0.1", "127.0.0.9", Buffers())
    assert sock.getsockname() == ("127.0.0.9", 0)
    sock.close()


async def test_a_foreign_source_address_is_not_the_fault_of_mail() -> None:
    with pytest.raises(NotLocalError):
        await connect(asyncio.Protocol, "127.0.0.1", 9, FOREIGN, within=1)


async def test_a_source_of_the_other_family_is_no_route() -> None:
    with pytest.raises(NoRouteError):
        await connect(asyncio.Protocol, "::1", 9, "127.0.0.1", within=1)


async def test_a_refusal_comes_as_it_is(listening: socket.socket) -> None:
    port = listening.getsockname()[1]
    listening.close()
    with pytest.raises(ConnectionRefusedError):
        await connect(asyncio.Protocol, "127.0.0.1", port, within=1)


async def test_a_silent_host_is_a_timeout(listening: socket.socket) -> None:
    # The queue of a socket which is not accepted on: one more than its backlog gets no answer.
    full = socket.socket()
    full.bind(("127.0.0.1", 0))
    full.listen(0)
    waiting = [socket.socket() for _ in range(2)]
    for each in waiting:
        each.setblocking(False)
        each.connect_ex(full.getsockname())
    with pytest.raises(TimeoutError):
        await connect(asyncio.Protocol, "127.0.0.1", full.getsockname()[1], within=0.01)
    for each in [*waiting, full, listening]:
        each.close()


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (errno.EMFILE, ShortageError),
        (errno.EADDRNOTAVAIL, ShortageError),
        (errno.ENETUNREACH, NoRouteError),
        (errno.EHOSTUNREACH, OSError),
    ],
)
def test_what_is_ours_is_told_from_what_is_the_peers(code: int, kind: type[Exception]) -> None:
    assert isinstance(address._judged(OSError(code, "x"), "192.0.2.1", ANY), kind)
