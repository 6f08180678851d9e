"""Files in pieces: whatever is cut, the text is the same."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from angarium.config import drafts
from angarium.config.drafts import INCLUDE, Block, Draft, Spot, matches
from angarium.config.edit import Addition
from angarium.config.grammar import Setting, Stanza, parse
from angarium.config.scope import BINDING, BINDING_GROUP, DOMAIN


def draft(text: str) -> Draft:
    return Draft(parse("f", text.encode("utf-8", "surrogateescape")))


TEXTS = st.lists(st.sampled_from([
    "a = 1", " b = 2 # note\n", "\n", "# c\n", "\r\n", "domain x { a = 1 }", 'include "f"\n',
    "domain y {\n a = 1\n}\n", "binding b {\n  domain x {\n    a = 1\n  }\n}\n",
    " c = ( 1\n 2 )\n", "/* x\n */", "#\udcff\n",
]), max_size=8).map(" ".join)  # fmt: skip


@given(TEXTS)
def test_the_pieces_of_a_file_are_the_file(text: str) -> None:
    one = draft(text)
    assert one.text == text
    assert not one.changed
    pieces = [one.block.read(slot) for slot in range(one.block.tail() + 1)]
    assert "".join(each.text for each in pieces) == text
    assert not [fault for each in pieces for fault in each.faults]
    assert one.encode() == text.encode("utf-8", "surrogateescape")


@given(TEXTS, st.data())
def test_an_edit_changes_its_slot_and_can_be_taken_back(text: str, data: st.DataObject) -> None:
    one = draft(text)
    names = [name for name in ("a", "b", "c", "domain", "binding") if one.block.slots_of(name)]
    if not names:
        return
    name = data.draw(st.sampled_from(names))
    slot = data.draw(st.sampled_from(one.block.slots_of(name)))
    number = data.draw(st.integers(0, len(one.block.items(slot)) - 1))
    item = one.block.items(slot)[number]
    spot = Spot(one.block, slot, (number,))
    if isinstance(item, Setting):
        undo = one.replace(spot, "new", quoted=False)
        assert one.text == text[: item.value_start] + one.text[item.value_start :]
    elif isinstance(item, Stanza):
        undo = one.add(spot, Addition("new", "5"))
    else:
        undo = one.remove(spot)
    assert one.changed
    undo()
    assert one.text == text
    assert not one.changed


def test_a_large_stanza_is_cut_and_an_edit_in_it_reads_little_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    inner = "".join(f"  binding b{each} {{\n    a = 1\n  }}\n" for each in range(1000))
    one = draft(f"# head\nbinding_group g {{\n{inner}  }} # tail\nz = 1\n")
    (slot,) = one.block.slots_with(BINDING_GROUP, "g")
    (group,) = one.block.items(slot)
    assert isinstance(group, Stanza)
    block = one.block.inner(slot, group)
    assert block is not None
    sizes: list[int] = []

    def noted(path: str, octets: bytes) -> object:
        sizes.append(len(octets))
        return parse(path, octets)

    monkeypatch.setattr(drafts, "parse", noted)
    (at,) = block.slots_with(BINDING, "b500")
    one.add(Spot(block, at, (0,)), Addition("new", "5"))
    one.add(Spot(block), Addition("new", "5", (("binding", "last"),)))
    assert max(sizes) < 200
    assert "  binding b500 {\n    a = 1\n    new = 5\n  }\n" in one.text
    assert one.text.endswith('  binding "last" {\n    new = 5\n  }\n  } # tail\nz = 1\n')
    assert one.text.startswith("# head\nbinding_group g {\n  binding b0 {\n")
    assert not parse("f", one.encode()).faults


def test_a_stanza_which_came_and_was_cut_is_read_as_it_is_now(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(drafts, "LARGE", 0)
    one = draft("")
    one.append(Addition("a", "1", (("domain", "x"),)))
    (slot,) = one.block.slots_with(DOMAIN, "x")
    (stanza,) = one.block.items(slot)
    assert isinstance(stanza, Stanza)
    block = one.block.inner(slot, stanza)
    assert block is not None
    one.add(Spot(block), Addition("b", "2"))
    one.add(Spot(one.block), Addition("c", "3"))
    assert one.text == 'domain "x" {\n  a = 1\n  b = 2\n}\nc = 3\n'


def test_a_thousand_new_stanzas_are_not_read_a_thousand_times(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one = draft("a = 1\n")
    sizes: list[int] = []

    def noted(path: str, octets: bytes) -> object:
        sizes.append(len(octets))
        return parse(path, octets)

    monkeypatch.setattr(drafts, "parse", noted)
    for each in range(100):
        one.append(Addition("new", "5", (("domain", f"d{each}"),)))
    assert max(sizes) < 200
    assert [one.block.slots_with(DOMAIN, f"d{each}") != [] for each in range(100)] == [True] * 100
    assert len(parse("f", one.encode()).items) == 101


def test_lookups_find_what_an_edit_brought() -> None:
    one = draft("domain x { }\ndomain X. { }\ninclude f\nb = 1\n")
    assert one.block.slots_with(DOMAIN, "x") == [0, 1]
    assert one.block.slots_of(INCLUDE) == [2]
    assert one.block.slots_of("new") == []
    one.add(Spot(one.block), Addition("new", "5"))
    assert one.block.slots_of("new") == [3] or one.text.endswith("b = 1\nnew = 5\n")
    one.append(Addition("new", "5", (("domain", "y"),)))
    assert one.block.slots_with(DOMAIN, "y")


def test_a_setting_comes_behind_the_last_one_that_is_left() -> None:
    one = draft("a = 1\n# c\ndomain x { }\nb = 2\n")
    (slot,) = one.block.slots_of("b")
    one.add(Spot(one.block), Addition("c", "3"))
    (last,) = one.block.slots_of("c")
    one.remove(Spot(one.block, last, (len(one.block.items(last)) - 1,)))
    one.remove(Spot(one.block, slot, (0,)))
    one.add(Spot(one.block), Addition("d", "4"))
    assert one.text == "a = 1\nd = 4\n# c\ndomain x { }\n"


def test_a_stanza_matches_by_its_normal_name() -> None:
    (item,) = parse("f", b"domain EXAMPLE.com. { }").items
    assert isinstance(item, Stanza)
    assert matches(DOMAIN, "example.com", item)
    assert not matches(BINDING, "example.com", item)
    (wrong,) = parse("f", b"domain a@b { }").items
    assert isinstance(wrong, Stanza)
    assert not matches(DOMAIN, "a@b", wrong)


def test_a_block_has_an_end_which_is_not_that_of_the_text() -> None:
    text = "x { a = 1\nb = 2 } c = 3\n"
    (stanza, _) = parse("f", text.encode()).items
    assert isinstance(stanza, Stanza)
    block = Block("f", text, stanza.items, stanza.inside, stanza.end - 1)
    assert block.text == " a = 1\nb = 2 "
    assert block.slots_of("b") == [1]
