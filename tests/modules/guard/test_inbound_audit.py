"""inbound_audit: what it counts, by monitor and address."""

from pathlib import Path

import pytest

from angarium.modules.guard.inbound_audit import InboundAudit
from angarium.policy.shared.blocks import packed
from angarium.policy.shared.monitors import KINDS, monitored
from angarium.policy.shared.series_file import Saved, path_of, read, write
from helpers.guards import Place, until

ADDRESS = "192.0.2.1"


class Audited(Place):
    """A worker which has the module."""

    def __init__(self, folder: Path, text: str) -> None:
        super().__init__(folder, text)
        self.audit = self.module(InboundAudit)

    def counted(self, monitor: str) -> list[float]:
        found = [monitored(self.shared, kind, monitor) for kind in KINDS]
        return [each.count(packed(ADDRESS), 0, each.windows) for each in found]


@pytest.mark.effect("inbound_audit.monitors")
async def test_each_monitor_counts_connections_receptions_and_refusals(tmp_path: Path) -> None:
    place = Audited(tmp_path, 'inbound_audit { monitors = ( "300,6" "1800,4" ) }')
    place.audit.start()
    place.counts.came(ADDRESS)
    for _ in range(2):
        place.counts.refused(4, ADDRESS)
    assert place.counted("300,6") == place.counted("1800,4") == [1, 0, 2]
    place.clock.advance(6 * 300)  # six windows before that of now
    assert place.counted("300,6") == [1, 0, 2]
    place.clock.advance(300)
    assert place.counted("300,6") == [0, 0, 0]
    place.audit.stop()
    assert place.counts.watch is None


@pytest.mark.effect("inbound_audit.enabled")
async def test_off_it_counts_nothing_by_itself(tmp_path: Path) -> None:
    place = Audited(tmp_path, 'inbound_audit { enabled = false monitors = ( "300,6" ) }')
    place.audit.start()
    place.counts.came(ADDRESS)
    assert place.counted("300,6") == [0, 0, 0]
    place.audit.stop()


@pytest.mark.effect(
    "inbound_audit.log_dir", "inbound_audit.serialize_dir", "inbound_audit.maintenance_interval"
)
async def test_series_are_kept_where_and_as_often_as_it_says(tmp_path: Path) -> None:
    place = Audited(
        tmp_path,
        "inbound_audit { log_dir = l serialize_dir = k maintenance_interval = 0.01 }",
    )
    write(path_of(tmp_path / "k", "mine"), Saved("mine", "string", 60, 2, 1, (), {}))
    mine = place.shared.define_series("mine", "string", 60, 2)
    mine.persist = mine.serialize = True
    mine.add(b"a")
    place.clock.advance(60)
    place.audit.start()
    await until(lambda: (tmp_path / "l").exists() and read(tmp_path / "k" / "mine").kept)
    place.audit.stop()
    assert place.panics == []


@pytest.mark.effect("inbound_audit.debug_level")
@pytest.mark.parametrize(("level", "told"), [("ERROR", 1), ("CRITICAL", 0)])
async def test_what_goes_wrong_is_told_to_who_wants_to_know(
    tmp_path: Path, level: str, told: int
) -> None:
    place = Audited(tmp_path, f"inbound_audit {{ serialize_dir = k debug_level = {level} }}")
    (tmp_path / "k").mkdir()
    (tmp_path / "k" / "mine").write_text("nonsense")
    place.shared.define_series("mine", "string", 60, 2).persist = True
    place.audit.start()
    place.audit.stop()
    assert len(place.panics) == told
