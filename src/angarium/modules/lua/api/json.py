"""json: objects of JSON, which keep their order and their kinds.

    o = json.new()
    o.name = "value"
    o.list = json.encode({1, 2, 3})
    print(o)                           { "name": "value", "list": [ 1, 2, 3 ] }

An object of JSON is held by reference: `a.b = o` and a later `o.c = 1` change `a` too. null is nil
when it is read, and nil is null when it is assigned.
"""

import json
import math
import re
from typing import Final

from angarium.modules.lua.bind import LuaError, Several, Table, lua, lua_constants, lua_object

# As json-c, whose names these are, refuses what is nested deeper.
MOST_LEVELS: Final = 200

(
    DEPTH, EOF, UNEXPECTED, NULL, BOOLEAN, NUMBER, ARRAY, KEY_NAME, KEY_SEP, VALUE_SEP, STRING,
    COMMENT,
) = range(1, 13)  # fmt: skip
lua_constants(
    "json",
    ERROR_DEPTH=DEPTH,
    ERROR_PARSE_EOF=EOF,
    ERROR_PARSE_UNEXPECTED=UNEXPECTED,
    ERROR_PARSE_NULL=NULL,
    ERROR_PARSE_BOOLEAN=BOOLEAN,
    ERROR_PARSE_NUMBER=NUMBER,
    ERROR_PARSE_ARRAY=ARRAY,
    ERROR_PARSE_OBJECT_KEY_NAME=KEY_NAME,
    ERROR_PARSE_OBJECT_KEY_SEP=KEY_SEP,
    ERROR_PARSE_OBJECT_VALUE_SEP=VALUE_SEP,
    ERROR_PARSE_STRING=STRING,
    ERROR_PARSE_COMMENT=COMMENT,
)
TEXTS: Final = {
    DEPTH: "nested too deeply",
    EOF: "it ends too early",
    UNEXPECTED: "an unexpected character",
    NULL: "null expected",
    BOOLEAN: "true or false expected",
    NUMBER: "number expected",
    ARRAY: "',' or ']' expected",
    KEY_NAME: "a name in quotation marks expected",
    KEY_SEP: "':' expected",
    VALUE_SEP: "',' or '}' expected",
    STRING: "invalid string",
    COMMENT: "comments are not part of JSON",
}
_BY_START: Final = {"n": NULL, "t": BOOLEAN, "f": BOOLEAN, "-": NUMBER, "/": COMMENT}
_SURROGATES: Final = re.compile("[\ud800-\udfff]")

Plain = None | bool | int | float | str | dict[str, "Plain"] | list["Plain"]


@lua_object("json", "json_object", userdata=True)
class Json:
    """An object, an array or a single value of JSON."""

    __slots__ = ("held",)

    def __init__(self, held: Plain) -> None:
        self.held = held


class JsonError(LuaError):
    """A text is no JSON: the code of what is wrong, and where."""

    def __init__(self, code: int, at: int = 0) -> None:
        super().__init__(TEXTS[code] + (f" at character {at + 1}" if at else ""))
        self.code = code


def parse(text: str) -> Plain:
    """Return what a text of JSON says. Raises JsonError."""
    try:
        found: Plain = json.loads(text, parse_constant=_no_number)
    except json.JSONDecodeError as error:
        raise JsonError(*_judged(error)) from None
    except RecursionError:
        raise JsonError(DEPTH) from None
    except ValueError:  # a number of thousands of digits
        raise JsonError(NUMBER) from None
    _check_depth(found)
    return found


def _no_number(text: str) -> float:
    raise JsonError(NUMBER)  # NaN and Infinity are Python's


def _check_depth(value: Plain) -> None:
    level, here = 0, [value]
    while here:
        if level > MOST_LEVELS:
            raise JsonError(DEPTH)
        here = [
            inner
            for each in here
            if isinstance(each, dict | list)
            for inner in (each.values() if isinstance(each, dict) else each)
            if isinstance(inner, dict | list)
        ]
        level += 1


def _judged(error: json.JSONDecodeError) -> tuple[int, int]:
    """Return the code of an error, and where it is."""
    at = error.pos
    rest = error.doc[at : at + 1]
    known = (
        ("Expecting property name", KEY_NAME),
        ("Expecting ':'", KEY_SEP),
        ("Invalid", STRING),
        ("Unterminated", EOF),
    )
    for words, code in known:
        if error.msg.startswith(words):
            return (code if rest or code is STRING else EOF), at
    if not rest:
        return EOF, at
    if error.msg.startswith("Expecting ','"):
        return (VALUE_SEP if _innermost(error.doc[:at]) == "{" else ARRAY), at
    return _BY_START.get(rest, UNEXPECTED), at


def _innermost(text: str) -> str:
    """Return what opens the innermost object or array which a text leaves open."""
    bare = re.sub(r'"(?:[^"\\]|\\.)*"', "", text)
    open_: list[str] = []
    for each in re.findall(r"[\[{}\]]", bare):
        if each in "[{":
            open_.append(each)
        elif open_:
            open_.pop()
    return open_[-1] if open_ else ""


def shown(value: Plain, level: int = 0) -> str:
    """Return JSON as one line, with blanks where people want them."""
    if level > MOST_LEVELS:
        raise LuaError("an object of JSON is nested too deeply, or holds itself")
    if isinstance(value, dict):
        rows = [f"{_string(key)}: {shown(each, level + 1)}" for key, each in value.items()]
        return f"{{ {', '.join(rows)} }}" if rows else "{ }"
    if isinstance(value, list):
        items = [shown(each, level + 1) for each in value]
        return f"[ {', '.join(items)} ]" if items else "[ ]"
    if isinstance(value, str):
        return _string(value)
    if isinstance(value, float) and not isinstance(value, bool):
        return _number(value)
    return json.dumps(value)


def _number(value: float) -> str:
    if not math.isfinite(value):
        raise LuaError("JSON has no infinite numbers")
    return str(int(value)) if value.is_integer() and abs(value) < 2**53 else repr(value)


def _string(text: str) -> str:
    # Octets which are no UTF-8 have no place in JSON.
    clean = _SURROGATES.sub("\ufffd", text)
    return json.dumps(clean, ensure_ascii=False)


def held(value: object, level: int = 0) -> Plain:
    """Return a value of a script as JSON; objects of JSON are held by reference.

    Raises:
        LuaError: it is a function, or an object of another kind.
    """
    if level > MOST_LEVELS:
        raise LuaError("a table is nested too deeply for JSON, or holds itself")
    if isinstance(value, Json):
        return value.held
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, bytes):
        return value.decode("utf-8", "surrogateescape")
    if isinstance(value, str | dict | list):
        raise TypeError("values of scripts are octets and tables")
    array = getattr(value, "array", None)
    if array is None:
        raise LuaError("JSON has numbers, strings, booleans, nil and tables, nothing else")
    found: Table = value  # type: ignore[assignment]
    if items := found.array():
        return [held(each, level + 1) for each in items]
    return {_key(key): held(each, level + 1) for key, each in found.items()}


def _key(key: object) -> str:
    if isinstance(key, bytes):
        return key.decode("utf-8", "surrogateescape")
    if isinstance(key, bool):
        return "true" if key else "false"
    if isinstance(key, float) and key.is_integer():
        key = int(key)
    if isinstance(key, int | float):
        return f"{key:.14g}" if isinstance(key, float) else str(key)
    raise LuaError("a name in JSON is a string")


def _given(value: Plain) -> object:
    """Return a value as scripts get it: an object or array stays one of JSON."""
    return Json(value) if isinstance(value, dict | list) else value


@lua("json.new", since="3.1")
def new() -> Json:
    """Make an empty object of JSON."""
    return Json({})


@lua("json.encode", since="3.1")
def encode(obj: object) -> Json:
    """Make an object of JSON of a table, or of a single value.

    A table with something at 1 is an array, up to the first nil; any other is an object.
    """
    return Json(held(obj))


@lua("json.decode", since="3.1")
def decode(str_: str) -> Several:
    """Read JSON; return an object of JSON, or nil, a code and what is wrong."""
    try:
        return Several(Json(parse(str_)))
    except JsonError as fault:
        return Several(None, fault.code, fault.message)


@lua("json.strerror", since="3.1")
def strerror(code: int) -> str:
    """Say what a code of json.decode means."""
    return TEXTS.get(code, "unknown error")


@lua("json:__index")
def index(self: Json, key: object) -> object:
    """Return what stands under a name, or at a place of an array, counted from 1."""
    if isinstance(self.held, dict):
        return _given(self.held.get(_key(key)))
    if isinstance(self.held, list) and (at := _place(key)) is not None and at < len(self.held):
        return _given(self.held[at])
    return None


@lua("json:__newindex")
def newindex(self: Json, key: object, value: object) -> None:
    """Put a value under a name, or at a place of an array, counted from 1."""
    given = held(value)
    if isinstance(self.held, dict):
        self.held[_key(key)] = given
        return
    if not isinstance(self.held, list):
        raise LuaError("a single value of JSON has no names")
    at = _place(key)
    if at is None:
        raise LuaError("an array of JSON takes whole numbers from 1 on only")
    if at > len(self.held) + 1_000_000:
        raise LuaError("an array of JSON would get too large")
    self.held.extend([None] * (at + 1 - len(self.held)))
    self.held[at] = given


def _place(key: object) -> int | None:
    """Return a place counted from 0."""
    if isinstance(key, bool) or not isinstance(key, int | float) or key < 1 or key != int(key):
        return None
    return int(key) - 1


@lua("json:__len")
def length(self: Json) -> int:
    """Return how many values there are in it."""
    return len(self.held) if isinstance(self.held, dict | list) else 0


@lua("json:__tostring")
def tostring(self: Json) -> str:
    """Return the text of JSON."""
    return shown(self.held)
