"""The search for a place in all files, in the order in which they are read."""

from angarium.config.path import parse
from angarium.config.tree import LOCAL_CHANGES, Snapshot, read
from angarium.config.visits import HEADER, Drafts

MAIN = "/etc/e/main"


def drafts(main: str, **others: str) -> Drafts:
    octets = {MAIN: main.encode()}
    for name, text in others.items():
        octets[LOCAL_CHANGES if name == "local" else f"/etc/e/{name}"] = text.encode()
    taken = Snapshot(MAIN, (), octets, {})
    return Drafts(read(MAIN, taken, ()))


def set_in(files: Drafts, words: list[str], option: str) -> list[tuple[str, object]]:
    """Return where an option is set at a place, and to what."""
    found = files.settings(parse(words).steps, option)
    return [(each.draft.path.rpartition("/")[2], each.setting.value)
            for each in found if each.setting is not None]  # fmt: skip


def test_settings_are_found_in_the_order_of_the_files_and_the_last_one_holds() -> None:
    files = drafts(
        "a = 1 include one domain x { a = 2 } include two a = 5",
        one="a = 3 domain x { a = 4 }",
        two="domain X. { a = 6 } domain y { a = 7 }",
        local="a = 8",
    )
    assert set_in(files, [], "a") == [
        ("main", "1"), ("one", "3"), ("main", "5"), ("local_changes.conf", "8")
    ]  # fmt: skip
    assert set_in(files, ["domain", "x"], "a") == [("one", "4"), ("main", "2"), ("two", "6")]
    last = files.last(parse(["domain", "x"]).steps, "a")
    assert last is not None
    assert last.draft.path == "/etc/e/two"
    assert files.last(parse(["domain", "z"]).steps, "a") is None


def test_a_file_included_in_a_stanza_belongs_to_it() -> None:
    files = drafts(
        "binding b { include one } domain x { include one }", one="a = 1 domain x { a = 2 }"
    )
    assert set_in(files, ["binding", "b"], "a") == [("one", "1")]
    assert set_in(files, ["binding", "b", "domain", "x"], "a") == [("one", "2")]
    assert set_in(files, ["domain", "x"], "a") == [("one", "1")]
    assert set_in(files, [], "a") == []
    assert files.readonly == {"/etc/e/one"}


def test_stanzas_on_the_way_are_visited_with_their_depth() -> None:
    files = drafts("binding b { domain x { } } binding c { domain x { } }")
    steps = parse(["binding", "b", "domain", "x"]).steps
    assert [each.depth for each in files.visits(steps)] == [0, 1, 2]
    (stanza,) = files.stanzas(steps)
    assert stanza.outer is not None
    assert stanza.spot.path == (0, 0)


def test_an_include_in_an_edited_place_still_stands_for_its_file() -> None:
    files = drafts("domain x {\n  a = 1\n  include one\n}\n", one="a = 2")
    (first, _) = files.settings(parse(["domain", "x"]).steps, "a")
    first.draft.replace(first.spot, "3", quoted=False)
    assert set_in(files, ["domain", "x"], "a") == [("main", "3"), ("one", "2")]
    assert files.changed() == {MAIN: b"domain x {\n  a = 3\n  include one\n}\n"}


def test_local_changes_are_the_file_the_main_one_names_and_read_last() -> None:
    assert drafts("").local() is None
    there = drafts("", local="a = 1").local()
    assert there is not None
    assert there.path == LOCAL_CHANGES
    named = drafts("local_changes_file = /etc/e/mine", local="a = 1")
    mine = named.local()
    assert mine is not None
    assert (mine.path, mine.text) == ("/etc/e/mine", HEADER)
    assert named.changed() == {}  # Nothing was put into it yet.


def test_a_file_which_is_read_before_is_no_file_of_local_changes() -> None:
    for text in (f"local_changes_file = {MAIN}", "local_changes_file = /etc/e/one include one"):
        files = drafts(text, one="")
        assert files.local() is None
        assert files.made_local() is None


def test_what_an_include_stands_for_depends_on_its_file() -> None:
    files = drafts("include one include sub/two", **{"one": "a = 1", "sub/two": "include one",
                                                     "sub/one": "a = 2"})  # fmt: skip
    assert set_in(files, [], "a") == [("one", "1"), ("one", "2")]
