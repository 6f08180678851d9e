"""Answers of processes add up to that of the server, in whichever order they come."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from angarium.console.sums import Counts, Page, Table


class Entry(msgspec.Struct, frozen=True, order=True):
    number: int


def test_counts_of_one_name_are_summed() -> None:
    assert Counts({"a": 1, "b": 2}) + Counts({"b": 3}) == Counts({"a": 1, "b": 5})


def test_rows_of_one_key_are_added() -> None:
    one, two = Table({"x": Counts({"n": 1})}), Table({"x": Counts({"n": 2}), "y": Counts()})
    assert one + two == Table({"x": Counts({"n": 3}), "y": Counts()})


def test_a_table_comes_back_with_its_rows() -> None:
    octets = msgspec.msgpack.encode(Table({"x": Counts({"n": 1})}))
    assert msgspec.msgpack.decode(octets, type=Table[Counts]) == Table({"x": Counts({"n": 1})})


@given(
    st.lists(st.lists(st.integers(0, 50), max_size=20), min_size=1, max_size=4),
    st.integers(1, 10),
)
def test_a_page_of_all_is_the_first_of_all_in_order(lists: list[list[int]], limit: int) -> None:
    pages = [Page.of(map(Entry, sorted(each)), limit) for each in lists]
    whole = pages[0]
    for each in pages[1:]:
        whole = whole + each
    everything = sorted(number for each in lists for number in each)
    assert [each.number for each in whole.items] == everything[:limit]
    assert whole.total == len(everything)
    assert whole.more == max(0, len(everything) - limit)
