"""The records of the state log."""

import hypothesis.strategies as st
import pytest
from hypothesis import given

from angarium.core.errors import Error
from angarium.events.schema import Discard, Heartbeat, Transfer, encode
from angarium.journal.errors import DamageError
from angarium.queue.spool import changes
from angarium.queue.spool.changes import DEFER, REBIND, SETTLE, event_in
from helpers.spool import delivery, failure

u64 = st.integers(0, 2**64 - 1)
text = st.text(max_size=20)


@given(u64, st.integers(0, 2**32 - 1), st.integers(0, 2**16 - 1), st.binary(max_size=9))
def test_a_deferral_comes_back_with_its_event(
    ident: int, due: int, attempts: int, event: bytes
) -> None:
    meta = changes.deferred(ident, due, attempts, event)
    assert changes.read_deferred(meta) == (ident, due, attempts)
    assert event_in(DEFER, meta) == event


@given(u64, st.tuples(text, text, text), st.binary(max_size=9))
def test_a_rebinding_comes_back_with_its_event(
    ident: int, names: tuple[str, str, str], event: bytes
) -> None:
    meta = changes.rebound(ident, names, event)
    assert changes.read_rebound(meta) == (ident, names)
    assert event_in(REBIND, meta) == event


def test_an_end_comes_back_with_its_event() -> None:
    event = encode(delivery(7))
    meta = changes.settled(7, changes.DELIVERED, event)
    assert changes.read_settled(meta) == (7, changes.DELIVERED)
    assert event_in(SETTLE, meta) == event


@pytest.mark.parametrize(
    ("kind", "end"),
    [("bounced", "bounced"), ("failed", "bounced"), ("expired", "expired"),
     ("discarded", "discarded")],
)  # fmt: skip
def test_a_permanent_failure_says_which_end_it_is(kind: str, end: str) -> None:
    assert changes.NAMES[changes.outcome(failure(1, kind))] == end


def test_what_ends_an_entry_and_what_does_not() -> None:
    common = (1.0, 1, 1, 0, 0, "a@b.example", "", "b.example", 1, "g", "b", 1.0)
    assert changes.outcome(delivery(1)) == changes.DELIVERED
    assert changes.outcome(Discard(*common, "hole")) == changes.DISCARDED
    assert changes.outcome(Transfer(*common, "", "")) == changes.TRANSFERRED
    with pytest.raises(Error, match="ends no entry"):
        changes.outcome(Heartbeat(1.0))


@given(st.binary(max_size=12))
def test_any_octets_give_a_change_or_damage(octets: bytes) -> None:
    for read in (
        changes.read_settled, changes.read_deferred, changes.read_rebound, changes.read_only,
    ):  # fmt: skip
        try:
            read(octets)
        except DamageError:
            continue
