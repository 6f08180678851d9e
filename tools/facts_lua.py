"""Write tests/compat/lua.json: what is stated of the functions scripts may call.

    python tools/facts_lua.py REFERENCE      a directory with lua_functions.json, momentum5.json ...

Run by hand when the reference changes. Only facts are taken: names, packages, parameters, callouts
and names of constants. tests/compat compares our declarations with them.
"""

import json
import re
import sys
from pathlib import Path
from typing import Any

TARGET = Path(__file__).parent.parent / "tests/compat/lua.json"
_NAME = re.compile(r"[\w.]+")
_FUNCTION = re.compile(r"[\w.]+[.:]\w+")
Row = dict[str, Any]


def main(reference: Path) -> None:
    def load(name: str) -> Any:
        return json.loads((reference / name).read_text("utf-8"))

    stated, newer, used = (
        load("lua_functions.json"),
        load("momentum5.json"),
        load("lua_used_in_practice.json"),
    )
    functions = [function(each) for each in stated["functions"] + newer["lua_functions"]]
    functions = [each for each in functions if _FUNCTION.fullmatch(each["name"])]
    rows = {
        "functions": sorted(functions, key=lambda each: (each["name"], len(each["parameters"]))),
        "callouts": sorted({each["name"] for each in stated["callouts"]}),
        "constants": sorted(constants(stated["constants"])),
        "used": sorted(each["name"] for each in used["functions"] + used["methods"]),
    }
    TARGET.write_text(json.dumps(rows, indent=1) + "\n", "utf-8")


def function(stated: Row) -> Row:
    return {
        "name": stated["name"],
        "package": stated.get("package") or "",
        "parameters": [
            [each["name"], bool(each.get("optional"))] for each in stated.get("params") or []
        ],
    }


def constants(stated: dict[str, list[str]]) -> set[str]:
    """Return their names; what a page prints wrongly stands in parentheses."""
    found = {match[0] for several in stated.values() for each in several
             if (match := _NAME.match(each))}  # fmt: skip
    return {each for each in found if "." in each}


if __name__ == "__main__":
    main(Path(sys.argv[1]))
