"""Classes get their shares, keys get theirs, and nobody waits for more than one turn of each."""

from collections import Counter, deque
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from angarium.core.lane import CLASSES, lane_of
from angarium.queue.turns import CHUNK, CROWD, FLOWS, Fifo, Turns
from helpers.rounds import Seeds

A, B, C = (lane_of(0, key) for key in "abc")
EVEN = (10, 90)


def turns(shares: tuple[float, ...] = EVEN, **weights: float) -> Turns[str]:
    return Turns(shares, {lane_of(0, key): weight for key, weight in weights.items()})


def put(made: Turns[str], lane: int, *names: str) -> None:
    for name in names:
        made.flow(lane).inbox.append(name)


def take(made: Turns[str], batch: int = 1) -> list[str]:
    """Take a batch of whose turn it is."""
    flow = made.next()
    if flow is None:
        return []
    taken: list[str] = []
    while len(taken) < batch and (item := flow.pop()) is not None:
        assert isinstance(item, str)
        taken.append(item)
    made.took(flow, len(taken))
    return taken


def all_of(made: Turns[str], batch: int = 1) -> str:
    return "".join(iter(lambda: "".join(take(made, batch)), ""))


def test_keys_take_turns_and_each_keeps_its_order() -> None:
    made = turns()
    put(made, A, *"12345")
    put(made, B, *"xyz")
    put(made, C, "!")
    assert all_of(made) == "1x!2y3z45"


def test_a_newcomer_waits_for_one_turn_of_each_other_key_at_most() -> None:
    made = turns()
    for number in range(20):
        put(made, lane_of(0, f"bulk {number}"), *["b"] * 100)
    for _ in range(777):
        take(made)
    put(made, A, "!")
    assert all_of(made).index("!") <= 20


def test_a_key_which_had_a_large_batch_waits_until_the_others_had_as_much() -> None:
    made = turns()
    put(made, A, *["a"] * 20)
    put(made, B, *["b"] * 30)
    assert take(made, 10) == ["a"] * 10
    order = [take(made, 10 if number == 10 else 1)[0] for number in range(11)]
    assert order == ["b"] * 10 + ["a"]


def test_weights_are_turns_for_one_of_the_others() -> None:
    made = turns(a=3)
    put(made, A, *["a"] * 300)
    put(made, B, *["b"] * 300)
    first = Counter("".join(take(made)[0] for _ in range(200)))
    assert first == {"a": 150, "b": 50}


@pytest.mark.parametrize(("shares", "low", "high"), [((10, 90), 20, 180), ((1, 1), 100, 100)])
def test_classes_have_their_shares_while_both_have_mail(
    shares: tuple[int, int], low: int, high: int
) -> None:
    made = turns(shares)
    put(made, A, *["-"] * 300)
    put(made, lane_of(1, "a"), *["+"] * 300)
    taken = Counter("".join(take(made)[0] for _ in range(200)))
    assert abs(taken["-"] - low) <= 1
    assert abs(taken["+"] - high) <= 1


def test_a_class_without_a_share_waits_for_all_others() -> None:
    made = turns((0, 100))
    put(made, A, *"---")
    take(made)
    put(made, lane_of(1, ""), *"++")
    assert all_of(made) == "++--"


def test_what_a_class_does_not_use_it_is_not_owed_later() -> None:
    made = turns((50, 50))
    put(made, A, *["-"] * 100)
    put(made, lane_of(1, ""), "+")
    for _ in range(60):
        take(made)
    put(made, lane_of(1, ""), *["+"] * 100)
    assert all_of(made)[:20].count("-") >= 9


def test_an_urgent_message_goes_first_when_its_class_was_idle() -> None:
    made = turns()
    put(made, A, *["-"] * 100)
    for _ in range(50):
        take(made)
    put(made, lane_of(1, ""), "+")
    assert take(made) == ["+"]


def test_a_priority_beyond_the_shares_is_the_highest_there_is() -> None:
    made = turns((0, 100))
    put(made, lane_of(1, ""), "+")
    put(made, lane_of(CLASSES + 5, ""), "+")
    put(made, A, "-")
    put(made, lane_of(-3, ""), "-")
    assert all_of(made) == "++--"


def test_nobody_gains_by_coming_and_going() -> None:
    made = turns()
    put(made, B, *["b"] * 100)
    taken = ""
    for _ in range(100):
        put(made, A, "a")  # One by one, never two at a time.
        taken += take(made)[0]
        if taken.endswith("b"):
            continue
    assert abs(taken.count("a") - taken.count("b")) <= 1


def test_very_many_keys_share_flows_and_lose_nothing() -> None:
    made = turns()
    count = FLOWS + 5 * CROWD
    for number in range(count):
        put(made, lane_of(number % 2, f"key {number}"), "x")
    assert len(made) <= FLOWS + 2 * CROWD
    assert all_of(made) == "x" * count
    assert made.next() is None
    assert len(made) == 0


def test_ids_lie_in_arrays_and_come_in_order() -> None:
    fifo: Fifo[str] = Fifo()
    count = 3 * CHUNK + 7
    for ident in range(count):
        fifo.append_id(ident)
        if ident == CHUNK // 2:
            fifo.inbox.append("object")
    assert len(fifo.inbox) < 10
    order = list(iter(fifo.pop, None))
    assert order.pop(CHUNK // 2 + 1) == "object"
    assert order == list(range(count))
    assert fifo.empty


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("put"), st.integers(0, 3), st.integers(0, 5)),
            st.tuples(st.just("take"), st.integers(1, 4), st.just(0)),
        ),
        max_size=150,
    ),
    st.sampled_from([(1,), (10, 90), (0, 100), (1, 2, 3, 4)]),
)
def test_each_comes_once_and_in_the_order_of_its_lane(
    steps: list[tuple[str, int, int]], shares: tuple[int, ...]
) -> None:
    made: Turns[tuple[int, int]] = Turns(shares, {})
    waiting: dict[int, deque[tuple[int, int]]] = {}
    for number, (step, first, second) in enumerate(steps):
        if step == "put":
            lane = lane_of(first, str(second))
            made.flow(lane).inbox.append((lane, number))
            waiting.setdefault(lane, deque()).append((lane, number))
            continue
        flow = made.next()
        assert (flow is None) == (not any(waiting.values()))
        count = 0
        while flow is not None and count < first and (item := flow.pop()) is not None:
            assert isinstance(item, tuple)
            assert waiting[item[0]].popleft() == item
            count += 1
        if flow is not None:
            made.took(flow, count)


class Market:
    """Keys which bring mail at random to a row of servers, on a clock of their own."""

    def __init__(self, random: Random, weights: tuple[int, ...]) -> None:
        self.random = random
        self.keys = random.randint(2, 40)
        self.weights = {f"k{number}": random.choice(weights) for number in range(self.keys)}
        self.made: Turns[tuple[str, float]] = Turns(
            (1,), {lane_of(0, key): weight for key, weight in self.weights.items()}
        )
        self.waiting: Counter[str] = Counter()
        self.order: list[str] = []  # of all that were taken

    def bring(self, key: str, count: int) -> None:
        flow = self.made.flow(lane_of(0, key))
        flow.inbox.extend([(key, len(self.order))] * count)
        self.waiting[key] += count

    def serve(self) -> tuple[str, int]:
        """Serve one; return its key and how many were served while it waited."""
        flow = self.made.next()
        assert flow is not None
        item = flow.pop()
        assert isinstance(item, tuple)
        key, since = item[0], int(item[1])
        self.made.took(flow, 1)
        self.waiting[key] -= 1
        waited = len(self.order) - since
        self.order.append(key)
        return key, waited

    def active(self) -> list[str]:
        return [key for key, count in self.waiting.items() if count]


@pytest.mark.torture
@pytest.mark.parametrize("weights", [(1,), (1, 1, 2, 5)])
def test_a_single_message_starts_within_two_rounds_of_the_keys(
    seeds: Seeds, tally: Counter[str], weights: tuple[int, ...]
) -> None:
    """The promise: 2 x active keys x the mean time of service, whatever the others have queued.

    Where keys have weights, a round of a key is its weight in turns of ours.
    """
    for seed in seeds(100, 5000):
        market = Market(Random(seed), weights)
        for number in range(1, market.keys):
            market.bring(f"k{number}", market.random.choice((1, 10, 1000)))
        for _ in range(20):
            for _ in range(market.random.randint(0, 50)):
                if market.active():
                    market.serve()
            market.bring("k0", 1)
            active = set(market.active())
            while market.waiting["k0"]:
                key, waited = market.serve()
                if key == "k0":
                    ours = market.weights["k0"]
                    assert waited <= sum(market.weights[each] / ours + 1 for each in active)
                    tally["single messages"] += 1
                if market.random.random() < 0.3:  # Meanwhile others bring more.
                    other = f"k{market.random.randrange(1, market.keys)}"
                    market.bring(other, 5)
                    active.add(other)


@pytest.mark.torture
def test_keys_which_always_have_mail_get_what_their_weights_say(seeds: Seeds) -> None:
    for seed in seeds(20, 500):
        market = Market(Random(seed), (1, 1, 2, 5))
        served: Counter[str] = Counter()
        for key in market.weights:
            market.bring(key, 1000)
        for _ in range(20 * sum(market.weights.values())):
            served[market.serve()[0]] += 1
        for key, weight in market.weights.items():
            assert abs(served[key] - 20 * weight) <= 2 * weight
