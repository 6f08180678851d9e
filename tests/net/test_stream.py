"""The driver of sessions: with a transport in memory for time, with real sockets for the rest."""

import asyncio
import socket
from collections.abc import Awaitable, Callable

import pytest
import uvloop

from angarium.core.buffer import Buffer
from angarium.net.stream import Bounds, Expiry, Stream, Turn
from angarium.net.sweep import Sweep
from helpers.clock import FakeClock


class LineSession:
    """Answers each line with itself, in capitals."""

    def __init__(self) -> None:
        self.buffer = Buffer()
        self.out: list[bytes] = []

    def receive(self, data: bytes) -> None:
        self.buffer.append(data)

    def data_to_send(self) -> bytes:
        out, self.out = b"".join(self.out), []
        return out


class Lines(Stream):
    """WAIT is answered later, QUIT closes, BYE hangs up, 421 ends an idle one."""

    def __init__(self, sweep: Sweep, bounds: Bounds) -> None:
        self.lines = LineSession()
        super().__init__(self.lines, sweep, bounds)
        self.waiting = False
        self.advances = 0
        self.ended: list[Exception | None] = []
        self.timers: list[Expiry] = []
        self.gone = False

    def opened(self) -> None:
        self.lines.out.append(b"220 hello\r\n")

    def advance(self) -> Turn:
        self.advances += 1
        if self.waiting:
            return Turn.DUE
        for _ in range(100):
            line = self.lines.buffer.take_line()
            if line is None:
                return Turn.HUNGRY
            if line == b"WAIT":
                self.waiting = True
                return Turn.DUE
            self.lines.out.append(line.upper() + b"\r\n")
            if line == b"QUIT":
                self.close()
                return Turn.HUNGRY
            if line == b"BYE":
                self.hang_up()
                self.lines.out.append(b"too late\r\n")
                return Turn.HUNGRY
        return Turn.MORE

    def answer(self) -> None:
        self.waiting = False
        self.lines.out.append(b"DONE\r\n")
        self.pump()

    def expired(self, which: Expiry) -> None:
        self.timers.append(which)
        if which is Expiry.IDLE:
            self.lines.out.append(b"421 idle\r\n")
            self.hang_up()
        else:
            super().expired(which)

    def lost(self, error: Exception | None) -> None:
        self.ended.append(error)
        self.gone = True


class FakeTransport(asyncio.Transport):
    """A peer which takes what `room` allows."""

    def __init__(self, protocol: Stream) -> None:
        super().__init__()
        self.protocol = protocol
        self.written: list[bytes] = []
        self.unsent = 0
        self.room = 1 << 30
        self.reading = True
        self.high = 0
        self.eof = self.closed = self.aborted = False

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        self.high = high or 0

    def write(self, data: bytes | bytearray | memoryview) -> None:
        assert not self.closed
        self.written.append(bytes(data))
        taken = min(self.room, len(data))
        self.room -= taken
        before, self.unsent = self.unsent, self.unsent + len(data) - taken
        if before <= self.high < self.unsent:
            self.protocol.pause_writing()

    def drain(self) -> None:
        self.unsent, self.room = 0, 1 << 30
        self.protocol.resume_writing()

    def pause_reading(self) -> None:
        assert self.reading
        self.reading = False

    def resume_reading(self) -> None:
        assert not self.reading
        self.reading = True

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        self.eof = True

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        if not self.aborted:
            self.aborted = True
            self.protocol.connection_lost(None)


class Bench:
    def __init__(self, bounds: Bounds = Bounds(unread=1000, unsent=1000)) -> None:  # noqa: B008
        self.clock = FakeClock()
        self.sweep = Sweep(self.clock)
        self.stream = Lines(self.sweep, bounds)
        self.transport = FakeTransport(self.stream)
        self.stream.connection_made(self.transport)

    def says(self, data: bytes) -> None:
        assert self.transport.reading
        self.stream.data_received(data)

    def pass_seconds(self, seconds: float) -> None:
        for _ in range(int(seconds)):
            self.clock.advance(1.0)
            self.sweep.tick(self.clock.monotonic())


def test_pipelined_lines_are_answered_in_one_write() -> None:
    bench = Bench()
    bench.says(b"a\r\nb\r\nc")
    bench.says(b"\r\n")
    assert bench.transport.written == [b"220 hello\r\n", b"A\r\nB\r\n", b"C\r\n"]
    assert (bench.stream.received, bench.stream.sent) == (9, 20)


def test_while_an_answer_is_due_what_comes_waits() -> None:
    bench = Bench()
    bench.says(b"wait\r\nWAIT\r\nb\r\n")
    bench.says(b"c\r\n")
    assert bench.transport.written[1:] == [b"WAIT\r\n"]
    bench.stream.answer()
    assert bench.transport.written[2:] == [b"DONE\r\nB\r\nC\r\n"]


def test_reading_stops_when_too_much_waits_and_goes_on_when_it_is_answered() -> None:
    bench = Bench()
    bench.says(b"WAIT\r\n")
    bench.says(b"x" * 900)
    bench.says(b"x" * 200 + b"\r\n")
    assert not bench.transport.reading
    bench.stream.answer()
    assert bench.transport.reading


def test_a_peer_which_does_not_read_is_not_read_from_and_reset_in_the_end() -> None:
    bench = Bench(Bounds(unsent=1000, stuck=60.0))
    bench.transport.room = 0
    bench.says(b"y" * 1200 + b"\r\nnext\r\n")
    assert not bench.transport.reading
    assert len(bench.transport.written) == 2
    bench.pass_seconds(58)
    assert not bench.transport.aborted
    bench.pass_seconds(4)
    assert bench.stream.timers == [Expiry.STUCK]
    assert bench.stream.ended == [None]


def test_a_peer_which_reads_again_is_answered_again() -> None:
    bench = Bench()
    bench.transport.room = 0
    bench.says(b"z" * 90 * 100 + b"\r\n" + b"a\r\n" * 300)
    advances = bench.stream.advances
    assert len(bench.transport.written) == 2, "what one advance gave, and no more"
    bench.stream.pump()
    assert bench.stream.advances == advances
    bench.transport.drain()
    assert bench.transport.reading
    assert b"".join(bench.transport.written).count(b"A\r\n") == 300
    bench.pass_seconds(100)
    assert bench.stream.timers == []


def test_an_idle_peer_gets_a_word_and_a_moment_to_read_it() -> None:
    bench = Bench(Bounds(idle=300.0, linger=2.0))
    bench.pass_seconds(200)
    bench.says(b"noop\r\n")
    bench.pass_seconds(299)
    assert bench.stream.timers == []
    bench.pass_seconds(3)
    assert bench.stream.timers == [Expiry.IDLE]
    assert bench.transport.written[-1] == b"421 idle\r\n"
    assert (bench.transport.eof, bench.transport.aborted) == (True, False)
    bench.says(b"MAIL\r\n")
    assert bench.transport.written[-1] == b"421 idle\r\n"
    bench.pass_seconds(4)
    assert bench.transport.aborted
    assert len(bench.sweep) == 0


def test_the_idle_time_which_the_owner_sets_when_it_opens_holds_at_once() -> None:
    class Hasty(Lines):
        def opened(self) -> None:
            self.idle = 1.0

    clock = FakeClock()
    sweep = Sweep(clock)
    stream = Hasty(sweep, Bounds())
    stream.connection_made(FakeTransport(stream))
    for _ in range(3):
        clock.advance(1)
        sweep.tick(clock.monotonic())
    assert stream.timers == [Expiry.IDLE]


def test_a_peer_which_waits_for_us_is_not_idle() -> None:
    bench = Bench()
    bench.says(b"WAIT\r\n")
    bench.pass_seconds(1000)
    assert bench.stream.timers == []
    bench.stream.answer()
    bench.pass_seconds(290)
    assert bench.stream.timers == []
    bench.pass_seconds(15)
    assert bench.stream.timers == [Expiry.IDLE]


def test_a_deadline_ends_it_whatever_the_peer_does() -> None:
    bench = Bench()
    bench.stream.set_deadline(bench.clock.monotonic() + 30)
    for _ in range(29):
        bench.says(b"x")
        bench.pass_seconds(1)
    assert bench.stream.timers == []
    bench.pass_seconds(2)
    assert bench.stream.timers == [Expiry.DEADLINE]


def test_a_trickle_is_too_slow_and_a_steady_peer_is_not() -> None:
    bench = Bench(Bounds(window=10.0))
    bench.stream.demand_rate(100)
    for _ in range(50):
        bench.says(b"x" * 150)
        bench.pass_seconds(1)
    assert bench.stream.timers == []
    for _ in range(21):
        if not bench.stream.gone:
            bench.says(b"x" * 50)
            bench.pass_seconds(1)
    assert bench.stream.timers == [Expiry.SLOW]


def test_a_rate_no_longer_demanded_is_not_missed() -> None:
    bench = Bench(Bounds(window=10.0))
    bench.stream.demand_rate(100)
    bench.stream.demand_rate(0)
    bench.pass_seconds(40)
    assert bench.stream.timers == []


def test_what_is_still_due_is_sent_after_the_peer_closed_its_side() -> None:
    bench = Bench()
    bench.says(b"WAIT\r\nlast\r\n")
    assert bench.stream.eof_received() is True
    assert not bench.transport.closed
    bench.stream.answer()
    assert bench.transport.written[-1] == b"DONE\r\nLAST\r\n"
    assert bench.transport.closed


def test_a_peer_which_closed_and_owes_us_a_line_is_closed() -> None:
    bench = Bench()
    bench.says(b"half a li")
    bench.stream.eof_received()
    assert bench.transport.closed


def test_what_comes_after_we_closed_is_forgotten() -> None:
    bench = Bench()
    bench.says(b"QUIT\r\nmore\r\n")
    bench.says(b"and more\r\n")
    bench.stream.pump()
    assert bench.transport.written[-1] == b"QUIT\r\n"
    assert bench.stream.closing


def test_a_peer_which_does_not_take_our_last_words_is_reset() -> None:
    bench = Bench(Bounds(stuck=60.0))
    bench.says(b"QUIT\r\n")
    bench.pass_seconds(59)
    assert not bench.transport.aborted
    bench.pass_seconds(3)
    assert bench.transport.aborted


def test_an_answer_after_the_connection_is_lost_goes_nowhere() -> None:
    bench = Bench()
    bench.says(b"WAIT\r\n")
    error = ConnectionResetError()
    bench.stream.connection_lost(error)
    bench.stream.answer()
    bench.stream.close()
    bench.stream.hang_up()
    bench.stream.abort()
    assert bench.stream.ended == [error]
    assert len(bench.sweep) == 0


# Real transports, on both loops.

Dialogue = Callable[[socket.socket, Lines], Awaitable[None]]


@pytest.fixture(params=["asyncio", "uvloop"])
def play(request: pytest.FixtureRequest) -> Callable[[Dialogue, Bounds], Lines]:
    new_loop = uvloop.new_event_loop if request.param == "uvloop" else asyncio.new_event_loop

    async def main(dialogue: Dialogue, bounds: Bounds) -> Lines:
        loop = asyncio.get_running_loop()
        listening = socket.create_server(("127.0.0.1", 0))
        peer = socket.create_connection(listening.getsockname())
        ours, _ = listening.accept()
        listening.close()
        peer.setblocking(False)
        sweep = Sweep(FakeClock())
        _, stream = await loop.connect_accepted_socket(lambda: Lines(sweep, bounds), ours)
        async with asyncio.timeout(90):
            await dialogue(peer, stream)
            peer.close()
            await until(lambda: stream.gone)
        return stream

    def run(dialogue: Dialogue, bounds: Bounds = Bounds()) -> Lines:  # noqa: B008
        with asyncio.Runner(loop_factory=new_loop) as runner:
            return runner.run(main(dialogue, bounds))

    return run


async def until(true: Callable[[], bool]) -> None:
    while not true():  # noqa: ASYNC110 - each turn of the loop may bring it
        await asyncio.sleep(0)


async def until_eof(peer: socket.socket) -> bytes:
    loop, data = asyncio.get_running_loop(), b""
    while piece := await loop.sock_recv(peer, 65536):
        data += piece
    return data


def test_a_real_peer_may_half_close_and_read_on(play: Callable[..., Lines]) -> None:
    async def dialogue(peer: socket.socket, stream: Lines) -> None:
        await asyncio.get_running_loop().sock_sendall(peer, b"a\r\nb\r\n")
        peer.shutdown(socket.SHUT_WR)
        assert await until_eof(peer) == b"220 hello\r\nA\r\nB\r\n"

    assert play(dialogue).ended == [None]


def test_a_real_peer_reads_our_last_words_although_it_sends_on(play: Callable[..., Lines]) -> None:
    async def dialogue(peer: socket.socket, stream: Lines) -> None:
        loop = asyncio.get_running_loop()
        await loop.sock_sendall(peer, b"BYE\r\n" + b"x" * 500_000)
        assert await until_eof(peer) == b"220 hello\r\nBYE\r\n"

    play(dialogue)


def test_a_real_peer_which_never_reads_costs_the_bound(play: Callable[..., Lines]) -> None:
    async def dialogue(peer: socket.socket, stream: Lines) -> None:
        loop = asyncio.get_running_loop()
        sent = asyncio.ensure_future(loop.sock_sendall(peer, b"noop\r\n" * 2_000_000))
        await until(lambda: stream.stuck)
        turns = iter(range(50))
        await until(lambda: next(turns, None) is None)
        assert stream.transport is not None
        assert stream.transport.get_write_buffer_size() < 65536 + 100 * 10
        assert len(stream.lines.buffer) < 600_000
        sent.cancel()
        stream.abort()

    play(dialogue, Bounds(unsent=65536))


def test_a_real_reset_is_noticed(play: Callable[..., Lines]) -> None:
    async def dialogue(peer: socket.socket, stream: Lines) -> None:
        await asyncio.get_running_loop().sock_sendall(peer, b"WAIT\r\n")
        await until(lambda: stream.waiting)
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")

    assert isinstance(play(dialogue).ended[0], ConnectionResetError)
