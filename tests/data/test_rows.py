"""What a query returns."""

import math
import uuid
from datetime import date, datetime, time, timedelta
from decimal import Decimal

import pytest

from angarium.data.rows import Columns, Row, footprint, plain, rows, text


def test_a_row_is_a_mapping_in_the_order_of_its_columns() -> None:
    row = Row(Columns(["b", "a"]), [1, None])
    assert list(row) == ["b", "a"]
    assert row == {"b": 1, "a": None}
    assert (row["b"], row.at(1), row.at(2), len(row)) == (1, 1, None, 2)
    for place in (0, -1, 3):
        with pytest.raises(IndexError):
            row.at(place)
    assert repr(row) == "<Row {'b': 1, 'a': None}>"


def test_of_two_columns_with_a_name_the_last_one_has_it_and_places_have_both() -> None:
    row = Row(Columns(["a", "a"]), [1, 2])
    assert row == {"a": 2}
    assert [row.at(1), row.at(2)] == [1, 2]


def test_columns_without_names_are_their_places() -> None:
    (row,) = rows(Columns.unnamed(2), [["x", "y"]])
    assert row == {"1": "x", "2": "y"}
    assert not row.columns.named


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Decimal("12.00"), 12),
        (Decimal("12.5"), 12.5),
        (Decimal("1E+30"), 10**30),
        (datetime(2026, 11, 26, 1, 2, 3), "2026-11-26 01:02:03"),  # noqa: DTZ001
        (date(2026, 11, 26), "2026-11-26"),
        (time(1, 2), "01:02:00"),
        (timedelta(days=1, hours=2, minutes=3, seconds=4.5), "26:03:04.5"),
        (-timedelta(hours=1), "-01:00:00"),
        (bytearray(b"x"), b"x"),
        ([1, Decimal(2)], (1, 2)),
        (uuid.UUID(int=5), "00000000-0000-0000-0000-000000000005"),
        (True, True),
    ],
)
def test_what_scripts_do_not_have_is_what_is_nearest(value: object, expected: object) -> None:
    assert plain(value) == expected
    assert type(plain(value)) is type(expected)


def test_a_decimal_which_is_no_number_stays_none() -> None:
    value = plain(Decimal("NaN"))
    assert isinstance(value, float)
    assert math.isnan(value)


def test_octets_are_utf_8_where_they_can_be() -> None:
    assert text("ü".encode(), "iso-8859-1") == "ü"
    assert text(b"\xfc", "iso-8859-1") == "ü"
    assert text(b"\xfc", "koi8-r") == "Э"


def test_large_values_are_seen_in_the_footprint() -> None:
    small, large = (rows(Columns(["a"]), [[value]]) for value in ("x", ("x" * 1000, b"y" * 1000)))
    assert footprint(large) - footprint(small) > 2000
