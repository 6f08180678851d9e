import ipaddress
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from angarium.policy.cidr import Table, block, blocks, numbered, rbldnsd


def test_the_narrowest_block_decides() -> None:
    table = Table.of(
        [
            ("10.0.0.0/8", "wide"),
            ("10.1.0.0/16", "narrow"),
            ("10.1.2.3", None),
            ("0.0.0.0/0", "all"),
        ]
    )
    found = [table.find(each) for each in ("10.9.9.9", "10.1.9.9", "10.1.2.3", "11.0.0.0")]
    assert found == ["wide", "narrow", None, "all"]


def test_the_later_of_the_same_block_holds() -> None:
    assert Table.of([("192.0.2.0/24", "a"), ("192.0.2.0/24", "b")]).find("192.0.2.1") == "b"


def test_the_edges_of_a_block_belong_to_it() -> None:
    table = Table.of([("192.0.2.0/30", "x"), ("255.255.255.255", "last"), ("0.0.0.0", "first")])
    names = ["192.0.1.255", "192.0.2.0", "192.0.2.3", "192.0.2.4", "255.255.255.255", "0.0.0.0"]
    assert [table.find(each) for each in names] == [None, "x", "x", None, "last", "first"]


def test_addresses_of_both_kinds_are_kept_apart() -> None:
    table = Table.of([("2001:db8::/32", "six"), ("::/0", "any"), ("10.0.0.0/8", "four")])
    assert table.find("2001:db8::1") == "six"
    assert table.find("2001:db9::1") == "any"
    assert table.find("10.0.0.1") == "four"
    assert table.find("11.0.0.1") is None
    assert table.size == 3


def test_an_address_of_ipv4_in_ipv6_is_one_of_ipv4() -> None:
    table = Table.of([("10.0.0.0/8", "four"), ("::ffff:192.0.2.0/120", "mapped")])
    assert table.find("::ffff:10.0.0.1") == "four"
    assert table.find("192.0.2.200") == "mapped"
    assert table.find("192.0.3.0") is None


def test_nothing_is_in_an_empty_table() -> None:
    table: Table[str] = Table.of([])
    assert table.find("192.0.2.1") is None
    assert table.find("2001:db8::1") is None


@pytest.mark.parametrize("text", ["", "1.2.3", "1.2.3.4/33", "1.2.3.4/x", "::/129", "a\0b", "1/8"])
def test_what_is_no_block_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no"):
        block(text)


ADDRESS = st.integers(0, 255).map(lambda number: f"10.0.0.{number}")
BLOCK = st.tuples(st.integers(0, 255), st.integers(22, 32)).map(
    lambda each: str(ipaddress.ip_network(f"10.0.0.{each[0]}/{each[1]}", strict=False))
)


@given(st.lists(st.tuples(BLOCK, st.integers(0, 3) | st.none()), max_size=20), ADDRESS)
def test_it_finds_what_a_search_of_all_blocks_finds(
    entries: list[tuple[str, int | None]], address: str
) -> None:
    best: tuple[int, int | None] = (-1, None)
    for text, value in entries:
        network = ipaddress.ip_network(text)
        if ipaddress.ip_address(address) in network and network.prefixlen >= best[0]:
            best = (network.prefixlen, value)
    assert Table.of(entries).find(address) == best[1]


@given(st.integers(0, 600), st.integers(0, 600))
def test_blocks_make_up_a_range_and_nothing_else(first: int, length: int) -> None:
    covered = [n for low, high in blocks(first, first + length) for n in range(low, high + 1)]
    assert covered == list(range(first, first + length + 1))


def test_all_addresses_are_one_block() -> None:
    assert list(blocks(0, (1 << 32) - 1)) == [(0, (1 << 32) - 1)]


RBL = """\
# a list
$SOA 3000 ns.example.org admin.example.org 0 600 300 86400 300
:127.0.0.2:Blocked, see https://example.org/?$
192.0.2.1
192.0.2.64/26:127.0.0.5:own text
192.0.2.70:7:short
192.0.2.71::only text
!192.0.2.80
198.51.100
198.51.101.5-9 :127.0.0.9:range
203.0.113.250-203.0.114.3
:3:others
203.0.115.1 words alone
2001:db8::/32 :127.0.0.6:six
"""


@pytest.mark.parametrize(
    ("address", "value", "text"),
    [
        ("192.0.2.1", "127.0.0.2", "Blocked, see https://example.org/?$"),
        ("192.0.2.65", "127.0.0.5", "own text"),
        ("192.0.2.70", "127.0.0.7", "short"),
        ("192.0.2.71", "127.0.0.2", "only text"),
        ("192.0.2.80", None, None),
        ("198.51.100.77", "127.0.0.2", "Blocked, see https://example.org/?$"),
        ("198.51.101.9", "127.0.0.9", "range"),
        ("198.51.101.10", None, None),
        ("203.0.114.3", "127.0.0.2", "Blocked, see https://example.org/?$"),
        ("203.0.114.4", None, None),
        ("203.0.115.1", "127.0.0.3", "words alone"),
        ("2001:db8::5", "127.0.0.6", "six"),
    ],
)
def test_a_file_of_rbldnsd_says_address_and_text(
    address: str, value: str | None, text: str | None
) -> None:
    found = (
        rbldnsd(RBL.splitlines()).find(address),
        rbldnsd(RBL.splitlines(), text=True).find(address),
    )
    assert found == tuple(None if each is None else each.encode() for each in (value, text))


@pytest.mark.parametrize("line", ["what", "1.2.3.4/99", "1.2.3.9-1", "1.2.3.4-x", "zz::1 :2:x"])
def test_a_line_which_is_none_is_told_by_its_number(line: str) -> None:
    with pytest.raises(ValueError, match="line 2"):
        rbldnsd(["192.0.2.1", line])


def test_a_large_table_answers_as_a_small_one() -> None:
    source = random.Random(1)
    entries = [(f"{source.randrange(1, 224)}.{n >> 8}.{n & 255}.0/24", str(n)) for n in range(9999)]
    table = Table.of(entries)
    for text, value in entries[::500]:
        assert table.find(text.replace("0/24", "77")) == value


def test_numbers_of_addresses() -> None:
    assert numbered("0.0.1.0") == (False, 256)
    assert numbered("::1") == (True, 1)
