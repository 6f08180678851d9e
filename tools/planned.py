"""Write src/angarium/config/planned.toml and tests/compat/options.json: what Momentum has.

    python tools/planned.py REFERENCE      a directory with options.json, modules.json ...

Run by hand when the reference changes. Only names, types, scopes and defaults are taken. An option
which we declare needs no entry in planned.toml, but may have one: declarations win. The second file
has what tests/compat compares our declarations with.
"""

import json
import sys
from pathlib import Path
from typing import Any

TARGET = Path(__file__).parent.parent / "src/angarium/config/planned.toml"
FACTS = Path(__file__).parent.parent / "tests/compat/options.json"
HEAD = """\
# Options and stanzas of Momentum 3 to 5.3 by name, for those which are not declared yet: a file
# which uses one is told so, instead of that it is unknown. Made by tools/planned.py.
"""


def main(reference: Path) -> None:
    def load(name: str) -> Any:
        return json.loads((reference / name).read_text("utf-8"))

    newer = load("momentum5.json")
    options: dict[str, set[str]] = {}
    stanzas: dict[str, set[str]] = {}
    for each in load("options.json")["options"] + newer["options"]["new"]:
        if each["type"] == "scope":
            stanzas.setdefault(each["name"], set())
        else:
            options.setdefault(each["name"], set()).update(each["scopes"])
    for each in newer["options"]["changed"]:
        name = each["id"].partition("@")[0]
        if name in options:
            options[name].update(each.get("set", {}).get("scopes", ()))
    for each in load("scopes.json")["scopes"]:
        if each["name"].isidentifier():
            stanzas.setdefault(each["name"], set())
    for each in load("modules.json")["modules"] + newer["modules"]["new"]:
        name = each.get("scope_name") or ""
        if name.isidentifier():
            own = {option["name"] for option in each["options"]}
            stanzas.setdefault(name, set()).update(own)
    for each in newer["modules"]["changed"]:
        for option in each.get("options_added") or ():
            stanzas.setdefault(each["name"], set()).add(option["name"])
    lines = [HEAD, "[options]"]
    lines += [f'{name} = "{" ".join(sorted(scopes))}"' for name, scopes in sorted(options.items())]
    lines += ["", "[stanzas]"]
    lines += [f'{name} = "{" ".join(sorted(own))}"' for name, own in sorted(stanzas.items())]
    TARGET.write_text("\n".join(lines) + "\n", "utf-8")
    FACTS.write_text(facts(load("options.json"), load("modules.json"), newer), "utf-8")


def facts(older: Any, modules: Any, newer: Any) -> str:
    """Return what is stated of each option, a line each: 5.3 over 4 over 3."""
    found = {}
    for each in older["options"] + newer["options"]["new"]:
        if each["type"] != "scope":
            found[each["id"]] = {
                name: each.get(name) for name in ("name", "type", "default", "scopes", "dynamic")
            }
            if each.get("restart_needed_per_page"):
                found[each["id"]]["dynamic"] = False
    for each in newer["options"]["changed"]:
        if each["id"] in found:
            news = each.get("set", {})
            found[each["id"]] |= {
                name: news[name] for name in ("default", "scopes") if name in news
            }
    for module in modules["modules"]:
        if module["name"] in ("ec_logger", "bounce_logger"):
            for each in module["options"]:
                found[f"{each['name']}@{module['name']}"] = {
                    "name": each["name"],
                    "type": each["type"],
                    "default": each["default"],
                    "scopes": [module["name"]],
                    "dynamic": True,
                }
    rows = [json.dumps(found[key]) for key in sorted(found)]
    return "[\n" + ",\n".join(rows) + "\n]\n"


if __name__ == "__main__":
    main(Path(sys.argv[1]))
