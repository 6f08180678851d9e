"""`count`: by address and by network."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from helpers.consoles import FakeServer, Talk


def hop(address: str) -> SimpleNamespace:
    return SimpleNamespace(hop=SimpleNamespace(address=address))


@pytest.fixture
def talk(tmp_path: Path) -> Talk:
    server = FakeServer(tmp_path, "")
    hops = [hop(each) for each in ("192.0.2.1", "192.0.2.1", "192.0.3.1", "2001:db8::1")]
    outlets = [SimpleNamespace(line=SimpleNamespace(binding="b1"), connections=hops)]
    clients = [SimpleNamespace(origin=SimpleNamespace(address="127.0.0.1"))]
    server.node.parts["worker 0"] = SimpleNamespace(
        pool=SimpleNamespace(outlets=outlets), services=SimpleNamespace(sessions=clients)
    )
    return Talk(server)


async def test_an_address_and_a_network_are_counted(talk: Talk) -> None:
    assert await talk.say("count outbound 192.0.2.1") == "2 sessions"
    assert await talk.say("count outbound/b1 192.0.0.0/16") == "3 sessions"
    assert await talk.say("count outbound/b2 192.0.0.0/16") == "0 sessions"


async def test_lengths_show_networks_with_those_within_them(talk: Talk) -> None:
    assert await talk.plain("count outbound 16-32") == [
        {"network": "192.0.0.0/16", "sessions": 3},
        {"network": "192.0.2.1/32", "sessions": 2},
        {"network": "192.0.3.1/32", "sessions": 1},
        {"network": "2001::/16", "sessions": 1},
        {"network": "2001:db8::/32", "sessions": 1},
    ]
    assert (await talk.say("count SMTP 32")).splitlines()[0] == (
        "Displaying 'SMTP' from /32 to /32"
    )


async def test_what_is_no_network_is_refused(talk: Talk) -> None:
    assert "no address, network or length" in await talk.fails("count outbound x")
    assert "write outbound" in await talk.fails("count x 32")
