import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyasn1.codec.ber import decoder
from pysnmp.proto.api import v2c

from angarium.wire.trap import SYS_UPTIME, TRAP_OID, oid, trap

WHICH = oid("1.3.6.1.4.1.19552.1.4.7")
VARIABLE = oid("1.3.6.1.4.1.19552.1.4.1.0")


def _read(datagram: bytes) -> tuple[bytes, list[tuple[tuple[int, ...], object]]]:
    """Read it as another program does."""
    message, rest = decoder.decode(datagram, asn1Spec=v2c.Message())
    assert not rest
    pdu = v2c.apiMessage.get_pdu(message)
    assert pdu.isSameTypeWith(v2c.SNMPv2TrapPDU())
    binds = v2c.apiPDU.get_varbinds(pdu)
    return bytes(v2c.apiMessage.get_community(message)), [(tuple(n), value) for n, value in binds]


@pytest.mark.parametrize(
    ("kind", "value", "read"),
    [
        ("string", b"text \xff", v2c.OctetString(b"text \xff")),
        ("counter", 4294967295, v2c.Counter32(4294967295)),
        ("gauge", 0, v2c.Gauge32(0)),
        ("ip", b"192.0.2.1", v2c.IpAddress("192.0.2.1")),
        ("string", b"x" * 1000, v2c.OctetString(b"x" * 1000)),
    ],
)
def test_a_trap_is_read_by_others(kind: str, value: bytes | int, read: object) -> None:
    community, binds = _read(
        trap(b"Public", WHICH, VARIABLE, kind, value, ticks=300_000_000, request=7)
    )
    assert community == b"Public"
    assert binds == [
        (SYS_UPTIME, v2c.TimeTicks(300_000_000)),
        (TRAP_OID, v2c.ObjectIdentifier(WHICH)),
        (VARIABLE, read),
    ]


@given(st.lists(st.integers(0, 2**32 - 1), max_size=8), st.integers(0, 2**32 - 1))
def test_any_identifier_and_number_is_read(numbers: list[int], value: int) -> None:
    which = (1, 3, *numbers)
    _, binds = _read(trap(b"", which, which, "gauge", value, ticks=0, request=0))
    assert binds[1:] == [
        (TRAP_OID, v2c.ObjectIdentifier(which)), (which, v2c.Gauge32(value)),
    ]  # fmt: skip


@pytest.mark.parametrize("text", ["", "1", "1.x", "3.1", "1.40", "1..2", "1.99999999999", "-1.2"])
def test_what_is_no_identifier_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no object identifier"):
        oid(text)


@pytest.mark.parametrize(
    ("kind", "value"),
    [("ip", b"::1"), ("ip", b"\xff"), ("gauge", -1), ("counter", 2**32), ("string", 5),
     ("gauge", b"5"), ("what", b"x")],
)  # fmt: skip
def test_a_value_of_another_type_is_refused(kind: str, value: bytes | int) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - each says it in its own words
        trap(b"", WHICH, VARIABLE, kind, value, ticks=0, request=0)
