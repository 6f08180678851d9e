import pytest

from angarium.modules.lua.errors import ScriptError
from helpers.snippets import run


def test_an_object_is_filled_by_assignment_and_keeps_its_order() -> None:
    source = """
        local o = json.new()
        o.name = "value"; o.int = 4; o.num = 3.5; o["yes"] = true; o.none = nil
        return tostring(o)
    """
    shown = b'{ "name": "value", "int": 4, "num": 3.5, "yes": true, "none": null }'
    assert run(source) == shown


def test_a_text_becomes_an_object() -> None:
    source = """
        local obj, code, err = json.decode([[{ "hello": "world", "a": { "b": [1, null, 2.5] } }]])
        obj.int = 4
        return obj.hello, obj.a.b[1], obj.a.b[2], obj.a.b[3], #obj.a.b, obj.none, tostring(obj)
    """
    assert run(source) == [
        b"world", 1, None, 2.5, 3, None,
        b'{ "hello": "world", "a": { "b": [ 1, null, 2.5 ] }, "int": 4 }',
    ]  # fmt: skip


def test_tables_with_something_at_1_are_arrays() -> None:
    source = """
        local o = json.new()
        o.list = json.encode({ 0, 1, 3 })
        o.cut = { "a", "b", nil, "d" }
        o.map = { [2] = "two", x = "y" }
        o.empty = {}
        return tostring(o.list), #o.cut, o.map["2"], o.map.x, tostring(o.empty)
    """
    assert run(source) == [b"[ 0, 1, 3 ]", 2, b"two", b"y", b"{ }"]


def test_objects_are_held_by_reference() -> None:
    source = """
        local inner, outer = json.new(), json.new()
        outer.inner = inner
        inner.late = true
        return tostring(outer)
    """
    assert run(source) == b'{ "inner": { "late": true } }'


def test_arrays_are_counted_from_1_and_take_numbers_only() -> None:
    source = """
        local a = json.decode("[]")
        a[1] = "x"; a[3] = "z"
        local ok, err = pcall(function() a.name = 1 end)
        return tostring(a), #a, ok, err, a[0], a[4]
    """
    shown, length, ok, said, zero, four = run(source)
    assert (shown, length, ok, zero, four) == (b'[ "x", null, "z" ]', 3, False, None, None)
    assert b"whole numbers" in said


def test_single_values_are_json_too() -> None:
    assert run('return tostring(json.encode(42)), tostring(json.encode("a\\"b"))') == [
        b"42", b'"a\\"b"',
    ]  # fmt: skip
    assert run('return tostring(json.encode(1e300)), tostring(json.encode(0.1))') == [
        b"1e+300", b"0.1",
    ]  # fmt: skip


@pytest.mark.parametrize("value", ["print", "{ f = print }", "{ { thread.mutex } }", "1/0"])
def test_what_json_has_not_is_an_error(value: str) -> None:
    with pytest.raises(ScriptError, match="JSON has"):
        run(f"thread = thread or {{ mutex = print }}; return tostring(json.encode({value}))")


@pytest.mark.parametrize("source", ["local t = {}; t.t = t", "local t = json.new(); t.t = t"])
def test_what_holds_itself_is_an_error(source: str) -> None:
    with pytest.raises(ScriptError, match="holds itself"):
        run(f"{source}; return tostring(json.encode(t))")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("", "EOF"),
        ('{"a"', "EOF"),
        ('{"a": "b', "EOF"),
        ("[1, ", "EOF"),
        ("x", "UNEXPECTED"),
        ("{} {}", "UNEXPECTED"),
        ("nul", "NULL"),
        ("tru", "BOOLEAN"),
        ("-", "NUMBER"),
        ("NaN", "NUMBER"),
        ("[1 2]", "ARRAY"),
        ("{1: 2}", "OBJECT_KEY_NAME"),
        ('{"a" 1}', "OBJECT_KEY_SEP"),
        ('{"a": [1], "b": 1 "c"}', "OBJECT_VALUE_SEP"),
        ('"\\x"', "STRING"),
        ("/* a */ 1", "COMMENT"),
    ],
)
def test_a_code_says_what_is_wrong_with_a_text(text: str, name: str) -> None:
    nothing, same, said, meaning = run(
        f"local o, code, err = json.decode([==[{text}]==])\n"
        f"return o, code == json.ERROR_PARSE_{name}, err, json.strerror(code)"
    )
    assert (nothing, same) == (None, True), said
    assert said.startswith(meaning)


@pytest.mark.parametrize("text", ["[" * 300 + "]" * 300, "[" * 100_000])
def test_what_is_nested_too_deeply_is_refused(text: str) -> None:
    source = f'local o, code = json.decode("{text}"); return o, code == json.ERROR_DEPTH'
    assert run(source) == [None, True]


def test_a_number_of_thousands_of_digits_is_refused() -> None:
    source = 'local o, code = json.decode(string.rep("9", 5000)); return o, code'
    assert run(source)[0] is None


def test_octets_which_are_no_characters_come_out_as_such_marks() -> None:
    assert run('local o = json.new(); o.a = "\\255"; return tostring(o)') == (
        '{ "a": "\ufffd" }'.encode()
    )


def test_an_unknown_code_has_a_text() -> None:
    assert run("return json.strerror(99)") == b"unknown error"
