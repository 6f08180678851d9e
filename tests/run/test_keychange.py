"""Which stanzas sign for a domain, and how they get another key."""

from pathlib import Path

import pytest

from angarium.config.load import load_snapshot, snapshot
from angarium.core.errors import Error
from angarium.modules.sign.options.dkim import OpenDkim, OpenDkimDomain
from angarium.run.keychange import Change, planned

STANZA = 'opendkim { key = "/keys/%{d}/%{s}.key" selector = "s1" MORE }\n'


def plan(folder: Path, text: str, domain: str = "example.com", stanza: str = "") -> Change:
    path = folder / "ecelerity.conf"
    path.write_text(text)
    return planned(snapshot(str(path)), domain, "s2", stanza)


def selectors(change: Change, name: str = "") -> dict[str, str | None]:
    """Return the selector of the stanza, at "", and of the domains in it, as they will be."""
    configuration = load_snapshot(change.edited())
    section = configuration.root.get("opendkim", name)
    assert section is not None
    found = {"": configuration.of(OpenDkim, section).selector}
    for domain, inner in section.all("opendkim.dkim_domain").items():
        found[domain] = configuration.of(OpenDkimDomain, inner).selector
    return found


def test_of_a_stanza_for_all_one_domain_gets_another_selector(tmp_path: Path) -> None:
    change = plan(tmp_path, STANZA.replace("MORE", ""))
    assert change.old == ("s1", Path("/keys/example.com/s1.key"))
    assert change.new == ("s2", Path("/keys/example.com/s2.key"))
    assert selectors(change) == {"": "s1", "example.com": "s2"}


def test_what_signs_for_it_by_another_name_changes_too(tmp_path: Path) -> None:
    more = """
        dkim_domain "example.com" { selector = "old" }
        dkim_domain "news.example.com" { base_domain = "example.com" body_canon = "relaxed" }
        dkim_domain "other.example" { selector = "o1" }
    """
    change = plan(tmp_path, STANZA.replace("MORE", more))
    assert change.old.selector == "old"
    assert selectors(change) == {
        "": "s1", "example.com": "s2", "news.example.com": "s2", "other.example": "o1",
    }  # fmt: skip


def test_a_pattern_which_signs_for_it_changes(tmp_path: Path) -> None:
    more = 'dkim_domain "*.shops.example" { base_domain = "shops.example" }'
    change = plan(tmp_path, STANZA.replace("MORE", more), "shops.example")
    assert selectors(change) == {"": "s1", "*.shops.example": "s2", "shops.example": "s2"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no stanza signs for example.com"),
        ('opendkim { key = "/keys/%{s}" }', "no stanza signs for example.com"),
        ('opendkim { key = "/keys/x" selector = "s1" }', "the path of the key has no %{s}"),
        (STANZA.replace("MORE", "").replace("s1", "s2"), "s2 is the selector of example.com now"),
        (
            STANZA.replace("MORE", 'dkim_domain "*.com" { body_canon = "relaxed" }'),
            "what holds for example.com is said of *.com",
        ),
        (
            STANZA.replace(
                "MORE", 'dkim_domain "a.example" { base_domain = "example.com" key = "/x"}'
            ),
            "its keys are in several places",
        ),
        (
            STANZA.replace("MORE", "").replace("opendkim", 'opendkim "a"')
            + STANZA.replace("MORE", "").replace("opendkim", 'opendkim "b"'),
            "several stanzas sign for example.com: say --stanza, one of a, b",
        ),
        ("opendkim { key = 1 2 }", "is never closed"),
    ],
)
def test_what_stands_in_the_way_is_said(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(Error) as error:
        plan(tmp_path, text)
    assert said in str(error.value)


def test_of_several_stanzas_one_is_named(tmp_path: Path) -> None:
    two = STANZA.replace("MORE", "").replace("opendkim", 'opendkim "a"')
    two += STANZA.replace("MORE", "").replace("opendkim", 'opendkim "b"').replace("s1", "e1")
    change = plan(tmp_path, two, stanza="b")
    assert change.old.selector == "e1"
    assert selectors(change, "a") == {"": "s1"}
    assert selectors(change, "b") == {"": "e1", "example.com": "s2"}
    with pytest.raises(Error, match="no stanza c signs"):
        plan(tmp_path, two, stanza="c")
