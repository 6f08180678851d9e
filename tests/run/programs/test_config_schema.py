"""`angarium config schema` prints a schema; what it says is tested in test_schema."""

import json

from angarium.config.schema import DRAFT
from helpers.configurations import SHIPPED
from helpers.schema import faults
from helpers.tools import angarium


def test_what_show_prints_is_valid_by_what_schema_prints() -> None:
    code, output = angarium("config", "schema")
    schema = json.loads(output)
    assert (code, schema["$schema"]) == (0, DRAFT)
    for path in SHIPPED:
        code, output = angarium("config", "show", "--json", path)
        assert (code, faults(json.loads(output), schema, schema)) == (0, [])
