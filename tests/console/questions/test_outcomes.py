"""What outbound_audit has counted, with several instances and monitors."""

from types import SimpleNamespace

from angarium.console.questions import outcomes
from angarium.policy.shared.monitors import OUTCOMES, outbound_name
from angarium.policy.shared.node import Shared
from helpers.clock import FakeClock


def test_each_instance_and_each_monitor_has_its_rows() -> None:
    shared = Shared(FakeClock())
    for instance, monitor in (("one", "60,1"), ("one", "300,1"), ("two", "60,1")):
        for kind in OUTCOMES:
            interval = int(monitor.partition(",")[0])
            name = outbound_name(kind, instance, monitor)
            shared.define_series(name, "string", interval, 2).add(b"a.test", 1)
    worker = SimpleNamespace(shared=shared)
    found = outcomes.outcomes.function(worker, "a.test", 10)
    assert [(each.interval, each.window) for each in found] == [
        (60, 0), (60, 1), (300, 0), (300, 1), (60, 0), (60, 1),
    ]  # fmt: skip
    assert outcomes.domains.function(worker, 10) == ["a.test"]
    assert outcomes.change.function(worker, "add", "b.test") == 2


def test_so_many_domains_come_as_are_asked_for() -> None:
    shared = Shared(FakeClock())
    for kind in OUTCOMES:
        series = shared.define_series(outbound_name(kind, "one", "60,1"), "string", 60, 1)
        for number in range(50):
            series.add(b"%02d.test" % number)
    worker = SimpleNamespace(shared=shared)
    assert len(outcomes.outcomes.function(worker, "", 7)) == 7
    assert len(outcomes.domains.function(worker, 7)) == 7
