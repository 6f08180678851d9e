"""What differs between two configurations in meaning, and how it is told."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from angarium.config.difference import Change, What, differences
from angarium.config.kinds import Secret
from angarium.config.load import load_text
from angarium.config.option import OPTIONS, Option
from angarium.config.scope import STANZAS
from angarium.config.section import Section, root


def told(old: str, new: str) -> list[str]:
    return [str(each) for each in differences(load_text(old).root, load_text(new).root)]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("retry_interval = 1200", 'RETRY_Interval = "20 minutes" # the same'),
        ("max_resident_messages = 10\nretry_interval = 60", "retry_interval=60 "
         "max_resident_messages=10"),
        ('domain "a.test" { } domain "b.test" { }', "domain b.test {} domain A.Test {}"),
        ('relay_hosts = ( 192.0.2.1 )', "relay_hosts = 192.0.2.1/32"),
        ('esmtp_listener { listen ":25" { } }', 'esmtp_listener = { listen "*:25" { } }'),
        ("binding b { retry_interval = 9 } binding b { }", "binding b { } binding b { "
         "retry_interval = 9 }"),
    ],
)  # fmt: skip
def test_how_it_is_written_makes_no_difference(old: str, new: str) -> None:
    assert told(old, new) == []


def test_options_set_unset_and_changed_are_told_by_place() -> None:
    old = """
        retry_interval = 1200
        message_expiration = 86400
        binding_group g { binding b { domain "a.example" { max_outbound_connections = 5 } } }
    """
    new = """
        retry_interval = 600
        max_retries = 3
        binding_group g { binding b { domain "a.example" { max_outbound_connections = 6 } } }
    """
    assert told(old, new) == [
        "global: max_retries: not set -> 3",
        "global: message_expiration: 86400 -> not set",
        "global: retry_interval: 1200 -> 600",
        "binding_group g binding b domain a.example: max_outbound_connections: 5 -> 6",
    ]


def test_a_stanza_that_came_or_went_is_told_with_all_that_is_in_it() -> None:
    one = 'binding_group g { binding b { bind_address = 192.0.2.1 domain "a.example" { } } }'
    assert told("", one) == [
        "binding_group g: the stanza is new",
        "binding_group g binding b: the stanza is new",
        "binding_group g binding b: bind_address: not set -> 192.0.2.1",
        "binding_group g binding b domain a.example: the stanza is new",
    ]
    assert told(one, "") == [
        "binding_group g: the stanza is gone",
        "binding_group g binding b: the stanza is gone",
        "binding_group g binding b: bind_address: 192.0.2.1 -> not set",
        "binding_group g binding b domain a.example: the stanza is gone",
    ]


def test_another_order_of_patterns_is_a_difference_and_of_plain_names_none() -> None:
    one, two, plain = 'domain "/one/" { } ', 'domain "/two/" { } ', 'domain "a.example" { } '
    assert told(one + plain + two, plain + two + one) == [
        "global: the order of domain patterns: /one/ /two/ -> /two/ /one/"
    ]
    assert told(one + plain + two, one + two + plain) == []
    assert told(one + two, two) == ["domain /one/: the stanza is gone"]


def test_what_needs_a_restart_is_marked() -> None:
    changed = differences(load_text("").root, load_text('spoolbase = "/srv/spool"').root)
    assert [(each.option, each.restart) for each in changed] == [("spoolbase", True)]
    assert str(changed[0]).endswith('not set -> "/srv/spool" (with a restart)')


def test_a_secret_is_masked_and_its_change_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    declared: Option[object] = OPTIONS["hostname"]
    monkeypatch.setattr(declared, "kind", Secret())
    old, new = load_text("hostname = swordfish").root, load_text("hostname = marlin").root
    shown = [str(each) for each in differences(old, new)]
    assert shown == ["global: hostname: *** -> *** (another one)" + (
        "" if declared.dynamic else " (with a restart)")]  # fmt: skip
    assert "marlin" not in repr(differences(load_text("").root, new))


def test_a_change_is_json() -> None:
    change = differences(load_text("").root, load_text("retry_interval = 9").root)[0]
    assert change.plain() == {
        "what": "option",
        "path": "",
        "option": "retry_interval",
        "old": None,
        "new": "9",
        "restart": False,
    }


SETTINGS = st.dictionaries(
    st.sampled_from(["retry_interval", "message_expiration", "max_retries"]),
    st.integers(60, 99),
    max_size=3,
)
TREES = st.dictionaries(
    st.tuples(st.sampled_from("gh"), st.sampled_from(["", "b", "c"]), st.sampled_from(["", "d"])),
    SETTINGS,
    max_size=5,
)
Tree = dict[tuple[str, str, str], dict[str, int]]


def built(tree: Tree) -> Section:
    parts = []
    for (group, binding, domain), settings in tree.items():
        inner = " ".join(f"{name} = {value}" for name, value in settings.items())
        inner = f'domain "{domain}" {{ {inner} }}' if domain else inner
        inner = f'binding "{binding}" {{ {inner} }}' if binding else inner
        parts.append(f'binding_group "{group}" {{ {inner} }}')
    return load_text("\n".join(parts)).root


@given(TREES, TREES)
def test_what_is_told_is_all_that_differs(one: Tree, two: Tree) -> None:
    old, new = built(one), built(two)
    assert applied(differences(old, new), flat(old)) == flat(new)
    assert bool(differences(old, new)) == (flat(old) != flat(new))


def flat(root: Section) -> dict[str, dict[str, str]]:
    return {each.path: {name: f"{value:g}" for name, value in each.values.items()
                        if isinstance(value, int | float)} for each in root.walk()}  # fmt: skip


def applied(changes: list[Change], to: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
    for each in changes:
        if each.what is What.STANZA and each.new is None:
            del to[each.path]
        elif each.what is What.STANZA:
            to[each.path] = {}
        elif each.new is None:
            to.get(each.path, {}).pop(each.option, None)
        else:
            to[each.path][each.option] = each.new
    return to


def many(changed: dict[int, int], without: int) -> Section:
    top = root()
    for number in range(100_000):
        if number != without:
            section = top.child(STANZAS["domain"], f"d{number}.example")
            section.values["retry_interval"] = changed.get(number, 60)
    return top


def test_100_000_stanzas_are_compared_in_a_moment() -> None:
    old, new = many({}, -1), many({5: 61}, 77_777)
    before = time.process_time()
    found = differences(old, new)
    took = time.process_time() - before
    assert [str(each) for each in found] == [
        "domain d5.example: retry_interval: 60 -> 61",
        "domain d77777.example: the stanza is gone",
        "domain d77777.example: retry_interval: 60 -> not set",
    ]
    assert took < 5
