"""The part of JSON Schema (draft 2020-12) which our schemas use, for the tests."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

TYPES: Mapping[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
}
TOLD = {"$schema", "$defs", "title", "description", "default", "format", "x-state", "x-restart"}
KNOWN = TOLD | {
    "$ref", "type", "properties", "additionalProperties", "items", "anyOf", "enum", "const",
    "minimum", "maximum", "pattern", "minItems", "maxItems", "required",
}  # fmt: skip


def faults(
    value: Any, schema: Mapping[str, Any], root: Mapping[str, Any], at: str = ""
) -> list[str]:
    """Return what of a value is not valid, by its place."""
    assert schema.keys() <= KNOWN, f"unknown to this validator: {schema.keys() - KNOWN}"
    return list(_faults(value, schema, root, at))


def _faults(
    value: Any, schema: Mapping[str, Any], root: Mapping[str, Any], at: str
) -> Iterator[str]:
    if "$ref" in schema:
        target = schema["$ref"].removeprefix("#/$defs/")
        yield from faults(value, root["$defs"][target], root, at)
    if "type" in schema:
        fits = isinstance(value, TYPES[schema["type"]])
        if not fits or (isinstance(value, bool) and schema["type"] != "boolean"):
            yield f"{at}: {value!r} is no {schema['type']}"
            return
    if "anyOf" in schema:
        found = [faults(value, each, root, at) for each in schema["anyOf"]]
        if all(found):
            yield f"{at}: {value!r} is none of {found}"
    if "enum" in schema and value not in schema["enum"]:
        yield f"{at}: {value!r} is none of {schema['enum']}"
    if "const" in schema and value != schema["const"]:
        yield f"{at}: {value!r} is not {schema['const']!r}"
    if isinstance(value, str) and not re.search(schema.get("pattern", ""), value):
        yield f"{at}: {value!r} does not match {schema['pattern']}"
    number = len(value) if isinstance(value, list) else value
    if isinstance(number, int | float) and not isinstance(number, bool):
        low, high = ("minItems", "maxItems") if isinstance(value, list) else ("minimum", "maximum")
        if not schema.get(low, number) <= number <= schema.get(high, number):
            yield f"{at}: {value} is out of bounds"
    yield from _inner(value, schema, root, at)


def _inner(
    value: Any, schema: Mapping[str, Any], root: Mapping[str, Any], at: str
) -> Iterator[str]:
    if isinstance(value, list) and "items" in schema:
        for number, each in enumerate(value):
            yield from faults(each, schema["items"], root, f"{at}[{number}]")
    if not isinstance(value, dict):
        return
    properties, others = schema.get("properties", {}), schema.get("additionalProperties", True)
    for name in schema.get("required", ()):
        if name not in value:
            yield f"{at}: there is no {name}, which is needed"
    for name, each in value.items():
        if name in properties:
            yield from faults(each, properties[name], root, f"{at}.{name}")
        elif others is False:
            yield f"{at}: there is no {name}"
        elif others is not True:
            yield from faults(each, others, root, f"{at}.{name}")
