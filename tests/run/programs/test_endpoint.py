import click
import pytest

from angarium.run.programs.endpoint import Endpoint


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("127.0.0.1:25", ("127.0.0.1", 25)),
        ("[::1]:2525", ("::1", 2525)),
        ("mx.example.com:25", ("mx.example.com", 25)),
    ],
)
def test_a_host_and_a_port_are_a_pair(text: str, place: tuple[str, int]) -> None:
    assert Endpoint().convert(text, None, None) == place


def test_where_one_listens_port_and_host_may_be_any() -> None:
    assert Endpoint(bound=True).convert("127.0.0.1:0", None, None) == ("127.0.0.1", 0)
    assert Endpoint(bound=True).convert("*:25", None, None) == ("0.0.0.0", 25)


@pytest.mark.parametrize("text", ["127.0.0.1", ":25", "a b:25", "x:99999", "x:y", "::1:25"])
def test_what_is_no_host_and_port_is_refused(text: str) -> None:
    with pytest.raises(click.BadParameter):
        Endpoint().convert(text, None, None)
