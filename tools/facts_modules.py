"""Write tests/compat/modules.json: what is stated of the stanzas of Momentum's modules.

    python tools/facts_modules.py REFERENCE      a directory with modules.json, momentum5.json

Run by hand when the reference changes. 5.3 wins over 4, and 4 over 3. Only facts are taken: names,
types, defaults. tests/compat/test_modules.py compares our declarations with them.
"""

import json
import sys
from pathlib import Path
from typing import Any

TARGET = Path(__file__).parent.parent / "tests/compat/modules.json"
NAMED_ELSEWHERE = ("datasource", "node")  # stanzas of options which a module's facts have
Stanza = dict[str, Any]


def main(reference: Path) -> None:
    def load(name: str) -> Any:
        return json.loads((reference / name).read_text("utf-8"))

    found = merged(load("modules.json")["modules"], load("momentum5.json")["modules"])
    rows = [f"{json.dumps(key)}: {json.dumps(found[key])}" for key in sorted(found)]
    TARGET.write_text("{\n" + ",\n".join(rows) + "\n}\n", "utf-8")


def merged(older: list[Any], newer: Any) -> dict[str, Stanza]:
    """Return the stanzas of modules by key, as the newest manual has them."""
    found: dict[str, Stanza] = {}
    for module in older + newer["new"]:
        key = module["scope_name"]
        if not key or key == "cluster":
            continue
        single = module.get("singleton_globally", module["singleton"])
        found[key] = {"named": None if single is None else not single}
        own = found[key]["options"] = {}
        for each in module["options"]:
            if key in each["scopes"]:
                own[each["name"]] = option_facts(each)
            for scope in each["scopes"]:
                if scope in NAMED_ELSEWHERE:
                    inner = f"{key}.{scope}" if scope == "node" else scope
                    stanza = found.setdefault(inner, {"named": True, "options": {}})
                    stanza["options"][each["name"]] = option_facts(each)
        for name, about in module["subscopes"].items():
            inside(found, key, name, about)
    for module in newer["changed"]:
        own = found.get(module["name"], {}).get("options", {})
        own.update({each["name"]: option_facts(each) for each in module.get("options_added", ())})
        for name in module.get("options_removed", ()):
            own.pop(name, None)
    return found


def inside(found: dict[str, Stanza], outer: str, name: str, about: Any) -> None:
    """Add the facts of a stanza inside another one, whose options stand there in several forms."""
    stated = about.get("options", {})
    if isinstance(stated, str):  # "all of dk_sign plus base_domain"
        options = {**found[outer]["options"], stated.rpartition(" ")[2]: {}}
    elif isinstance(stated, list):
        options = {each: {} for each in stated}
    else:
        options = {each: option_facts(facts) for each, facts in stated.items()}
    key = f"{outer}.{name}"
    before = found.get(key, {"options": {}})["options"]
    found[key] = {"named": bool(about.get("named")), "options": options}
    for each, facts in before.items():
        options.setdefault(each, {}).update({"default": facts["default"]})
    for child, facts in about.get("children", {}).items():
        inside(found, key, child, facts)


def option_facts(stated: Any) -> Any:
    """Return what is compared of an option."""
    return {each: stated[each] for each in ("type", "default", "enum", "since") if each in stated}


if __name__ == "__main__":
    main(Path(sys.argv[1]))
