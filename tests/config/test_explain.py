"""Why an option has its value."""

import json
from pathlib import Path

import pytest

from angarium.config.check import Checked
from angarium.config.explain import Explanation, UnknownError, explain, named, sections_of
from angarium.config.kinds import Secret
from angarium.config.load import check_snapshot, snapshot
from angarium.config.option import OPTIONS, State
from angarium.config.resolve import Configuration
from angarium.config.where import where

MAIN = """\
retry_interval = 1200
include "more.conf"
binding_group "g" {
  retry_interval = 600
  retry_interval = 300
  binding "b" { outbound_throttle_messages = 5 }
}
domain "a.example" { include "inner" }
ec_logger "one" { mainlog = first }
ec_logger "two" { mainlog = second }
"""


@pytest.fixture
def checked(tmp_path: Path) -> Checked:
    (tmp_path / "ecelerity.conf").write_text(MAIN)
    (tmp_path / "more.conf").write_text("binding other { retry_interval = 60 }\n")
    (tmp_path / "inner").write_text('RETRY_interval = "2 minutes"\n')
    return check_snapshot(snapshot(tmp_path / "ecelerity.conf", environ={}))


def about(checked: Checked, name: str, **said: str) -> Explanation:
    conf = Configuration(checked.root)
    place = where(conf, **said)
    return explain(named(name), checked, str(place), place.chain(conf))


def test_every_place_is_told_where_it_is_set_also_in_what_is_included(
    checked: Checked, tmp_path: Path
) -> None:
    places = about(checked, "retry_interval").set
    assert [str(each).replace(f"{tmp_path}/", "") for each in places] == [
        "ecelerity.conf:1:1: global: 1200",
        "more.conf:1:17: binding other: 60",
        "ecelerity.conf:4:3: binding_group g: 600  (set again further on)",
        "ecelerity.conf:5:3: binding_group g: 300",
        'inner:1:1: domain a.example: "2 minutes"',
    ]  # fmt: skip


def test_who_is_asked_is_told_in_order_with_who_wins(checked: Checked, tmp_path: Path) -> None:
    found = about(checked, "retry_interval", binding="b", domain="a.example")
    assert found.place == "binding_group g binding b domain a.example"
    assert [str(each).replace(f"{tmp_path}/", "") for each in found.asked] == [
        "not set  binding_group g binding b",
        "wins     binding_group g: 300  (ecelerity.conf:5)",
        "hidden   domain a.example: 120  (inner:1)",
        "hidden   global: 1200  (ecelerity.conf:1)",
    ]  # fmt: skip


def test_where_nobody_sets_it_the_default_holds(checked: Checked) -> None:
    found = about(checked, "max_retry_interval", binding="b")
    assert str(found.asked[-1]) == "default  43200"
    assert {each.verdict for each in found.asked[:-1]} == {"not set"}


def test_a_stanza_in_which_it_may_not_stand_is_not_asked(checked: Checked) -> None:
    assert [each.path for each in about(checked, "spoolbase", binding="b").asked] == ["global", ""]


def test_a_throttle_says_whose_counter_it_is(checked: Checked) -> None:
    found = about(checked, "outbound_throttle_messages", binding="b", domain="a.example")
    assert found.counter == "binding_group g binding b"
    assert about(checked, "outbound_throttle_messages").counter == ""


def test_who_reads_it_is_told_and_nobody_reads_what_has_no_effect(checked: Checked) -> None:
    assert any("angarium.queue.retry:" in each for each in explain(named("retry_interval")).readers)
    idle = next(each for each in OPTIONS.values() if each.state is State.ACCEPTED)
    assert explain(idle).readers == ()
    assert explain(idle).about.reason


def test_a_secret_is_not_shown(checked: Checked, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(OPTIONS["retry_interval"], "kind", Secret())
    found = about(checked, "retry_interval", domain="a.example")
    shown = {each.value for each in found.set} | {each.value for each in found.asked}
    assert shown == {"***"}


def test_it_is_json(checked: Checked) -> None:
    plain = json.loads(json.dumps(about(checked, "retry_interval", domain="a.example").plain()))
    assert plain["about"]["default"] == "1200"
    assert plain["asked"][0]["verdict"] == "wins"


def test_an_option_of_a_module_is_found_by_its_name(checked: Checked) -> None:
    assert named("EC_Logger.MainLog") is OPTIONS["ec_logger.mainlog"]
    assert named("rejectlog") is OPTIONS["ec_logger.rejectlog"]
    mainlog = named("ec_logger.mainlog")
    assert [each.instance for each in sections_of(checked.root, mainlog)] == ["one", "two"]
    assert [each.value for each in explain(mainlog, checked).set] == [
        '"first"',
        '"second"',
    ]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("retry_intervall", "there is no option retry_intervall; did you mean retry_interval?"),
        ("x" * 200, "there is no option x"),
        ("enabled", "several stanzas have an option enabled: write one of "),
    ],
)
def test_a_name_which_is_no_option_is_told(name: str, message: str) -> None:
    with pytest.raises(UnknownError) as caught:
        named(name)
    assert str(caught.value).startswith(message)
