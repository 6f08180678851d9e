"""The timer against the plainest thing that could be right: a dictionary."""

from array import array

from hypothesis import given
from hypothesis import strategies as st

from angarium.queue.timer import SPAN, Timer

NOW = 1_700_000_000

Step = tuple[str, int, int]


def everything_due(timer: Timer) -> list[int]:
    while timer.spread():
        pass
    taken: list[int] = []
    while piece := timer.take(3):
        taken += piece
    return taken


def test_an_id_is_due_at_its_second_and_not_before() -> None:
    timer = Timer(NOW)
    timer.add(7, NOW + 5)
    timer.advance(NOW + 4)
    assert everything_due(timer) == []
    timer.advance(NOW + 5)
    assert everything_due(timer) == [7]
    assert len(timer) == 0


def test_an_id_which_is_late_is_due_at_once() -> None:
    timer = Timer(NOW)
    timer.add(7, NOW - 100_000)
    assert list(timer.take()) == [7]


def test_ids_beyond_the_edge_come_at_their_second() -> None:
    timer = Timer(NOW)
    dues = {ident: NOW + ident * (SPAN // 3) for ident in range(1, 40)}
    for ident, due in dues.items():
        timer.add(ident, due)
    for ident, due in dues.items():
        timer.advance(due - 1)
        assert everything_due(timer) == []
        timer.advance(due)
        assert everything_due(timer) == [ident]


def test_older_seconds_come_first_after_a_jump_forward() -> None:
    timer = Timer(NOW)
    for ident in range(10):
        timer.add(ident, NOW + 1 + ident * 10_000)
    timer.advance(NOW + 10_000_000)
    assert everything_due(timer) == list(range(10))


def test_time_set_back_changes_nothing() -> None:
    timer = Timer(NOW)
    timer.advance(NOW + 10)
    timer.advance(NOW - 3600)
    timer.add(1, NOW + 11)
    timer.advance(NOW + 11)
    assert everything_due(timer) == [1]


def test_neighbours_in_one_second_come_sorted_by_id() -> None:
    timer = Timer(NOW)
    for ident in (5, 1, 4, 2):
        timer.add(ident, NOW + 1)
    timer.advance(NOW + 1)
    assert timer.take() == array("Q", [1, 2, 4, 5])


def test_a_million_in_one_second_come_in_pieces() -> None:
    timer = Timer(NOW)
    for ident in range(5000):
        timer.add(ident, NOW + 1)
    timer.advance(NOW + 1)
    assert len(timer.take(256)) == 256
    assert len(timer) == 5000 - 256


steps = st.one_of(
    st.tuples(st.just("add"), st.integers(0, 60), st.integers(-10, 3 * SPAN)),
    st.tuples(st.just("remove"), st.integers(0, 60), st.just(0)),
    st.tuples(st.just("sift"), st.integers(2, 5), st.just(0)),
    st.tuples(st.just("advance"), st.just(0), st.integers(-50, 3 * SPAN)),
    st.tuples(st.just("advance"), st.just(0), st.integers(0, 3)),
    st.tuples(st.just("advance"), st.just(0), st.integers(0, 100 * SPAN)),
)


@given(st.lists(steps, max_size=60))
def test_the_timer_is_a_dictionary_from_id_to_due(walk: list[Step]) -> None:
    timer, now, model = Timer(NOW), NOW, dict[int, int]()
    for name, ident, number in walk:
        if name == "add" and ident not in model:
            model[ident] = now + number
            timer.add(ident, now + number)
        elif name == "remove":
            due = model.pop(ident, None)
            assert timer.remove(ident, due if due is not None else now) == (due is not None)
        elif name == "sift":
            chosen = {each for each in model if each % ident == 0}
            found = [each for piece in timer.sift(chosen.__contains__) for each in piece]
            assert sorted(found) == sorted(chosen)
            model = {each: due for each, due in model.items() if each % ident}
        elif name == "advance":
            timer.advance(now + number)
            now = max(now, now + number)
            # What was added as late is due whether time passes or not.
            taken = everything_due(timer)
            assert len(set(taken)) == len(taken)
            assert set(taken) == {each for each, due in model.items() if due <= now}
            model = {each: due for each, due in model.items() if due > now}
        assert len(timer) == len(model)
