"""What the console keeps for a node."""

import msgspec

from angarium.console.statistics import Gone, Reset, Statistics
from angarium.events.signing import Signed


def test_what_workers_leave_is_summed() -> None:
    gone = Gone()
    gone.add({"queries.MX": 2.0}, {"g\tb": [1, 2, 3]})
    gone.add({"queries.MX": 1.0, "queries.A": 1.0}, {"g\tb": [4, 4, 4], "g\tc": [0, 1, 0]})
    assert gone.names == {"queries.MX": 3.0, "queries.A": 1.0}
    assert gone.bindings == {"g\tb": [5, 6, 7], "g\tc": [0, 1, 0]}


def test_signatures_of_workers_are_summed() -> None:
    gone = Gone()
    gone.add({}, {}, {"DKIM\tone": Signed(0.5, 1, 0, 1)})
    gone.add({}, {}, {"DKIM\tone": Signed(0.5, 1, 1, 2), "DKIM\ttwo": Signed(0.0, 1, 0, 1)})
    assert gone.signed == {"DKIM\tone": Signed(1.0, 2, 1, 3), "DKIM\ttwo": Signed(0.0, 1, 0, 1)}


def test_all_of_it_can_be_handed_over() -> None:
    kept = Statistics(Reset(3.0, {"deliveries": 5.0}), traces=7)
    kept.gone.add({"queries.MX": 2.0}, {"g\tb": [1, 2, 3]})
    again = msgspec.msgpack.decode(msgspec.msgpack.encode(kept), type=Statistics)
    assert again == kept
    again.gone.add({"queries.MX": 1.0}, {})  # and goes on
    assert again.gone.names == {"queries.MX": 3.0}
    assert Statistics().gone.names == {}
