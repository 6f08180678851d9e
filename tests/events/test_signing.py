"""How signing has fared is counted in rows which are bounded."""

from time import perf_counter

import pytest

from angarium.events import signing
from angarium.events.signing import Signatures, Signed


def counted(signatures: Signatures) -> dict[tuple[str, str, str], tuple[int, int, int]]:
    return {
        key: (row.signed, row.failed, row.processed) for key, row in signatures.rows.items()
    }  # fmt: skip


def test_what_became_of_messages_is_counted_by_kind_binding_and_domain() -> None:
    here = Signatures()
    began = perf_counter()
    here.note("DKIM", "one", "a.example", began, signed=True)
    here.note("DKIM", "one", "a.example", began, failed=True)
    here.note("DKIM", "one", "a.example", began)
    here.note("DomainKeys", "two", "a.example", began, signed=True)
    assert counted(here) == {
        ("DKIM", "one", "a.example"): (1, 1, 3),
        ("DomainKeys", "two", "a.example"): (1, 0, 1),
    }


def test_time_is_summed() -> None:
    here = Signatures()
    for _ in range(2):
        here.note("DKIM", "one", "a.example", perf_counter() - 10.0)
    [row] = here.rows.values()
    assert row.seconds >= 20.0


def test_in_one_sum_nobody_has_a_name_and_switched_off_nothing_is_counted() -> None:
    here = Signatures("global")
    here.note("DKIM", "one", "a.example", 0.0, signed=True)
    here.note("DKIM", "two", "b.example", 0.0, signed=True)
    here.detail = "off"
    here.note("DKIM", "two", "b.example", 0.0, signed=True)
    assert counted(here) == {("DKIM", "", ""): (2, 0, 2)}


def test_further_domains_count_for_their_binding(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signing, "MOST_ROWS", 3)
    here = Signatures()
    for number in range(10):
        here.note("DKIM", "one", f"d{number}.example", 0.0, signed=True)
    assert len(here.rows) == 4
    assert here.rows["DKIM", "one", ""].signed == 7
    here.note("DKIM", "one", "d0.example", 0.0)
    assert here.rows["DKIM", "one", "d0.example"].processed == 2
    assert here.of_bindings()["DKIM\tone"].signed == 10


def test_rows_add_up() -> None:
    assert Signed(0.5, 1, 2, 3) + Signed(0.25, 1, 1, 1) == Signed(0.75, 2, 3, 4)
