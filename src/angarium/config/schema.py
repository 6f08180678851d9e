"""The whole of ecelerity.conf as a JSON Schema, draft 2020-12.

It describes the JSON of `config show --json`: a stanza is an object, its options and the stanzas in
it are members. Stanzas with names are an object by name.
"""

from typing import Any, Final

from angarium.config.describe import describe, options_of
from angarium.config.kinds import Schema
from angarium.config.option import Option
from angarium.config.scope import STANZAS, TOP, Naming, StanzaKind, State, stanza_in, stanzas_in
from angarium.config.spelling import HIDDEN, plain_value, secret

DRAFT: Final = "https://json-schema.org/draft/2020-12/schema"
# What a stanza which takes any name may hold: a word, a list or a dictionary.
RAW: Final[Schema] = {
    "anyOf": [
        {"type": "string"},
        {"type": "array", "items": {"$ref": "#/$defs/raw value"}},
        {"type": "object", "additionalProperties": {"$ref": "#/$defs/raw value"}},
    ]
}


def document() -> Schema:
    """Return the schema of a configuration."""
    defs: Schema = {each.key: _stanza(each) for each in STANZAS.values()}
    return {
        "$schema": DRAFT,
        "title": "ecelerity.conf",
        **_stanza(TOP),
        "$defs": {"raw value": RAW, **defs},
    }


def _stanza(kind: StanzaKind) -> Schema:
    members: Schema = {each.name: _option(each) for each in options_of(kind)}
    for name in stanzas_in(kind):
        inner = stanza_in(kind, name)
        assert inner is not None
        members[name] = _instances(inner)
    return {
        "type": "object",
        "description": " ".join(kind.doc.split()),
        **_state(kind.standing.state),
        "properties": members,
        "additionalProperties": {"$ref": "#/$defs/raw value"} if kind.free else False,
    }


def _instances(kind: StanzaKind) -> Schema:
    one: Schema = {"$ref": f"#/$defs/{kind.key}"}
    if kind.naming is Naming.NEVER:
        return one
    return {"type": "object", "additionalProperties": one}


def _option(declared: Option[Any]) -> Schema:
    about = describe(declared)
    schema = declared.kind.schema()
    if secret(declared):
        # Shown as it is, or not at all, also where it is a list.
        schema = {"anyOf": [schema, {"const": HIDDEN}]}
    default: Schema = {}
    if declared.default is not None and not secret(declared):
        default = {"default": plain_value(declared, declared.default)}
    return {
        **schema,
        **default,
        "description": about.doc,
        **_state(declared.state),
        "x-restart": not declared.dynamic,
    }


def _state(state: State) -> Schema:
    """Say what an option or a stanza does, where it is not what one thinks."""
    return {} if state is State.WORKS else {"x-state": state.value}
