import socket
from collections.abc import Iterator
from typing import cast

import pytest

from angarium.config.load import load_text
from angarium.modules.lua.errors import ScriptError
from angarium.modules.lua.runtime import State
from angarium.modules.means import Means
from angarium.wire.trap import oid, trap
from helpers.clock import FakeClock
from helpers.lua import services
from helpers.snippets import run, state


class _Means:
    def __init__(self, text: str) -> None:
        self.configuration = load_text(text)


@pytest.fixture
def receiver() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
        made.bind(("127.0.0.1", 0))
        made.settimeout(10.0)
        yield made


def _lua(text: str = "") -> State:
    made = services(clock=FakeClock())
    made.parts[Means] = cast(Means, _Means(text))
    return state(made)


def _expected(lua: State, community: bytes, kind: str, value: bytes | int) -> bytes:
    now = lua.services.clock.monotonic()
    which, variable = "1.3.6.1.4.1.19552.1.4.7", "1.3.6.1.4.1.19552.1.4.1.0"
    return trap(community, oid(which), oid(variable), kind, value,
                ticks=int(now * 100), request=int(now * 1000))  # fmt: skip


def test_a_trap_goes_to_an_address(receiver: socket.socket) -> None:
    port = receiver.getsockname()[1]
    lua = _lua()
    source = f"""
        return msys.snmpTrap({{ type = "counter", payload = 5, address = "127.0.0.1",
          port = {port}, community = "secret" }})
    """
    assert run(source, lua) == 1
    assert receiver.recv(2000) == _expected(lua, b"secret", "counter", 5)


def test_identifiers_may_be_others(receiver: socket.socket) -> None:
    port = receiver.getsockname()[1]
    source = f"""
        msys.snmpTrap({{ payload = "x", address = "127.0.0.1", port = {port},
          mib = "1.2.3", ["trapvar.mib"] = "1.2.4" }})
    """
    run(source, _lua())
    now = FakeClock().monotonic()
    assert receiver.recv(2000) == trap(
        b"public", (1, 2, 3), (1, 2, 4), "string", b"x",
        ticks=int(now * 100), request=int(now * 1000),
    )  # fmt: skip


def test_without_an_address_it_goes_to_the_destinations_known_by_a_community(
    receiver: socket.socket,
) -> None:
    port = receiver.getsockname()[1]
    text = f"""
        snmp_traps {{
          destination "127.0.0.1:{port}" {{ community = "ours" }}
          destination "127.0.0.9" {{ user = "watcher" }}
          user "watcher" {{}}
        }}
    """
    lua = _lua(text)
    assert run('return msys.snmpTrap({ payload = "hello" })', lua) == 1
    assert receiver.recv(2000) == _expected(lua, b"ours", "string", b"hello")


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ('{ payload = "x", address = "host.example" }', "no IP address"),
        ('{ payload = "x", address = "127.0.0.1", port = 70000 }', "no port"),
        ('{ type = "what", payload = "x", address = "127.0.0.1" }', "none of"),
        ('{ type = "ip", payload = "::1", address = "127.0.0.1" }', "no IPv4 address"),
        ('{ type = "gauge", payload = -1, address = "127.0.0.1" }', "number of 0"),
        ('{ mib = "x", payload = "x", address = "127.0.0.1" }', "no object identifier"),
        ("nil", "table expected"),
    ],
)
def test_what_is_no_trap_is_an_error(table: str, said: str) -> None:
    with pytest.raises(ScriptError, match=said):
        run(f"return msys.snmpTrap({table})", _lua())


def test_a_network_which_is_not_there_is_told() -> None:
    said: list[str] = []
    made = services(panic=said.append)
    source = 'return msys.snmpTrap({ payload = "x", address = "255.255.255.255" })'
    assert run(source, state(made)) == 0
    assert len(said) == 1
    assert "no trap can be sent to 255.255.255.255" in said[0]
