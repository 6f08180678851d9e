import pytest

from helpers.snippets import run


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ('"a\\"b\\n\\0"', b'return "a\\"b\\n\\000"'),
        ("42", b"return 42"),
        ("0.5", b"return 0.5"),
        ("true", b"return true"),
        ("nil", b"return nil"),
        ("{}", b"return {}"),
        ("print", b"return nil --[[ function ]]"),
        ("json.new()", b"return nil --[[ json_object ]]"),
        ("{ 'b', 'a', x = { 1 } }",
         b'return {\n  [1] = "b",\n  [2] = "a",\n  ["x"] = {\n    [1] = 1,\n  },\n}'),
    ],
)  # fmt: skip
def test_a_value_is_shown_as_lua(value: str, text: bytes) -> None:
    assert run(f"return msys.dumper.Dumper({value})") == text


def test_what_is_shown_can_be_read_back() -> None:
    source = """
        local before = { "x", a = { b = "\\255\\1", [2.5] = false } }
        local text = msys.dumper.Dumper(before)
        local after = loadstring(text)()
        return text == msys.dumper.Dumper(after)
    """
    assert run(source) is True


def test_tables_which_hold_themselves_end_somewhere() -> None:
    text = run("local t = {}; t.a = t; t.b = t; return msys.dumper.Dumper(t)")
    assert text.endswith(b"}")
    assert b"and so on" in text
    assert len(text) < 5_000_000
