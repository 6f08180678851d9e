"""Write tests/compat/options.json and stanzas.json: what is stated of Momentum's configuration.

    python tools/facts.py REFERENCE      a directory with options.json, scopes.json ...

Run by hand when the reference changes. 5.3 wins over 4, and 4 over 3. Only facts are taken: names,
types, defaults, places. tests/compat compares our declarations with them.
"""

import json
import sys
from pathlib import Path
from typing import Any

TARGET = Path(__file__).parent.parent / "tests/compat"
OF_OPTIONS = ("name", "type", "default", "scopes", "dynamic", "direction", "since")
UNKNOWN = ("unknown", "4.2.38 or earlier")  # which say less than nothing of when it came
Row = dict[str, Any]


def main(reference: Path) -> None:
    def load(name: str) -> Any:
        return json.loads((reference / name).read_text("utf-8"))

    options, scopes, newer = load("options.json"), load("scopes.json"), load("momentum5.json")
    every = merged(options["options"], newer["options"])
    rows = [option(each) for _, each in sorted(every.items()) if each["type"] != "scope"]
    write("options.json", rows)
    write("stanzas.json", stanzas(every, scopes["scopes"]))


def write(name: str, rows: list[Row]) -> None:
    lines = ",\n".join(json.dumps(each) for each in rows)
    (TARGET / name).write_text(f"[\n{lines}\n]\n", "utf-8")


def merged(older: list[Row], newer: Row) -> dict[str, Row]:
    """Return options and stanzas by their ids, as the newest manual has them."""
    found = {each["id"]: dict(each) for each in older + newer["new"]}
    for each in newer["changed"]:
        if each["id"] in found:
            found[each["id"]] |= each.get("set", {})
    return found


def option(stated: Row) -> Row:
    """Return what is compared of an option."""
    row = {each: stated.get(each) for each in OF_OPTIONS}
    if stated.get("restart_needed_per_page"):
        row["dynamic"] = False
    if row["since"] in UNKNOWN:
        row["since"] = None
    words = [*stated.get("enum", ()), *stated.get("enum_added", ())]
    words += stated.get("values", ()) or stated.get("values_tokens", ())
    return {"id": stated["id"], **row, "words": words}


def stanzas(options: dict[str, Row], scopes: list[Row]) -> list[Row]:
    """Return what is compared of each stanza, which two of the tables have."""
    found: dict[str, Row] = {}
    for each in scopes:
        if each["name"].isidentifier() and each["parents"]:
            found[each["name"]] = {
                "name": each["name"],
                "parents": sorted(each["parents"]),
                "named": each["named_instances"],
                "patterns": each.get("regex_names", False),
            }
    for each in options.values():
        if each["type"] == "scope":
            name = str(each.get("stanza_keyword", each["name"])).lower()
            row = found.setdefault(name, {"name": name, "parents": [], "patterns": False})
            row["parents"] = sorted({*row["parents"], *each["scopes"]})
            row.setdefault("named", each.get("named", False))
    return [found[each] for each in sorted(found)]


if __name__ == "__main__":
    main(Path(sys.argv[1]))
