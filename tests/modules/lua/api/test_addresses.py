import pytest

from angarium.modules.lua.errors import ScriptError
from helpers.snippets import run

LIST = 'Bob <bob+lists@a.example>, \\"x y\\"@b.example (c), group: d@c.example;'


@pytest.mark.parametrize(
    ("component", "found"),
    [
        ("all", [b"bob+lists@a.example", b'"x y"@b.example', b"d@c.example"]),
        ("localpart", [b"bob+lists", b'"x y"', b"d"]),
        ("user", [b"bob", b"x y", b"d"]),
        ("detail", [b"lists"]),
        ("domain", [b"a.example", b"b.example", b"c.example"]),
    ],
)
def test_one_component_of_each_address_is_returned(component: str, found: list[bytes]) -> None:
    assert run(f'return msys.parseRFC2822Addresses("{LIST}", "{component}")') == found


def test_a_text_without_addresses_has_none() -> None:
    assert run('return #msys.parseRFC2822Addresses("", "all")') == 0


def test_another_component_is_an_error() -> None:
    with pytest.raises(ScriptError, match="not 'host'"):
        run('return msys.parseRFC2822Addresses("a@b", "host")')
