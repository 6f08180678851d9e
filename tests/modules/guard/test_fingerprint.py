"""fingerprint: what a client runs, by its first packet and by p0f."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from angarium.modules.guard.fingerprint import REST_SECONDS, Fingerprint
from angarium.policy.context import Session
from angarium.policy.hooks import Connect
from angarium.policy.verdict import CONT
from helpers.guards import Place, session
from helpers.packets import syn

LINUX = syn("M,S,T,N,W", ttl=60)
NAMES = ("fingerprint_genre", "fingerprint_detail", "fingerprint_distance")


class Looked:
    """The module, and clients which connect."""

    def __init__(self, folder: Path, options: str = "") -> None:
        self.place = Place(folder, f"fingerprint {{ {options} }}")
        self.module = self.place.module(Fingerprint)
        self.module.start()

    async def found(self, address: str = "192.0.2.1", packet: bytes = LINUX) -> list[str | None]:
        """Let a client connect; return genre, detail and distance."""
        return variables(await self.connect(address, packet))

    async def connect(self, address: str, packet: bytes) -> Session:
        who = session(address)
        who.local_address, who.local_port = "198.51.100.1", 25
        who.syn = lambda: packet
        answer = self.module.client(Connect(who))
        assert (await answer if isinstance(answer, Awaitable) else answer) is CONT
        return who


def variables(who: Session) -> list[str | None]:
    return [who.variables.get(name) for name in NAMES]


@asynccontextmanager
async def daemon(folder: Path, answers: list[bytes]) -> AsyncIterator[list[bytes]]:
    """A p0f which gives these answers, one a connection; b"" is none at all. Yields questions."""
    asked: list[bytes] = []
    silent: list[asyncio.StreamWriter] = []

    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readexactly(24))
        answer = answers.pop(0)
        if not answer:
            silent.append(writer)
            return
        writer.write(answer[:4] + asked[-1][8:12] + answer[8:])
        writer.close()

    server = await asyncio.start_unix_server(client, folder / "p0f")
    async with server:
        yield asked
        for each in silent:
            each.close()


def known(genre: str, detail: str, distance: int, kind: int = 0) -> bytes:
    octets = bytearray(144)
    octets[:4] = (0x0DEFACED).to_bytes(4, "little")
    octets[8] = kind
    octets[9 : 9 + len(genre)] = genre.encode()
    octets[29 : 29 + len(detail)] = detail.encode()
    octets[69] = distance
    return bytes(octets)


async def test_a_client_is_known_by_its_first_packet(tmp_path: Path) -> None:
    looked = Looked(tmp_path)
    who = await looked.connect("192.0.2.1", LINUX)
    assert variables(who) == ["Linux", "4.20 and later", "4"]
    assert who.variables["fingerprint_syn"] == "4:60:1460:64240,7:M,S,T,N,W:df"


async def test_of_a_packet_nobody_knows_only_the_packet_is_told(tmp_path: Path) -> None:
    who = await Looked(tmp_path).connect("192.0.2.1", syn("M"))
    assert variables(who) == [None, None, None]
    assert who.variables["fingerprint_syn"] == "4:64:1460:64240:M:df"


async def test_without_a_packet_what_was_found_before_counts(tmp_path: Path) -> None:
    looked = Looked(tmp_path)
    assert await looked.found(packet=b"") == [None, None, None]
    await looked.found()
    assert await looked.found(packet=b"") == ["Linux", "4.20 and later", "4"]
    looked.place.clock.advance(3601.0)
    assert await looked.found(packet=b"") == [None, None, None]


@pytest.mark.effect("fingerprint.max_cache_size")
async def test_so_many_clients_are_remembered(tmp_path: Path) -> None:
    for most, remembered in ((1, None), (2, "Linux")):
        looked = Looked(tmp_path, f"max_cache_size = {most}")
        await looked.found("192.0.2.1")
        await looked.found("192.0.2.2")
        assert (await looked.found("192.0.2.1", b""))[0] == remembered


@pytest.mark.effect("fingerprint.p0f_socket")
async def test_what_p0f_knows_counts_more_and_is_asked_once_for_a_client(tmp_path: Path) -> None:
    answers = [known("Linux", "2.6 (newer, 2)", 9), known("", "", 0, kind=2)]
    looked = Looked(tmp_path, f'p0f_socket = "{tmp_path}/p0f"')
    async with daemon(tmp_path, answers) as asked:
        assert await looked.found() == ["Linux", "2.6 (newer, 2)", "9"]
        assert await looked.found() == ["Linux", "2.6 (newer, 2)", "9"]
        assert await looked.found("::ffff:192.0.2.2") == ["Linux", "4.20 and later", "4"]
        assert await looked.found("2001:db8::1") == ["Linux", "4.20 and later", "4"]
    assert [each[12:16] for each in asked] == [bytes((192, 0, 2, 1)), bytes((192, 0, 2, 2))]
    assert looked.place.panics == []


@pytest.mark.effect("fingerprint.p0f_timeout")
async def test_nobody_waits_long_for_p0f_and_then_it_rests(tmp_path: Path) -> None:
    options = f'p0f_socket = "{tmp_path}/p0f" p0f_timeout = 0.05 debug_level = WARNING'
    looked = Looked(tmp_path, options)
    async with daemon(tmp_path, [b"", known("OpenBSD", "", 1)]) as asked:
        assert (await looked.found("192.0.2.1"))[0] == "Linux"
        assert (await looked.found("192.0.2.2"))[0] == "Linux"
        assert len(asked) == 1
        looked.place.clock.advance(REST_SECONDS)
        assert (await looked.found("192.0.2.3"))[0] == "OpenBSD"
    [(_, said)] = looked.place.panics
    assert "it does not answer in time" in said


@pytest.mark.effect("fingerprint.debug_level")
async def test_a_p0f_which_is_not_there_is_told_to_who_wants_to_know(tmp_path: Path) -> None:
    for level, told in (("ERROR", 0), ("WARNING", 1)):
        looked = Looked(tmp_path, f'p0f_socket = "{tmp_path}/none" debug_level = {level}')
        assert (await looked.found())[0] == "Linux"
        assert len(looked.place.panics) == told


async def test_a_p0f_of_another_version_is_told(tmp_path: Path) -> None:
    looked = Looked(tmp_path, f'p0f_socket = "{tmp_path}/p0f" debug_level = WARNING')
    async with daemon(tmp_path, [known("", "", 0, kind=1), known("Linux", "", 0)[:100]]):
        await looked.found("192.0.2.1")
        looked.place.clock.advance(REST_SECONDS)
        await looked.found("192.0.2.2")
    [(_, one), (_, other)] = looked.place.panics
    assert "is it version 2.0.8?" in one
    assert "100 octets" in other


async def test_it_goes_on_after_a_reload_and_ends_when_it_is_taken_out(tmp_path: Path) -> None:
    looked = Looked(tmp_path)
    counts = looked.place.counts
    await looked.found()
    old = looked.module
    new = looked.place.module(Fingerprint)
    new.start()
    old.stop()
    assert counts.systems is not None
    assert counts.systems.known("192.0.2.1", looked.place.clock.monotonic()) is not None
    new.stop()
    assert counts.systems is None


@pytest.mark.effect("fingerprint.enabled")
async def test_off_it_looks_at_nobody(tmp_path: Path) -> None:
    assert Looked(tmp_path).place.asks(Connect)
    assert not Looked(tmp_path, "enabled = false").place.asks(Connect)
