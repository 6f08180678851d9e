"""The numbers and types of objects, and their order."""

import re
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from angarium.modules.monitor import mib
from angarium.modules.monitor.mib import Facts, Line, Object, Row, Table, Waiting, objects

OIDS = st.lists(st.integers(0, 9), min_size=1, max_size=5).map(tuple)
# Of Momentum's MIB: what is read, by number below 1.3.6.1.4.1.19552.1.
SCALARS: dict[tuple[int, ...], str] = {
    (1, 1): "text", (1, 2): "text", (1, 3): "text", (5, 1): "integer", (5, 2): "integer",
    **{(5, group, column): "integer" for group in (3, 4, 5, 7) for column in (1, 2, 3)},
}  # fmt: skip


@given(st.sets(OIDS), OIDS)
def test_the_next_object_is_the_smallest_behind(oids: set[mib.Oid], asked: mib.Oid) -> None:
    table = Table({oid: mib.integer(0) for oid in oids})
    behind = sorted(oid for oid in oids if oid > asked)
    found = table.after(asked)
    assert (found[0] if found else None) == (behind[0] if behind else None)


@given(st.sets(OIDS))
def test_a_walk_meets_every_object_once(oids: set[mib.Oid]) -> None:
    table, met, at = Table({oid: mib.integer(0) for oid in oids}), [], mib.Oid(())
    while (found := table.after(at)) is not None:
        at = found[0]
        met.append(at)
    assert met == sorted(oids)
    assert len(table) == len(oids)


def test_scalars_have_momentums_numbers_and_types() -> None:
    found = objects(Facts())
    shown = {
        oid[len(mib.ECELERITY) : -1]: each.type
        for oid, each in found.items()
        if oid[: len(mib.ECELERITY)] == mib.ECELERITY
    }
    assert shown == SCALARS
    assert all(oid[-1] == 0 for oid in found if oid[:7] == mib.ECELERITY[:7])


def test_the_example_of_the_manual_is_found() -> None:
    found = objects(
        Facts(rows=(Row("none/all", Waiting()),), lines=(Line("aol.com", 1, Waiting()),))
    )
    oid = tuple(map(int, "1.3.6.1.4.1.19552.1.2.7.97.111.108.46.99.111.109.0.1".split(".")))
    assert found[oid] == Object("text", "aol.com")


def test_the_tables_of_the_mta_count_recipients() -> None:
    rows = (Row("none/all", Waiting(active=2, delayed=3, received=9, delivered=4)),)
    found = objects(Facts(rows=rows))
    assert found[(*mib.MTA, 1, 1)] == mib.counter(9)
    assert found[(*mib.MTA, 2, 1)] == mib.gauge(5)
    assert found[(*mib.MTA, 3, 1)] == mib.counter(4)
    assert found[(*mib.MTA_GROUP, 25, 1, 1)] == mib.text("none/all")


def test_numbers_stay_within_their_types() -> None:
    assert mib.counter(2**32 + 5).value == 5
    assert mib.gauge(2**40).value == 2**32 - 1
    assert mib.gauge(-1).value == 0
    assert mib.integer(2**40).value == 2**31 - 1
    assert mib.ticks(2**33).value == (2**33 * 100) % 2**32
    assert len(str(mib.text("x" * 999).value)) == 255


def test_the_file_of_the_mib_names_what_is_served() -> None:
    text = Path(__file__).parents[3].joinpath("docs/mib/OMNITI-SNMP-MIB.txt").read_text()
    assert len(re.findall(r"^ *\w+ NOTIFICATION-TYPE$", text, re.MULTILINE)) == 6
    for name in (
        "productName",
        "activeQueueSize",
        "unlinkOverlayFailures",
        "failedMessageCtWarning",
    ):
        assert re.search(rf"^ *{name}\b", text, re.MULTILINE), name
