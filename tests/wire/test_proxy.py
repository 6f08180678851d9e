"""PROXY headers: those of HAProxy and others, whole and octet by octet, and what is none."""

import ipaddress
import struct
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from angarium.wire.proxy import (
    LONGEST,
    LONGEST_LINE,
    SIGNATURE,
    Header,
    HeaderError,
    Place,
    crc32c,
    encode,
    encode_line,
    parse,
)

PORTS = st.integers(0, 65535)
V4 = st.ip_addresses(v=4).map(str)
V6 = st.ip_addresses(v=6).map(str).filter(lambda text: not text.startswith("::ffff:"))
PAIRS = st.one_of(
    st.tuples(st.tuples(V4, PORTS), st.tuples(V4, PORTS)),
    st.tuples(st.tuples(V6, PORTS), st.tuples(V6, PORTS)),
)
A, B = ipaddress.ip_address("192.0.2.9").packed, ipaddress.ip_address("198.51.100.1").packed
V4_BLOCK = A + B + struct.pack("!HH", 56324, 25)


def binary(command: int = 0x21, kind: int = 0x11, block: bytes = V4_BLOCK, size: int = -1) -> bytes:
    length = len(block) if size < 0 else size
    return SIGNATURE + struct.pack("!BBH", command, kind, length) + block


def tlv(kind: int, value: bytes) -> bytes:
    return struct.pack("!BH", kind, len(value)) + value


def summed(header: bytes) -> bytes:
    """Add a checksum as section 2.2.3 says."""
    size = len(header) - 16 + 7
    whole = header[:14] + struct.pack("!H", size) + header[16:] + tlv(0x03, bytes(4))
    return whole[:-4] + crc32c(whole).to_bytes(4, "big")


def whole(octets: bytes) -> Header:
    header = parse(octets)
    assert header is not None
    return header


def test_a_line_names_client_and_destination() -> None:
    line = b"PROXY TCP4 192.0.2.9 198.51.100.1 56324 25\r\n"
    assert parse(line + b"EHLO x\r\n") == Header(
        len(line), ("192.0.2.9", 56324), ("198.51.100.1", 25)
    )


def test_the_checksum_is_castagnoli() -> None:
    assert crc32c(b"123456789") == 0xE3069283  # the check value of CRC-32C


@given(PAIRS, st.binary(max_size=20), st.sampled_from([encode, encode_line]))
def test_what_is_encoded_is_read_back_and_what_follows_is_left(
    pair: tuple[Place, Place], rest: bytes, encoder: Callable[[Place, Place], bytes]
) -> None:
    source, destination = pair
    octets = encoder(source, destination)
    assert parse(octets + rest) == Header(len(octets), source, destination)
    for size in range(len(octets)):
        assert parse(octets[:size]) is None


@pytest.mark.parametrize(
    "line",
    [
        b"PROXY UNKNOWN\r\n",
        b"PROXY UNKNOWN 1 2 3 4 and more\r\n",
        b"PROXY UNKNOWN " + b"f" * (LONGEST_LINE - 16) + b"\r\n",
    ],
)
def test_a_proxy_may_not_know_the_client(line: bytes) -> None:
    assert parse(line) == Header(len(line))


@pytest.mark.parametrize(
    "octets",
    [
        b"EHLO client.example\r\n",
        b"\x16\x03\x01\x02\x00",
        b"GET / HTTP/1.1\r\n",
        b"proxy TCP4 192.0.2.9 198.51.100.1 1 2\r\n",
        b"PROXY TCP4 192.0.2.9 198.51.100.1 1\r\n",
        b"PROXY TCP4 192.0.2.9 198.51.100.1 1 2 3\r\n",
        b"PROXY  TCP4 192.0.2.9 198.51.100.1 1 2\r\n",
        b"PROXY TCP4 192.0.2.9 198.51.100.1 1 2 \r\n",
        b"PROXY TCP4 192.0.2.9 198.51.100.1 01 2\r\n",
        b"PROXY TCP4 192.0.2.9 198.51.100.1 +1 2\r\n",
        b"PROXY TCP4 192.0.2.9 198.51.100.1 65536 2\r\n",
        b"PROXY TCP4 192.0.2.09 198.51.100.1 1 2\r\n",
        b"PROXY TCP4 2001:db8::1 2001:db8::2 1 2\r\n",
        b"PROXY TCP6 192.0.2.9 198.51.100.1 1 2\r\n",
        b"PROXY TCP6 fe80::1%eth0 2001:db8::2 1 2\r\n",
        b"PROXY TCP4 a b 1 2\r\n",
        b"PROXY UDP4 192.0.2.9 198.51.100.1 1 2\r\n",
        b"PROXY \r\n",
        b"PROXY UNKNOWN " + b"f" * (LONGEST_LINE - 15) + b"\r\n",
        b"PROXY TCP4 " + b"1" * LONGEST_LINE,
        binary(command=0x11),
        binary(command=0x22),
        binary(kind=0x13),
        binary(kind=0x41),
        binary(block=V4_BLOCK[:11]),
        binary(kind=0x21),
        binary(block=V4_BLOCK + b"\x01"),
        binary(block=V4_BLOCK + tlv(0x02, b"mx")[:-1]),
        binary(block=V4_BLOCK, size=LONGEST),
    ],
)
def test_what_is_no_header_is_refused(octets: bytes) -> None:
    with pytest.raises(HeaderError):
        parse(octets)


@pytest.mark.parametrize(
    ("octets", "size"), [(b"\r\n\r\n\0\r\nQUIT\r", 13), (b"PROXZ", 5), (b"Q", 1)]
)
def test_it_is_refused_with_the_first_octet_that_is_wrong(octets: bytes, size: int) -> None:
    for less in range(size - 1):
        assert parse(octets[:less]) is None
    with pytest.raises(HeaderError):
        parse(octets)


def test_a_header_that_will_be_too_long_is_not_waited_for() -> None:
    with pytest.raises(HeaderError, match="16400"):
        parse(binary(block=b"", size=LONGEST))


def test_what_stands_behind_the_addresses_is_kept() -> None:
    notes = tlv(0x01, b"h2") + tlv(0x04, b"\0\0\0") + tlv(0x02, b"mx.example") + tlv(0xEA, b"\x01v")
    header = whole(binary(block=V4_BLOCK + notes))
    assert header.source == ("192.0.2.9", 56324)
    assert header.notes == ((0x01, b"h2"), (0x02, b"mx.example"), (0xEA, b"\x01v"))


@pytest.mark.parametrize("command", [0x20, 0x21])
def test_a_checksum_is_verified(command: int) -> None:
    octets = summed(binary(command=command, block=V4_BLOCK + tlv(0x02, b"mx.example")))
    assert parse(octets) is not None
    for at in range(16, len(octets)):
        if at not in (28, 29, 30, 41, 42, 43):  # Types and lengths: then it is another header.
            with pytest.raises(HeaderError):
                parse(octets[:at] + bytes([octets[at] ^ 1]) + octets[at + 1 :])


def test_there_is_one_checksum_at_most() -> None:
    with pytest.raises(HeaderError, match="checksum"):
        parse(summed(summed(binary())))


@pytest.mark.parametrize(
    "octets",
    [
        binary(command=0x20),
        binary(command=0x20, kind=0x00, block=b""),
        binary(command=0x20, kind=0x11, block=b""),
        binary(command=0x20, kind=0x00, block=b"anything\xff"),
        binary(kind=0x00, block=b""),
        binary(kind=0x31, block=bytes(216)),
        binary(kind=0x32, block=bytes(216)),
        binary(kind=0x12),
        binary(kind=0x22, block=bytes(36)),
    ],
)
def test_a_header_may_name_no_client(octets: bytes) -> None:
    header = whole(octets + b"EHLO")
    assert (header.octets, header.source, header.destination) == (len(octets), None, None)


def test_ipv4_within_ipv6_is_ipv4() -> None:
    first = ipaddress.ip_address("::ffff:192.0.2.9").packed
    block = first + first + struct.pack("!HH", 1, 25)
    assert whole(binary(kind=0x21, block=block)).source == ("192.0.2.9", 1)
    line = b"PROXY TCP6 ::ffff:192.0.2.9 ::ffff:192.0.2.1 1 25\r\n"
    assert whole(line).source == ("192.0.2.9", 1)


def test_addresses_of_two_families_are_no_connection() -> None:
    for encoder in (encode, encode_line):
        with pytest.raises(ValueError, match="one family"):
            encoder(("192.0.2.1", 1), ("2001:db8::1", 25))
