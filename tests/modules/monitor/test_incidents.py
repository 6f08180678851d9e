"""What is told to whom, how often, and when it is over."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from angarium.modules.monitor.incidents import Incident, Incidents, Limits

LIMITS = Limits(again=100.0, quiet=20.0, gather=5.0)
NAMES = ("one", "other")


def everything(kind: str) -> bool:
    return bool(kind)


def tell(incidents: Incidents, now: float, name: str = "one") -> list[str]:
    """Tell a receiver what is due; return it."""
    found = incidents.due(name, everything, now)
    said = [f"{each.kind}{each.about} {'over' if each.over else 'raised'}" for each in found]
    incidents.told(name, {each.key: each.state for each in found})
    return said


def test_an_incident_is_told_once_to_each_and_once_when_it_is_over() -> None:
    incidents = Incidents(LIMITS)
    incidents.begin("disk", "/spool", "full", 0.0, lasting=True)
    assert tell(incidents, 4.9) == []  # others may come
    assert tell(incidents, 5.0) == ["disk/spool raised"]
    incidents.begin("disk", "/spool", "fuller", 10.0, lasting=True)
    assert tell(incidents, 20.0) == []
    assert tell(incidents, 20.0, "other") == ["disk/spool raised"]
    incidents.end("disk", "/spool", 30.0)
    assert tell(incidents, 35.0) == ["disk/spool over"]
    assert tell(incidents, 99.0) == []


@pytest.mark.effect("alerting.alerting_cache_ttl")
def test_what_lasts_is_told_again_after_the_time() -> None:
    incidents = Incidents(LIMITS)
    incidents.begin("disk", "", "full", 0.0, lasting=True)
    assert tell(incidents, 5.0) == ["disk raised"]
    incidents.tick(99.0, NAMES)
    assert tell(incidents, 99.0) == []
    incidents.tick(100.0, NAMES)
    assert tell(incidents, 105.0) == ["disk raised"]


def test_what_comes_and_goes_is_told_once_with_its_end() -> None:
    incidents = Incidents(LIMITS)
    said = []
    for now in range(0, 90, 10):
        incidents.begin("disk", "", "full", now, lasting=True)
        said += tell(incidents, now + 5)
        incidents.end("disk", "", now + 5)
        incidents.tick(now + 5, NAMES)
        said += tell(incidents, now + 10)
    assert said == ["disk raised", "disk over"]


def test_what_was_over_before_somebody_could_be_told_is_told_as_over() -> None:
    incidents = Incidents(LIMITS)
    incidents.begin("disk", "", "full", 0.0, lasting=True)
    incidents.end("disk", "", 50.0)
    incidents.tick(500.0, NAMES)
    assert tell(incidents, 500.0) == ["disk over"]
    incidents.tick(500.0, ["one"])
    assert len(incidents) == 0  # known to all, and long ago


@pytest.mark.effect("alerting.quiet")
def test_what_has_no_end_of_its_own_is_over_when_it_is_quiet() -> None:
    incidents = Incidents(LIMITS)
    incidents.begin("worker", "1", "died", 0.0)
    incidents.begin("worker", "1", "died", 10.0)
    incidents.tick(29.9, NAMES)
    assert tell(incidents, 29.9) == ["worker1 raised"]
    incidents.tick(30.0, NAMES)
    assert tell(incidents, 35.0) == ["worker1 over"]


def test_a_receiver_who_was_away_hears_how_things_are_and_no_more() -> None:
    incidents = Incidents(LIMITS)
    for now in range(0, 1000, 10):
        incidents.begin("disk", "", "full", now, lasting=True)
        incidents.begin("worker", "", "died", now)
        incidents.tick(now, NAMES)
    assert tell(incidents, 1000.0) == ["disk raised", "worker raised"]


def test_a_receiver_hears_only_of_what_it_wants() -> None:
    incidents = Incidents(LIMITS)
    incidents.begin("disk", "", "full", 0.0)
    assert incidents.due("one", lambda kind: kind == "worker", 10.0) == []


def test_all_of_a_kind_which_last_can_be_over() -> None:
    incidents = Incidents(LIMITS)
    incidents.begin("intake", "worker 0", "no", 0.0, lasting=True)
    incidents.begin("intake", "worker 1", "no", 0.0)
    incidents.end_all("intake", 5.0)
    assert [each.about for each in incidents.open("intake")] == ["worker 1"]


@pytest.mark.effect("alerting.alerting_cache_size")
def test_the_oldest_are_forgotten_where_there_are_too_many() -> None:
    incidents = Incidents(Limits(octets=5000))
    for number in range(1000):
        incidents.begin("spool", str(number), "x" * 1000, number)
    assert 0 < len(incidents) < 10
    assert [each.about for each in incidents][-1] == "999"
    assert max(len(each.text) for each in incidents) == 500


@given(st.lists(st.tuples(st.sampled_from("abc"), st.booleans(), st.floats(0, 500)), max_size=20))
def test_what_is_kept_is_the_same_after_a_restart(steps: list[tuple[str, bool, float]]) -> None:
    incidents, now = Incidents(LIMITS), 1.0
    for kind, begins, wait in steps:
        now += wait
        if begins:
            incidents.begin(kind, "x", "text \u20ac", now)
        else:
            incidents.end(kind, "x", now)
        incidents.tick(now, NAMES)
        tell(incidents, now)
    again = Incidents(LIMITS)
    again.load(incidents.dump())
    assert list(again) == list(incidents)


@pytest.mark.parametrize("octets", [b"", b"{", b"3", b'[{"kind": 1}]', b"[[]]", b"\xff"])
def test_what_is_damaged_is_refused(octets: bytes) -> None:
    incidents = Incidents(LIMITS)
    with pytest.raises(ValueError, match="not what was kept"):
        incidents.load(octets)
    assert len(incidents) == 0


def test_numbers_and_texts_are_checked() -> None:
    good = json.loads(_one().dump())
    for name, value in (("since", "x"), ("told", {"a": "b"}), ("text", 5), ("about", None)):
        with pytest.raises(ValueError, match="is none"):
            Incidents(LIMITS).load(json.dumps([good[0] | {name: value}]).encode())


def _one() -> Incidents:
    incidents = Incidents(LIMITS)
    incidents.begin("disk", "", "full", 0.0)
    return incidents


def test_a_state_grows_with_each_thing_to_tell() -> None:
    incident = Incident("disk", "", "full", True, 0.0, 0.0)
    states = [incident.state]
    incident.over_at = 5.0
    states.append(incident.state)
    incident.announcement, incident.over_at = 2, 0.0
    states.append(incident.state)
    assert states == sorted(set(states))
