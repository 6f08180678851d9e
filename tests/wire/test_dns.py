"""DNS messages against dnspython, which is the oracle."""

import ipaddress
import struct

import dns.flags
import dns.message
import dns.name
import dns.rdatatype
import dns.rrset
import pytest
from hypothesis import given
from hypothesis import strategies as st

from angarium.wire import dns as codec
from angarium.wire.dns import DnsError, Record, Soa, encode_name, parse, query, question

LABEL = st.from_regex(r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,20}[A-Za-z0-9])?", fullmatch=True)
NAME = st.lists(LABEL, min_size=1, max_size=5).map(".".join)
TTL = st.integers(0, codec.MAX_TTL)
RDATA = st.one_of(
    st.tuples(st.just("A"), st.ip_addresses(v=4).map(str)),
    st.tuples(st.just("AAAA"), st.ip_addresses(v=6).map(str)),
    st.tuples(st.just("MX"), st.tuples(st.integers(0, 65535), NAME).map("{0[0]} {0[1]}.".format)),
    st.tuples(st.just("CNAME"), NAME.map("{}.".format)),
    st.tuples(st.just("PTR"), NAME.map("{}.".format)),
    st.tuples(st.just("NS"), NAME.map("{}.".format)),
    st.tuples(
        st.just("TXT"),
        st.lists(LABEL, min_size=1, max_size=4).map(lambda t: '"' + '" "'.join(t) + '"'),
    ),
    st.tuples(
        st.just("TLSA"), st.binary(min_size=4, max_size=40).map(lambda b: "3 1 0 " + b.hex())
    ),
    st.tuples(st.just("SOA"), st.tuples(NAME, NAME).map("{0[0]}. {0[1]}. 1 2 3 4 5".format)),
)


def expected(rrtype: str, text: str) -> codec.Value:
    low = text.lower()
    match rrtype:
        case "A" | "AAAA":
            return str(ipaddress.ip_address(text))
        case "MX":
            preference, host = low.split()
            return int(preference), host.removesuffix(".")
        case "TXT":
            return text.strip('"').replace('" "', "").encode()
        case "TLSA":
            return bytes([3, 1, 0]) + bytes.fromhex(text.split()[3])
        case "SOA":
            primary, mailbox = low.split()[:2]
            return Soa(primary.removesuffix("."), mailbox.removesuffix("."), 1, 2, 3, 4, 5)
        case _:
            return low.removesuffix(".")


@given(NAME, st.sampled_from(sorted(codec.TYPES)), st.integers(0, 65535))
def test_a_question_of_ours_is_what_dnspython_reads(name: str, rrtype: str, ident: int) -> None:
    wire = query(ident, question(name, codec.TYPES[rrtype]))
    message = dns.message.from_wire(wire)
    asked = message.question[0]
    assert (message.id, message.edns, message.payload) == (ident, 0, 1232)
    assert message.flags == dns.flags.RD | dns.flags.AD
    assert asked.name.to_text(omit_final_dot=True) == name
    assert dns.rdatatype.to_text(asked.rdtype) == rrtype


@given(NAME, st.lists(st.tuples(NAME, TTL, RDATA), max_size=8), st.lists(TTL, max_size=1))
def test_an_answer_of_dnspython_is_read(
    name: str, records: list[tuple[str, int, tuple[str, str]]], soa: list[int]
) -> None:
    asked = dns.message.make_query(name, "MX", use_edns=0)
    response = dns.message.make_response(asked, recursion_available=True)
    response.flags |= dns.flags.AD
    for owner, ttl, (rrtype, text) in records:
        response.answer.append(dns.rrset.from_text(owner + ".", ttl, "IN", rrtype, text))
    for ttl in soa:
        response.authority.append(
            dns.rrset.from_text(name + ".", ttl, "IN", "SOA", "a. b. 1 2 3 4 5")
        )
    got = parse(response.to_wire())
    assert (got.ident, got.rcode, got.authentic) == (asked.id, 0, True)
    assert got.question == (name.lower(), codec.MX)
    assert got.answers == [
        Record(owner.lower(), codec.TYPES[rrtype], ttl, expected(rrtype, text))
        for owner, ttl, (rrtype, text) in records
    ]
    assert [each.value for each in got.authority] == [Soa("a", "b", 1, 2, 3, 4, 5) for _ in soa]


@given(st.binary(max_size=200))
def test_any_octets_give_a_response_or_a_dns_error(data: bytes) -> None:
    try:
        parse(data)
    except DnsError:
        return


@given(
    st.lists(
        st.sampled_from([b"\xc0\x0c", b"\xc0\x0e", b"\x01a", b"\x00", b"\x3f" + b"z" * 63])
        | st.binary(max_size=4)
    ),
    st.tuples(*[st.integers(0, 3)] * 4),
)
def test_any_octets_behind_a_header_give_a_response_or_a_dns_error(
    pieces: list[bytes], counts: tuple[int, int, int, int]
) -> None:
    try:
        parse(struct.pack(">HHHHHH", 1, 0x8180, *counts) + b"".join(pieces))
    except DnsError:
        return


@given(st.data())
def test_a_damaged_answer_raises_nothing_else(data: st.DataObject) -> None:
    wire = bytearray(answer_with_eight_mx())
    for _ in range(data.draw(st.integers(1, 4))):
        wire[data.draw(st.integers(0, len(wire) - 1))] = data.draw(st.integers(0, 255))
    try:
        parse(bytes(wire[: data.draw(st.integers(0, len(wire)))]))
    except DnsError:
        return


def answer_with_eight_mx() -> bytes:
    response = dns.message.make_response(dns.message.make_query("example.com", "MX"))
    texts = [f"10 mx{n}.example.com." for n in range(8)]
    response.answer.append(dns.rrset.from_text_list("example.com.", 300, "IN", "MX", texts))
    return bytes(response.to_wire())


@given(st.lists(st.binary(min_size=1, max_size=20), min_size=1, max_size=5))
def test_a_name_of_any_octets_survives_text(labels: list[bytes]) -> None:
    wire = b"".join(bytes([len(label)]) + label for label in labels).lower() + b"\0"
    header = struct.pack(">HHHHHH", 1, 0x8180, 1, 0, 0, 0)
    got = parse(header + wire + b"\0\1\0\1").question
    assert got is not None
    assert encode_name(got[0]) == wire


def test_a_pointer_to_itself_or_forward_is_refused() -> None:
    header = struct.pack(">HHHHHH", 1, 0x8180, 1, 0, 0, 0)
    for pointer in (b"\xc0\x0c", b"\xc0\x0e", b"\xff\xff"):
        with pytest.raises(DnsError, match="backwards"):
            parse(header + pointer + b"\0\1\0\1" + b"\0" * 9)


def test_a_message_made_of_pointers_costs_no_seconds() -> None:
    # Each record begins at another label of sixty long names, so that none was read before.
    area = (b"\x01a" * 120 + b"\0") * 60
    first = b"\0" + struct.pack(">HHIH", 99, 1, 0, len(area))
    starts = [12 + len(first) + 241 * n + 2 * label for n in range(60) for label in range(120)]
    rest = struct.pack(">HHIH", 1, 1, 0, 4) + b"\0\0\0\0"
    records = b"".join((0xC000 | start).to_bytes(2, "big") + rest for start in starts)
    header = struct.pack(">HHHHHH", 1, 0x8180, 0, 1 + len(starts), 0, 0)
    with pytest.raises(DnsError, match="made of pointers"):
        parse(header + first + area + records)


@pytest.mark.parametrize(
    "name", ["a..b", ".a", "x" * 64, ".".join(["x" * 60] * 5), "bücher.example", "a\\", "\\256"]
)
def test_what_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(DnsError):
        encode_name(name)


def test_the_root_is_a_dot() -> None:
    response = dns.message.make_response(dns.message.make_query("example.com", "MX"))
    response.answer.append(dns.rrset.from_text("example.com.", 300, "IN", "MX", "0 ."))
    assert parse(response.to_wire()).answers[0].value == (0, ".")


def test_a_ttl_with_the_top_bit_is_zero() -> None:
    wire = answer_with_eight_mx().replace(struct.pack(">I", 300), struct.pack(">I", 0x80000000))
    assert parse(wire).answers[0].ttl == 0
