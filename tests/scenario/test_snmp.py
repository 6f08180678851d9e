"""A running server, asked by SNMP, and what it says unasked."""

import re
from pathlib import Path

import pytest

from helpers.addresses import free_port
from helpers.netsnmp import ask, trap_receiver
from helpers.world import World

ZONE = "* A 127.0.0.1"
CONTENT = b"Subject: x\r\n\r\nx\r\n"
ENTERPRISE = ".1.3.6.1.4.1.19552.1"
AGENT = """
snmp {{
  address = "127.0.0.1:{port}"
  community = "monitoring"
  user "watcher" {{ authentication_secret = "authentication" }}
}}
domain "slow.test" {{ suspend_delivery = true }}
binding "bulk" {{ }}
"""


@pytest.mark.effect("snmp.state")
async def test_queues_are_read_from_a_server_of_several_workers(tmp_path: Path) -> None:
    port = free_port()
    async with World(tmp_path, AGENT.format(port=port), zone=ZONE, workers=2) as world:
        for number in range(3):
            await world.send("a@b.test", [f"c{number}@slow.test"], CONTENT)
        await world.send("a@b.test", ["d@fast.test"], CONTENT)
        await world.arrived("d@fast.test")
        place = f"127.0.0.1:{port}"
        community = ("-v2c", "-c", "monitoring", "-On", place)
        slow, fast = (
            ".".join([str(len(name)), *(str(ord(each)) for each in name)])
            for name in ("slow.test", "fast.test")
        )
        wanted = {
            f"{ENTERPRISE}.3.1.1": "Counter32: 3",
            f"{ENTERPRISE}.3.1.2": "Counter32: 3",
            f"{ENTERPRISE}.3.4.3": 'STRING: "none/bulk"',
            ".1.3.6.1.2.1.28.1.1.2.1": "Gauge32: 3",
            f"{ENTERPRISE}.2.{slow}.6.1": "Gauge32: 3",
            f"{ENTERPRISE}.2.{slow}.1.1": "Counter32: 3",
            f"{ENTERPRISE}.2.{fast}.3.1": "Counter32: 1",
        }

        async def told() -> bool:
            lines = (await ask("snmpget", *community, *wanted)).splitlines()
            return lines == [f"{name} = {value}" for name, value in wanted.items()]

        await world.eventually(told, "all values")
        walked = await ask("snmpbulkwalk", *community, "1.3.6.1")
        assert walked.count("\n") > 60
        assert "Error" not in walked
        user = "-v3 -l authPriv -u watcher -a SHA-256 -A authentication -x AES -X authentication"
        answer = await ask("snmpget", *user.split(), "-On", place, f"{ENTERPRISE}.1.1.0")
        assert answer.endswith('"Angarium"')


@pytest.mark.effect("snmp_traps.state", "snmp_traps.watch_interval")
async def test_a_start_a_long_queue_and_a_stop_are_told(tmp_path: Path) -> None:
    port = free_port()
    config = f"""
    snmp_traps {{
      state = enabled
      watch_interval = 1
      trap_interval = 600
      destination "127.0.0.1:{port}" {{ }}
      watch_variables = [ ActiveQueue = 2 GlobalMailQueue = 900 ]
    }}
    domain "slow.test" {{ suspend_delivery = true }}
    """
    async with (
        trap_receiver(tmp_path, port) as receiver,
        World(tmp_path, config, zone=ZONE) as world,
    ):

        def traps() -> list[str]:
            found = (re.search(rf"{ENTERPRISE}\.4\.(\d)\b(.*)", each) for each in receiver.lines)
            return [f"{each[1]}{each[2]}" for each in found if each]

        await world.until(lambda: traps() == ["1"], "a start")
        for number in range(2):
            await world.send("a@b.test", [f"c{number}@slow.test"], CONTENT)
        await world.until(lambda: len(traps()) == 2, "a trap about the queue")
        assert traps()[1] == f"4\t{ENTERPRISE}.3.1.1 = Counter32: 2"
        await world.stop()
        await world.until(lambda: traps()[2:] == ["2"], "a stop")
