import pytest

from news import faults_of, section


def test_what_breaks_comes_first_and_issues_in_order() -> None:
    fragments = {
        "12.b.added.md": "Second\nthing.\n",
        "3.a.added.md": "First thing.",
        "4.c.broken.md": "Something broke.",
    }
    assert section("1.0", "2026-01-02", fragments) == (
        "## 1.0 (2026-01-02)\n\n"
        "### Breaks\n\n- Something broke. (#4)\n\n"
        "### Added\n\n- First thing. (#3)\n- Second thing. (#12)\n"
    )


@pytest.mark.parametrize("name", ["x.a.added.md", "2.a.extra.md", "2.added.md", "2.A.added.md"])
def test_a_fragment_of_another_name_is_refused(name: str) -> None:
    assert faults_of(name, "A sentence.")


def test_a_fragment_is_sentences() -> None:
    assert faults_of("2.a.added.md", "A sentence.\n") == []
    assert faults_of("2.a.added.md", "not a sentence")
