from angarium.config.option import OPTIONS
from reference import FOLDER, escaped, pages


def test_every_option_has_an_entry_and_stands_in_the_index() -> None:
    made = pages()
    for key, declared in OPTIONS.items():
        assert f"[{escaped(key)}]" in made["index.md"]
        assert any(f"## {escaped(declared.name)}\n" in text for text in made.values())


def test_the_pages_are_those_which_the_declarations_give() -> None:
    made = pages()
    assert {path.name for path in FOLDER.glob("*.md")} == set(made)
    for name, text in made.items():
        assert (FOLDER / name).read_text("utf-8") == text, "run tools/reference.py"


def test_a_bar_does_not_end_a_column() -> None:
    assert escaped("mx|a") == r"mx\|a"
    assert escaped("_unsafe_spool") == r"\_unsafe_spool"
