"""Which endpoint answers a request."""

import pytest

from angarium.policy.endpoints import found, methods, normal
from angarium.wire.channel import Place

PLACES = [
    Place("GET", "/a/b"),
    Place("GET", "/a"),
    Place("POST", "/a"),
    Place("", "/any"),
    Place("GET", "/any/below"),
]


@pytest.mark.parametrize(
    ("method", "path", "number"),
    [
        ("GET", "/a", 1),
        ("GET", "/a/", 1),
        ("GET", "/a/c", 1),
        ("GET", "/a/b", 0),
        ("GET", "/a/b/c", 0),
        ("GET", "/ab", None),
        ("GET", "/", None),
        ("POST", "/a/b", 2),
        ("HEAD", "/a", None),
        ("get", "/a", None),
        ("DELETE", "/any", 3),
        ("GET", "/any/below", 3),
    ],
)
def test_the_first_which_has_the_method_and_a_path_above_answers(
    method: str, path: str, number: int | None
) -> None:
    expected = None if number is None else PLACES[number]
    assert found(PLACES, method, path) is expected


def test_the_root_is_above_all() -> None:
    assert found([Place("GET", normal("/"))], "GET", "/whatever") is not None
    assert found([Place("GET", normal("/"))], "GET", "/") is not None


def test_the_methods_of_a_path_are_those_of_all_endpoints_above_it() -> None:
    assert methods(PLACES, "/a/x") == ["GET", "POST"]
    assert methods(PLACES, "/none") == []
