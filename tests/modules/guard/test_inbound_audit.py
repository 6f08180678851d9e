"""inbound_audit: what it counts, by monitor and address."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from angarium.config.load import load_text
from angarium.inbound.counts import Counts
from angarium.modules.guard.inbound_audit import InboundAudit
from angarium.policy.shared.blocks import packed
from angarium.policy.shared.monitors import KINDS, monitored
from angarium.policy.shared.node import Shared
from angarium.policy.shared.series_file import Saved, path_of, read, write
from helpers.clock import FakeClock

ADDRESS = "192.0.2.1"


async def until(condition: Callable[[], object]) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        await asyncio.sleep(0.005)


class Place:
    """A worker which has the module."""

    def __init__(self, folder: Path, text: str) -> None:
        self.told: list[tuple[str, str]] = []
        self.clock = FakeClock()
        self.shared = Shared(self.clock)
        self.shared.know()
        self.counts = Counts()
        self.folder = folder
        means: Any = SimpleNamespace(
            shared=self.shared,
            counts=self.counts,
            state=folder,
            tell=lambda level, text: self.told.append((level, text)),
        )
        [(name, options)] = load_text(text).instances("inbound_audit")
        self.module = InboundAudit(name, cast(Any, options), means)

    def counted(self, monitor: str) -> list[float]:
        found = [monitored(self.shared, kind, monitor) for kind in KINDS]
        return [each.count(packed(ADDRESS), 0, each.windows) for each in found]


@pytest.mark.effect("inbound_audit.monitors")
async def test_each_monitor_counts_connections_receptions_and_refusals(tmp_path: Path) -> None:
    place = Place(tmp_path, 'inbound_audit { monitors = ( "300,6" "1800,4" ) }')
    place.module.start()
    place.counts.came(ADDRESS)
    for _ in range(2):
        place.counts.refused(4, ADDRESS)
    assert place.counted("300,6") == place.counted("1800,4") == [1, 0, 2]
    place.clock.advance(6 * 300)  # six windows before that of now
    assert place.counted("300,6") == [1, 0, 2]
    place.clock.advance(300)
    assert place.counted("300,6") == [0, 0, 0]
    place.module.stop()
    assert place.counts.watch is None


@pytest.mark.effect("inbound_audit.enabled")
async def test_off_it_counts_nothing_by_itself(tmp_path: Path) -> None:
    place = Place(tmp_path, 'inbound_audit { enabled = false monitors = ( "300,6" ) }')
    place.module.start()
    place.counts.came(ADDRESS)
    assert place.counted("300,6") == [0, 0, 0]
    place.module.stop()


@pytest.mark.effect(
    "inbound_audit.log_dir", "inbound_audit.serialize_dir", "inbound_audit.maintenance_interval"
)
async def test_series_are_kept_where_and_as_often_as_it_says(tmp_path: Path) -> None:
    place = Place(
        tmp_path,
        "inbound_audit { log_dir = l serialize_dir = k maintenance_interval = 0.01 }",
    )
    write(path_of(tmp_path / "k", "mine"), Saved("mine", "string", 60, 2, 1, (), {}))
    mine = place.shared.define_series("mine", "string", 60, 2)
    mine.persist = mine.serialize = True
    mine.add(b"a")
    place.clock.advance(60)
    place.module.start()
    await until(lambda: (tmp_path / "l").exists() and read(tmp_path / "k" / "mine").kept)
    place.module.stop()
    assert place.told == []


@pytest.mark.effect("inbound_audit.debug_level")
async def test_what_goes_wrong_is_told_as_an_error(tmp_path: Path) -> None:
    place = Place(tmp_path, "inbound_audit { serialize_dir = k }")
    (tmp_path / "k").mkdir()
    (tmp_path / "k" / "mine").write_text("nonsense")
    place.shared.define_series("mine", "string", 60, 2).persist = True
    place.module.start()
    place.module.stop()
    assert place.told[0][0] == "ERROR"
