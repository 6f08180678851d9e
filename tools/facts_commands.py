"""Write tests/compat/commands.json: the commands of Momentum's console.

    python tools/facts_commands.py REFERENCE     console_commands.json, momentum5.json

Run by hand when the reference changes. 5.3 wins. Only facts are taken: names, syntax, modules.
"""

import json
import sys
from pathlib import Path
from typing import Any

TARGET = Path(__file__).parent.parent / "tests/compat/commands.json"
Row = dict[str, Any]


def main(reference: Path) -> None:
    older = json.loads((reference / "console_commands.json").read_text("utf-8"))["commands"]
    newer = json.loads((reference / "momentum5.json").read_text("utf-8"))["console_commands"]
    changed = {each["command"]: each.get("set", {}) for each in newer["changed"]}
    removed = {each["command"] for each in newer["removed"]}
    rows = [fact(each | changed.get(each["command"], {}), removed) for each in older]
    rows += [fact(each, removed) for each in newer["new"] if each["syntax"]]
    lines = ",\n".join(json.dumps(each) for each in rows)
    TARGET.write_text(f"[\n{lines}\n]\n", "utf-8")


def fact(stated: Row, removed: set[str]) -> Row:
    """Return what is compared of a command."""
    return {
        "syntax": stated["syntax"],
        "module": stated["module"],
        "client": stated["client_side"],
        "manager": stated["cluster_manager_only"],
        "removed": stated["command"] in removed,
    }


if __name__ == "__main__":
    main(Path(sys.argv[1]))
