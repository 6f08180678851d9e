"""What is served, out of what was measured."""

from importlib.metadata import version

from angarium.modules.monitor import facts
from angarium.modules.monitor.mib import Waiting

BINDINGS = [("default", "default"), ("bulk", "one")]
CENSUS = {
    ("default", "default", ""): [3, 4, 1],
    ("default", "default", "a.test"): [3, 4, 1],
    ("bulk", "one", "b.test"): [0, 1, 0],
    ("gone", "gone", "c.test"): [9, 9, 9],
}
COUNTS = {("bulk", "one", ""): [5, 1, 3, 2], ("bulk", "one", "b.test"): [5, 1, 3, 2]}


def test_the_whole_is_what_the_processes_measured() -> None:
    values = {
        "queued": 10.0, "delayed": 4.0, "connections_out": 2.0, "account|created": 50.0,
        "failures|10": 2.0, "failures|30": 1.0, "deliveries": 30.0, "deferrals": 7.0,
    }  # fmt: skip
    assert facts.total(values) == Waiting(6, 4, 2, received=50, failed=3, delivered=30, deferred=7)
    assert facts.total({}) == Waiting()
    assert facts.total({"queued": 1.0, "delayed": 2.0}).active == 0  # read one after the other


def test_the_first_row_is_all_and_the_second_the_default_binding() -> None:
    rows = facts.rows_of(Waiting(active=9), BINDINGS, CENSUS, COUNTS)
    assert [row.name for row in rows] == ["none/all", "none/default", "bulk/one"]
    assert rows[0].counts.active == 9
    assert rows[1].counts == Waiting(3, 4, 1)
    assert rows[2].counts == Waiting(received=5, failed=1, delivered=3, deferred=2)


def test_a_line_has_the_number_of_its_row_less_one() -> None:
    lines = {line.domain: line for line in facts.lines_of(BINDINGS, CENSUS, COUNTS)}
    assert set(lines) == {"a.test", "b.test"}  # of a binding which is gone nothing is told
    assert lines["a.test"].group == 1
    assert lines["b.test"].group == 2
    assert lines["b.test"].counts == Waiting(0, 1, 0, received=5, failed=1, delivered=3, deferred=2)


def test_of_too_many_lines_those_with_the_most_mail_are_told() -> None:
    census = {("default", "default", f"{n}.test"): [n, 0, 0] for n in range(1500)}
    lines = facts.lines_of(BINDINGS, census, {})
    assert len(lines) == 1000
    assert min(line.counts.active for line in lines) == 500


def test_the_version_is_that_of_the_package() -> None:
    release, built = facts.release()
    assert release == version("angarium")
    assert built.count(" ") == 2
