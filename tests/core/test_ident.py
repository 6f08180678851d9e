from hypothesis import given
from hypothesis import strategies as st

from angarium.core.ident import Idents, parse, printed, shard_of

IDS = st.integers(0, 2**64 - 1)


@given(IDS)
def test_the_printed_form_is_a_bijection(ident: int) -> None:
    assert parse(printed(ident)) == ident


@given(st.text(max_size=30))
def test_any_text_is_an_id_or_none(text: str) -> None:
    ident = parse(text)
    assert ident is None or printed(ident).upper() == text.upper()


def test_momentum_would_print_it_so() -> None:
    assert printed(0xE67BC044_1EEA_916D) == "91/6D-07914-E67BC044"


def test_a_middle_over_sixteen_bits_is_no_id() -> None:
    assert parse("91/6D-65536-E67BC044") is None


@given(st.integers(0, 255), st.lists(st.floats(1, 2**31), min_size=1, max_size=50))
def test_ids_rise_whatever_the_clock_does(shard: int, times: list[float]) -> None:
    idents = Idents(shard)
    made = [idents.next(now) for now in times]
    assert made == sorted(set(made))
    assert {shard_of(ident) for ident in made} == {shard}


def test_a_full_second_borrows_from_the_next() -> None:
    idents = Idents(3, high_water=1000 << 32 | 3 << 24 | (1 << 24) - 1)
    assert idents.next(1000.5) >> 32 == 1001


def test_the_high_water_survives_a_clock_set_back() -> None:
    last = Idents(1).next(5_000_000.0)
    assert Idents(1, high_water=last).next(10.0) > last
