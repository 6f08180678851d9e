"""The agent, asked by net-snmp's own programs."""

import asyncio
import socket
from collections.abc import AsyncIterator, Mapping
from random import Random
from typing import Any

import pytest

from angarium.config.kinds import Place
from angarium.modules.monitor import snmp
from angarium.modules.monitor.agent import Agent
from angarium.modules.monitor.mib import Facts, Line, Row, Table, Waiting, objects
from angarium.modules.monitor.options.snmp import SnmpUser
from helpers.clock import FakeClock
from helpers.netsnmp import ask

FACTS = Facts(
    host="mx.node.test",
    version="1.2",
    description="mta01",
    contact="op@example.com",
    location="rack 7",
    uptime=12.5,
    rows=(
        Row("none/all", Waiting(active=5, delayed=7, failed=3, received=20, delivered=5)),
        Row("none/default", Waiting(active=5, delayed=7)),
    ),
    lines=(Line("aol.com", 1, Waiting(active=2, delayed=3, received=9, connections=4)),),
)
ENTERPRISE = ".1.3.6.1.4.1.19552.1"
USERS = {
    "watcher": SnmpUser.make(
        authentication_secret="authentication", privacy_secret="encryption words"
    ),
    "reader": SnmpUser.make(
        authentication="sha", authentication_secret="authentication", privacy="none"
    ),
    "open": SnmpUser.make(authentication="none"),
}


class Asked:
    """An agent, and how often it made its table."""

    def __init__(self, community: str, users: Mapping[str, SnmpUser]) -> None:
        self.clock = FakeClock()
        self.made = 0
        engine = snmp.engine("mx.node.test", 3)
        self.agent = Agent(Place("127.0.0.1", 0), community, users, engine, self._make, self.clock)

    def _make(self) -> Table:
        self.made += 1
        return Table(objects(FACTS))

    @property
    def place(self) -> str:
        return f"127.0.0.1:{self.agent.port}"

    async def get(self, *words: str, program: str = "snmpget", status: int = 0) -> str:
        return await ask(program, "-On", "-t", "5", "-r", "3", *words, status=status)


@pytest.fixture
async def asked(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Asked]:
    monkeypatch.setattr("angarium.modules.monitor.door.PORT", 0)
    asked = Asked("monitoring", USERS)
    yield asked
    asked.agent.close()


@pytest.mark.effect("snmp.community", "snmp.address")
@pytest.mark.parametrize("version", ["-v1", "-v2c"])
async def test_a_question_with_the_community_is_answered(asked: Asked, version: str) -> None:
    said = await asked.get(version, "-c", "monitoring", asked.place, f"{ENTERPRISE}.1.2.0")
    assert said == f'{ENTERPRISE}.1.2.0 = STRING: "1.2"'


async def test_another_community_gets_no_answer(asked: Asked) -> None:
    said = await asked.get(
        "-v2c", "-c", "public", "-t", "0.3", "-r", "0", asked.place, f"{ENTERPRISE}.1.2.0", status=1
    )
    assert "Timeout" in said


@pytest.mark.effect("snmp.sysdescription", "snmp.syscontact", "snmp.syslocation")
async def test_the_system_is_described(asked: Asked) -> None:
    said = await asked.get(
        "-v2c", "-c", "monitoring", asked.place, "1.3.6.1.2.1.1", program="snmpwalk"
    )
    assert said.splitlines() == [
        '.1.3.6.1.2.1.1.1.0 = STRING: "mta01"',
        ".1.3.6.1.2.1.1.2.0 = OID: .1.3.6.1.4.1.19552.1",
        ".1.3.6.1.2.1.1.3.0 = Timeticks: (1250) 0:00:12.50",
        '.1.3.6.1.2.1.1.4.0 = STRING: "op@example.com"',
        '.1.3.6.1.2.1.1.5.0 = STRING: "mx.node.test"',
        '.1.3.6.1.2.1.1.6.0 = STRING: "rack 7"',
        ".1.3.6.1.2.1.1.7.0 = INTEGER: 72",
    ]


async def test_the_walk_of_bindings_is_that_of_the_manual(asked: Asked) -> None:
    for program in ("snmpwalk", "snmpbulkwalk"):
        said = await asked.get(
            "-v2c", "-c", "monitoring", asked.place, f"{ENTERPRISE}.3", program=program
        )
        assert said.splitlines() == [
            f"{ENTERPRISE}.3.1.1 = Counter32: 5",
            f"{ENTERPRISE}.3.1.2 = Counter32: 5",
            f"{ENTERPRISE}.3.2.1 = Counter32: 7",
            f"{ENTERPRISE}.3.2.2 = Counter32: 7",
            f"{ENTERPRISE}.3.3.1 = Counter32: 3",
            f"{ENTERPRISE}.3.3.2 = Counter32: 0",
            f'{ENTERPRISE}.3.4.1 = STRING: "none/all"',
            f'{ENTERPRISE}.3.4.2 = STRING: "none/default"',
        ]


async def test_a_domain_is_asked_for_by_its_name(asked: Asked) -> None:
    aol = f"{ENTERPRISE}.2.7.97.111.108.46.99.111.109"
    words = [f"{aol}.{metric}.1" for metric in (0, 1, 5, 6, 7)]
    said = await asked.get("-v2c", "-c", "monitoring", asked.place, *words)
    assert [line.partition(" = ")[2] for line in said.splitlines()] == [
        'STRING: "aol.com"', "Counter32: 9", "Gauge32: 4", "Gauge32: 2", "Gauge32: 3",
    ]  # fmt: skip


async def test_what_is_not_there_is_told_as_that(asked: Asked) -> None:
    words = [f"{ENTERPRISE}.1.2.9", f"{ENTERPRISE}.99.0"]
    said = await asked.get("-v2c", "-c", "monitoring", asked.place, *words)
    assert "No Such Instance" in said.splitlines()[0]
    assert "No Such Object" in said.splitlines()[1]


async def test_nothing_can_be_set(asked: Asked) -> None:
    said = await asked.get(
        "-v2c", "-c", "monitoring", asked.place, "1.3.6.1.2.1.1.6.0", "s", "elsewhere",
        program="snmpset", status=2,
    )  # fmt: skip
    assert "notWritable" in said


@pytest.mark.effect(
    "snmp.user.authentication", "snmp.user.authentication_secret", "snmp.user.privacy",
    "snmp.user.privacy_secret",
)  # fmt: skip
@pytest.mark.parametrize(
    "words",
    [
        "-u watcher -l authPriv -a SHA-256 -A authentication -x AES -X",
        "-u reader -l authNoPriv -a SHA -A authentication",
        "-u open -l noAuthNoPriv",
    ],
)
async def test_a_user_is_answered_at_its_level(asked: Asked, words: str) -> None:
    said = [*words.split(), *(["encryption words"] if words.endswith("-X") else [])]
    answer = await asked.get("-v3", *said, asked.place, f"{ENTERPRISE}.1.1.0")
    assert answer == f'{ENTERPRISE}.1.1.0 = STRING: "Angarium"'


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("-u watcher -l authNoPriv -a SHA-256 -A authentication", "Unsupported security level"),
        ("-u watcher -l noAuthNoPriv", "Unsupported security level"),
        ("-u reader -l authNoPriv -a SHA -A another-secret", "Authentication failure"),
        ("-u nobody -l noAuthNoPriv", "Unknown user name"),
    ],
)
async def test_a_user_with_less_is_not_answered(asked: Asked, words: str, reason: str) -> None:
    for program in ("snmpget", "snmpgetnext"):
        answer = await asked.get(
            "-v3", *words.split(), asked.place, f"{ENTERPRISE}.1.1.0",
            program=program, status=1,
        )  # fmt: skip
        assert reason in answer


async def test_without_a_community_only_users_are_answered() -> None:
    asked = Asked("", USERS)
    try:
        words = ("-c", "", "-t", "0.3", "-r", "0", asked.place, f"{ENTERPRISE}.1.1.0")
        assert "Timeout" in await asked.get("-v2c", *words, status=1)
        await asked.get("-v3", "-u", "open", "-l", "noAuthNoPriv", *words[-2:])
    finally:
        asked.agent.close()


async def test_what_is_no_question_is_passed_over_without_a_word(
    asked: Asked, caplog: pytest.LogCaptureFixture
) -> None:
    random = Random(5)
    good = bytes.fromhex(
        "302c0201010 40a6d6f6e69746f72696e67a01b02047fffffff020100020100300d300b06072b060102010101"
        "0500".replace(" ", "")
    )
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        for _ in range(1500):
            octets = bytearray(good[: random.randrange(len(good) + 1)] or random.randbytes(40))
            for _ in range(random.randrange(4)):
                octets[random.randrange(len(octets))] = random.randrange(256)
            peer.sendto(octets, ("127.0.0.1", asked.agent.port))
            await asyncio.sleep(0)
    await asked.get("-v2c", "-c", "monitoring", asked.place, f"{ENTERPRISE}.1.1.0")
    assert [record.getMessage() for record in caplog.records] == []


async def test_a_bug_of_ours_is_logged(
    asked: Asked, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_self: Table, _objects: object) -> None:
        raise KeyError("no")

    monkeypatch.setattr(Table, "__init__", broken)
    words = ("-t", "0.3", "-r", "0", asked.place, f"{ENTERPRISE}.1.1.0")
    await asked.get("-v2c", "-c", "monitoring", *words, status=1)
    assert "no objects for SNMP" in caplog.text
    assert "KeyError" in caplog.text


async def test_who_asks_in_a_loop_costs_one_table(asked: Asked) -> None:
    words = ("-v2c", "-c", "monitoring", asked.place, f"{ENTERPRISE}.3")
    await asked.get(*words, program="snmpwalk")
    assert asked.made == 1
    asked.clock.advance(2.0)
    await asked.get(*words, program="snmpwalk")
    assert asked.made == 2


async def test_a_place_that_is_taken_is_an_error_of_the_system(asked: Asked) -> None:
    engine: Any = snmp.engine("x", 1)
    place = Place("127.0.0.1", asked.agent.port)
    with pytest.raises(OSError, match="in use"):
        Agent(place, "", {}, engine, lambda: Table({}), FakeClock())
