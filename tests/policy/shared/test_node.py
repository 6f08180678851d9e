import pytest

from angarium.policy.shared.node import MAX_NAME, Shared, SharedError
from angarium.policy.shared.told import Entry, Shape
from helpers.clock import FakeClock


@pytest.fixture
def shared() -> Shared:
    return Shared(FakeClock())


def test_nothing_is_told_before_something_is_defined(shared: Shared) -> None:
    said = []
    shared.opened = lambda: said.append("opened")
    shared.changed = lambda: said.append("changed")
    assert said == []
    series = shared.define_series("s", "string", 60, 2)
    shared.define_gauge("g", 10, 60)
    assert said == ["opened"]
    series.add(b"a")
    series.add(b"b")
    assert said == ["opened", "changed"]
    assert [each.shape.name for each in shared.take_changed()] == ["s"]
    assert list(shared.take_changed()) == []


def test_a_definition_which_is_there_stays_and_another_one_begins_anew(shared: Shared) -> None:
    series = shared.define_series("s", "string", 60, 2)
    series.add(b"a")
    assert shared.define_series("s", "string", 60, 2) is series
    assert shared.define_series("s", "string", 60, 3).count(b"a") == 0
    assert shared.series("s").windows == 3


def test_what_is_not_defined_or_cannot_be_is_an_error(shared: Shared) -> None:
    with pytest.raises(SharedError, match="no audit series 'x'"):
        shared.series("x")
    with pytest.raises(SharedError, match="no gauge cache 'x'"):
        shared.gauge("x")
    for kind, interval, windows in [("ip", 1, 1), ("cidr", 0, 1), ("cidr", 1, 0), ("cidr", 1, 1e9)]:
        with pytest.raises(SharedError):
            shared.define_series("x", kind, interval, int(windows))
    with pytest.raises(SharedError):
        shared.define_gauge("x", 0, 1)
    with pytest.raises(SharedError):
        shared.define_gauge("x" * (MAX_NAME + 1), 1, 1)


def test_what_a_worker_tells_before_it_is_defined_here_is_kept(shared: Shared) -> None:
    table = shared.told(Shape("counters"))
    assert table is not None
    table.merge((1, 1), [Entry(b"/a", 3)])
    assert shared.counters.read(b"/a") == 3


def test_what_is_another_thing_here_is_left(shared: Shared) -> None:
    shared.define_gauge("g", 10, 60)
    assert shared.told(Shape("gauge", "g", (10, 61))) is None


@pytest.mark.parametrize(
    "shape",
    [
        Shape("who", "knows"),
        Shape("series", "s", (9, 1, 1)),
        Shape("series", "s", (0, 0, 1)),
        Shape("series", "s", (0, 1)),
        Shape("gauge", "g", ()),
        Shape("presence", "p", (1,)),
    ],
)
def test_what_is_told_of_things_which_cannot_be_is_left(shared: Shared, shape: Shape) -> None:
    assert shared.told(shape) is None
    assert shared.tables == []


def test_things_are_found_by_kind(shared: Shared) -> None:
    shared.define_series("s", "string", 60, 2)
    shared.define_gauge("g", 10, 60)
    shared.variables.set(b"k", 1)
    assert shared.define_presence("p").total() == 0
    assert [each.name for each in shared.all_series()] == ["s"]
    assert [each.name for each in shared.all_gauges()] == ["g"]
    assert [each.name for each in shared.all_values()] == ["share"]
    assert shared.has("series", "s")
    shared.forget("series", "s")
    assert not shared.has("series", "s")


def test_a_series_is_found_by_the_octets_of_its_name_as_long_as_it_is_there(
    shared: Shared,
) -> None:
    first = shared.define_series("s\udcff", "string", 60, 3)
    assert shared.series_named(b"s\xff") is first
    second = shared.define_series("s\udcff", "string", 60, 4)
    assert shared.series_named(b"s\xff") is second
    shared.forget("series", "s\udcff")
    with pytest.raises(SharedError, match="no audit series"):
        shared.series_named(b"s\xff")
