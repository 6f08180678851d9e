"""Write src/angarium/config/planned.toml: names of Momentum's options and stanzas.

    python tools/planned.py REFERENCE      a directory with options.json, modules.json ...

Run by hand when the reference changes. Only names and scopes are taken; an option which we declare
needs no entry, but may have one: declarations win.
"""

import json
import sys
from pathlib import Path
from typing import Any

TARGET = Path(__file__).parent.parent / "src/angarium/config/planned.toml"
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


if __name__ == "__main__":
    main(Path(sys.argv[1]))
