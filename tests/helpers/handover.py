"""A handover with something in each field, for the tests of those who write and read it."""

import msgspec

from angarium.console.statistics import Statistics
from angarium.run import handover
from angarium.run.child import Kept
from angarium.run.fleet import KeptSlot
from angarium.run.handover import Handover, KeptNode, KeptSolo


def given(**changes: object) -> Handover:
    """Return it, with some fields changed; its descriptors are numbers and nothing else."""
    child = Kept("worker 0", 17, True, 11, 12, b"\0\0")
    made = Handover(
        version=handover.VERSION,
        common=handover.COMMON,
        release="0.1.0",
        generation=3,
        snapshot=b"\xff text",
        config_path="/etc/angarium/ecelerity.conf",
        state="/state",
        pidfile=None,
        upgrade=2,
        announced=True,
        reload=False,
        lock=5,
        listening={"esmtp_listener 127.0.0.1:25": 6},
        ledger=[7, 8, 9],
        slots=[
            KeptSlot(0, ["000", "003"], 1, 2, 33.5, child),
            KeptSlot(1, ["001"], 0, 0, 0.0, None),
        ],
        suspects={2**63: 1},
        ownerless=["004"],
        hose=KeptSolo(1.0, 0, Kept("hose", 18, True, 13, 14, b"")),
        sink=None,
        node=KeptNode(1_700_000_000.0, {17: 1_700_000_001.0}, Statistics(traces=2)),
    )
    return msgspec.structs.replace(made, **changes)


def lone(descriptor: int) -> Handover:
    """Return one with a single descriptor, which is there."""
    return given(lock=descriptor, listening={}, ledger=[], slots=[], hose=KeptSolo(0.0, 0, None))
