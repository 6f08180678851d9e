"""The pages of the manual about options, stanzas and modules."""

import re

from angarium.config.option import OPTIONS
from angarium.config.scope import STANZAS
from reference import FOLDER, PARTS, escaped, is_module, pages, slug


def test_every_option_has_an_entry_and_stands_in_the_index() -> None:
    made = pages()
    for key, declared in OPTIONS.items():
        assert f"[`{key}`](" in made["options/index.md"]
        if declared.stanza:
            page = "modules" if is_module(STANZAS[declared.stanza]) else "stanzas"
            assert f"## {escaped(declared.name)}\n" in made[f"{page}/{declared.stanza}.md"]
        else:
            assert made[f"options/{declared.name}.md"]


def test_every_stanza_has_a_page_and_is_listed() -> None:
    made = pages()
    for key, kind in STANZAS.items():
        page = f"{'modules' if is_module(kind) else 'stanzas'}/{key}.md"
        assert made[page]
        listed = made["modules/index.md"] if is_module(kind) else made["stanzas/index.md"]
        outer = key.partition(".")[0]
        assert f"/{outer}.md)" in listed


def test_every_link_leads_to_a_page() -> None:
    made = pages()
    for name, text in made.items():
        for target in re.findall(r"\]\(([^)#]+\.md)", text):
            parts = [*name.split("/")[:-1], *target.split("/")]
            while ".." in parts:
                at = parts.index("..")
                if at == 0:
                    break
                del parts[at - 1 : at + 1]
            path = "/".join(parts)
            assert path in made or (FOLDER / path).exists(), (name, target)


def test_the_pages_are_those_which_the_declarations_give() -> None:
    made = pages()
    there = {f"{part}/{path.name}" for part in PARTS for path in (FOLDER / part).glob("*.md")}
    assert there == set(made)
    for name, text in made.items():
        assert (FOLDER / name).read_text("utf-8") == text, "run tools/reference.py"


def test_a_bar_does_not_end_a_column() -> None:
    assert escaped("mx|a") == r"mx\|a"
    assert escaped("_unsafe_spool") == r"\_unsafe_spool"


def test_an_anchor_is_that_of_the_heading() -> None:
    assert slug("Limits, and what else") == "limits-and-what-else"
