"""Who an engine of SNMP is, and how its users are protected."""

from pathlib import Path

import pytest
from pysnmp.entity import config
from pysnmp.proto.api import v2c

from angarium.modules.monitor import snmp
from angarium.modules.monitor.mib import Object
from angarium.modules.monitor.options.snmp import SnmpUser


def test_a_host_has_one_id_and_another_host_another() -> None:
    one, again = (bytes(snmp.engine("a.test", boots).snmpEngineID) for boots in (1, 2))
    other = bytes(snmp.engine("b.test", 1).snmpEngineID)
    assert one == again != other
    assert 5 <= len(one) <= 32  # RFC 3411 section 5


def test_starts_are_counted_on_disk(tmp_path: Path) -> None:
    path = tmp_path / "monitor" / "boots"
    assert [snmp.boots(path) for _ in range(3)] == [1, 2, 3]
    path.write_text("damaged")
    assert snmp.boots(path) == 1


@pytest.mark.parametrize(
    ("user", "level", "names"),
    [
        (SnmpUser.make(), "noAuthNoPriv", set()),
        (SnmpUser.make(authentication_secret="x" * 8, privacy="none"), "authNoPriv",
         {"authProtocol", "authKey"}),
        (SnmpUser.make(authentication_secret="x" * 8), "authPriv",
         {"authProtocol", "authKey", "privProtocol", "privKey"}),
        (SnmpUser.make(authentication="none", authentication_secret="x" * 8), "noAuthNoPriv",
         set()),
    ],
)  # fmt: skip
def test_encryption_needs_a_signature(user: SnmpUser, level: str, names: set[str]) -> None:
    assert snmp.level_of(user) == level
    keys = snmp.keys_of(user)
    assert set(keys) == names
    if level == "authPriv":
        assert keys["privKey"] == "x" * 8
        assert keys["privProtocol"] == config.USM_PRIV_CFB128_AES


def test_values_have_the_types_of_the_protocol() -> None:
    assert snmp.encoded(Object("counter", 7)) == v2c.Counter32(7)
    assert bytes(snmp.encoded(Object("text", "é"))) == "é".encode()
    assert tuple(snmp.encoded(Object("oid", (1, 3, 6)))) == (1, 3, 6)
