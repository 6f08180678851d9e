"""Traps, as snmptrapd receives them."""

import asyncio
from pathlib import Path

import pytest

from angarium.config.kinds import Place
from angarium.modules.monitor import snmp
from angarium.modules.monitor.conditions import START, Trap
from angarium.modules.monitor.mib import GROUPS, TRAPS, counter
from angarium.modules.monitor.options.snmp import TrapUser
from angarium.modules.monitor.traps import Destination, Traps
from helpers.addresses import free_port
from helpers.netsnmp import Receiver, trap_receiver

HOST, BOOTS = "mx.node.test", 7
WATCHER = TrapUser.make(authentication_secret="authentication", privacy_secret="encryption words")


async def arrived(receiver: Receiver, count: int) -> list[str]:
    for _ in range(4500):
        if len(receiver.lines) >= count:
            break
        await asyncio.sleep(0.02)
    return receiver.lines


@pytest.mark.effect(
    "snmp_traps.destination.community", "snmp_traps.destination.user",
    "snmp_traps.user.authentication", "snmp_traps.user.authentication_secret",
    "snmp_traps.user.privacy", "snmp_traps.user.privacy_secret",
)  # fmt: skip
async def test_a_trap_arrives_by_version_2c_and_3(tmp_path: Path) -> None:
    port, complaints = free_port(), list[str]()
    engine = snmp.engine(HOST, BOOTS)
    user = (
        f"createUser -e 0x{bytes(engine.snmpEngineID).hex()} watcher SHA-256 authentication AES "
        '"encryption words"'
    )
    place = Place("127.0.0.1", port)
    destinations = [
        Destination(place, "Public"),
        Destination(place, "Public", ("watcher", WATCHER)),
        Destination(place, "another"),
    ]
    async with trap_receiver(tmp_path, port, user, "authUser log watcher priv") as receiver:
        traps = Traps(destinations, engine, complaints.append)
        await traps.send(Trap((*TRAPS, 4), (((*GROUPS, 1, 1), counter(12)),)), 3.5)
        await traps.send(Trap(START), 4.0)
        lines = await arrived(receiver, 4)
        traps.close()
    assert complaints == []
    warning = (
        "TRAP .1.3.6.1.2.1.1.3.0 = Timeticks: (350) 0:00:03.50\t"
        ".1.3.6.1.6.3.1.1.4.1.0 = OID: .1.3.6.1.4.1.19552.1.4.4\t"
        ".1.3.6.1.4.1.19552.1.3.1.1 = Counter32: 12"
    )
    assert lines[:2] == [warning, warning]
    assert [line.count("19552.1.4.1") for line in lines[2:]] == [1, 1]
    assert len(lines) == 4  # A community which the receiver does not know gets nothing.


@pytest.mark.parametrize("host", ["nowhere.invalid", "x" * 64 + ".test"])
async def test_a_destination_which_has_no_address_is_told_once(host: str) -> None:
    complaints = list[str]()
    traps = Traps([Destination(Place(host), "Public")], snmp.engine(HOST, 1), complaints.append)
    await traps.send(Trap(START), 1.0)
    await traps.send(Trap(START), 2.0)
    traps.close()
    [complaint] = complaints
    assert complaint.startswith(f"no trap can be sent to {host}: ")
