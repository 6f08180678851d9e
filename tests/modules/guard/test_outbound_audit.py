"""outbound_audit: what it counts, for which domains."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from angarium.modules.guard.outbound_audit import OutboundAudit
from angarium.policy.shared.monitors import GLOBAL, listed, outbound
from helpers.guards import Place


class Audited(Place):
    """A worker which has the module."""

    def __init__(self, folder: Path, options: str, name: str = '"one"') -> None:
        super().__init__(folder, f"outbound_audit {name} {{ {options} }}")
        self.board: Any = SimpleNamespace(audits=())
        self.audit = self.module(OutboundAudit)
        self.audit.start()

    def rows(self, domain: str, window: int = 0) -> list[list[float]]:
        """Return the outcomes in a window of each monitor."""
        key = domain.encode() if domain else GLOBAL
        return [each.rows(key)[window] for each in outbound(self.shared, "one")]


def happen(place: Audited, domain: str) -> None:
    """Let two messages come, one be delivered, and attempts fail."""
    for audit in place.board.audits:
        audit.received(domain)
        audit.received(domain)
        audit.delivered(domain, 1.5)
        audit.failed(domain, temporary=True)
        audit.failed(domain, temporary=False)


@pytest.mark.effect("outbound_audit.monitors", "outbound_audit.monitor_domains")
async def test_each_monitor_counts_outcomes_in_all_and_by_domain(tmp_path: Path) -> None:
    place = Audited(tmp_path, 'monitors = ( "300,6" "60,1" ) monitor_domains = true')
    happen(place, "a.test")
    happen(place, "b.test")
    assert place.rows("a.test") == [[2, 1, 1.5, 1, 1]] * 2
    assert place.rows("") == [[4, 2, 3, 2, 2]] * 2
    place.clock.advance(300)
    assert place.rows("a.test", 1) == [[2, 1, 1.5, 1, 1], [0, 0, 0, 0, 0]]
    place.audit.stop()
    assert place.board.audits == ()
    without = Audited(tmp_path, 'monitors = ( "300,6" )')
    happen(without, "a.test")
    assert without.rows("a.test") == [[0, 0, 0, 0, 0]]
    assert without.rows("") == [[2, 1, 1.5, 1, 1]]


@pytest.mark.effect("outbound_audit.threshold")
async def test_a_domain_is_counted_for_when_enough_messages_came(tmp_path: Path) -> None:
    place = Audited(tmp_path, 'monitors = ( "300,6" ) monitor_domains = true threshold = 2')
    happen(place, "a.test")
    assert place.rows("a.test") == [[0, 0, 0, 0, 0]]
    happen(place, "a.test")
    assert place.rows("a.test") == [[2, 1, 1.5, 1, 1]]


@pytest.mark.effect("outbound_audit.domainlist")
async def test_only_listed_domains_are_counted_for_whatever_came(tmp_path: Path) -> None:
    options = (
        'monitors = ( "300,6" ) monitor_domains = true threshold = 9 domainlist = "a.test, c.test"'
    )
    place = Audited(tmp_path, options)
    happen(place, "a.test")
    happen(place, "b.test")
    assert place.rows("a.test") == [[2, 1, 1.5, 1, 1]]
    assert place.rows("b.test") == [[0, 0, 0, 0, 0]]


async def test_what_an_operator_has_listed_counts_before_what_the_options_say(
    tmp_path: Path,
) -> None:
    options = 'monitors = ( "300,6" ) monitor_domains = true domainlist = "a.test"'
    place = Audited(tmp_path, options)
    listed(place.shared, "one").set(b"a.test", False)
    listed(place.shared, "one").set(b"b.test", True)
    happen(place, "a.test")
    happen(place, "b.test")
    assert place.rows("a.test") == [[0, 0, 0, 0, 0]]
    assert place.rows("b.test") == [[2, 1, 1.5, 1, 1]]


@pytest.mark.effect("outbound_audit.enabled")
async def test_off_it_counts_nothing(tmp_path: Path) -> None:
    assert Audited(tmp_path, "").board.audits != ()
    assert Audited(tmp_path, "enabled = false").board.audits == ()


@pytest.mark.effect("outbound_audit.debug_level")
async def test_for_which_domains_it_counts_is_told_to_who_wants_to_know(tmp_path: Path) -> None:
    options = 'monitors = ( "300,6" ) monitor_domains = true'
    for level, told in (("ERROR", 0), ("DEBUG", 1)):
        place = Audited(tmp_path, f"{options} debug_level = {level}")
        happen(place, "a.test")
        assert len(place.panics) == told
