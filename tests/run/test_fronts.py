"""Who has to send a PROXY header, by the options of the address which connects."""

import asyncio
from typing import Any

import pytest

from angarium.config.load import load_text
from angarium.config.resolve import Configuration
from angarium.events.metrics import Metrics
from angarium.net.front import Front
from angarium.run.fronts import Fronts
from angarium.wire.proxy import encode_line

LINE = encode_line(("192.0.2.9", 40000), ("198.51.100.1", 25))
PEERS = """
esmtp_listener {
  listen "*:25" { peer "10.0.0.0/8" { proxy_protocol = true } }
  listen "*:26" { proxy_protocol = true proxy_protocol_timeout = 7 }
}
"""


class Pipe(asyncio.Transport):
    def __init__(self, peer: object) -> None:
        super().__init__()
        self.peer = peer
        self.closed = False

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self.peer if name == "peername" else default

    def close(self) -> None:
        self.closed = True

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self.protocol = protocol

    def is_reading(self) -> bool:
        return True

    def is_closing(self) -> bool:
        return self.closed


class Made:
    def __init__(self, text: str) -> None:
        self.told: list[str] = []
        self.metrics = Metrics()
        self.fronts = Fronts("esmtp_listener", self.told.append, self.metrics)
        self.use(load_text(text))

    def use(self, configuration: Configuration) -> None:
        self.wanted = {each.name: each for each in configuration.listens("esmtp_listener")}
        self.fronts.use(configuration, self.wanted.values())

    def protocol(self, listen: str) -> asyncio.Protocol:
        made = self.fronts.before(self.wanted[listen], asyncio.Protocol)()
        assert isinstance(made, asyncio.Protocol)
        return made

    def count(self, outcome: str) -> object:
        return self.metrics.snapshot()[f"proxy_headers|{outcome}"]


def test_where_no_stanza_asks_there_is_no_front() -> None:
    made = Made('esmtp_listener { listen "*:25" { } }')
    assert not isinstance(made.protocol("*:25"), Front)


@pytest.mark.parametrize(
    ("peer", "waits"), [("10.1.2.3", 1), ("::ffff:10.1.2.3", 1), ("192.0.2.1", 0)]
)
async def test_a_peer_stanza_asks_those_it_is_for(peer: str, waits: int) -> None:
    made = Made(PEERS)
    front = made.protocol("*:25")
    assert isinstance(front, Front)
    pipe = Pipe((peer, 4711))
    front.connection_made(pipe)
    assert made.fronts.waiting == waits
    if waits:
        front.data_received(LINE)
    assert made.fronts.waiting == 0
    assert made.count("client") == waits
    assert not isinstance(pipe.protocol, Front)


async def test_what_was_closed_is_counted_and_told() -> None:
    made = Made(PEERS)
    front, pipe = made.protocol("*:26"), Pipe(("192.0.2.1", 1))
    front.connection_made(pipe)
    front.data_received(b"EHLO x\r\n")
    assert pipe.closed
    assert made.count("bad") == 1
    assert made.told == [
        "esmtp_listener *:26: connections are closed which do not begin with a PROXY header"
    ]


async def test_a_reload_asks_of_connections_from_then_on() -> None:
    made = Made(PEERS)
    factory = made.fronts.before(made.wanted["*:26"], asyncio.Protocol)
    pipe = Pipe(("192.0.2.1", 1))
    factory().connection_made(pipe)
    assert made.fronts.waiting == 1
    made.use(load_text('esmtp_listener { listen "*:26" { } }'))
    assert not isinstance(factory(), Front)
    assert made.fronts.waiting == 1  # it was told to send one
    made.use(load_text('esmtp_listener { listen "*:25" { } }'))
    assert pipe.closed  # its socket is gone
    assert made.fronts.waiting == 0


async def test_at_the_end_what_waits_is_closed() -> None:
    made = Made(PEERS)
    pipe = Pipe(("192.0.2.1", 1))
    made.protocol("*:26").connection_made(pipe)
    made.fronts.close()
    assert pipe.closed
    assert made.told == []
