"""Chosen mail is found and acted on in steps; each entry stays in one place whatever happens."""

from collections import Counter
from collections.abc import Callable, Iterator
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from angarium.core.body import MemoryBody
from angarium.core.message import Message
from angarium.queue.acts import Fail, Flush, Hold, Move
from angarium.queue.choice import Choice
from angarium.queue.entry import Entry
from angarium.queue.errand import Act, Errand, Means
from angarium.queue.spool.slot import route_of
from helpers.queues import Queues


class Hands:
    """Attempts, as connections make them."""

    def __init__(self, queues: Queues) -> None:
        self.queues = queues
        self.entries: list[Entry] = []

    def take(self, random: Random) -> None:
        for line in list(self.queues.board.lines.values()):
            if random.random() < 0.5:
                self.entries += line.take(2)

    def settle(self, random: Random) -> None:
        for entry in self.entries:
            if random.random() < 0.4:
                self.queues.end(entry)
            elif random.random() < 0.5:
                self.queues.defer(entry, random.choice((0, 5, 600, 50_000)))
            else:
                entry.line.put_back([entry])
        self.entries.clear()

    def ids(self) -> list[int]:
        return [each.id for each in self.entries]


def stocked() -> Queues:
    """Return two delayed and three active entries in each of a.test and b.test."""
    queues = Queues(max_resident_active_queue=1)
    for domain in ("a.test", "b.test"):
        line = queues.put(domain, domain)
        for entry in line.take(2):
            queues.defer(entry, 600 if domain == "a.test" else 50_000)
        for _ in range(3):
            queues.put(domain)
    queues.demands.clear()
    return queues


def errand(queues: Queues, choice: Choice, hands: Hands | None = None) -> Errand:
    held = hands or Hands(queues)
    return Errand(queues.board, choice, Means(lambda: [queues.spool.live], held.ids))


def fail(queues: Queues) -> Fail:
    return Fail(queues.board, queues.end, lambda: True)


def run(queues: Queues, choice: Choice, act: Act) -> int:
    made = errand(queues, choice)
    for _ in made.run(act):
        pass
    sound(queues)
    return made.done


def sound(queues: Queues, hands: Hands | None = None) -> None:
    """Every entry is in one place, and all counts are those of what they count."""
    board = queues.board
    places = Counter[int]()
    for slot in board.timer.members():
        places.update(slot)
    delayed = dict(places)
    for line in board.lines.values():
        for piece in line.members():
            places.update(piece)
        assert (line.active, line.resident) == line.counted()
    held = hands.ids() if hands else []
    places.update(held)
    assert dict(places) == dict.fromkeys(queues.spool.live, 1)
    routes = Counter(route_of(queues.spool.live[ident]) for ident in delayed)
    assert {n: count for n, count in enumerate(board.later.counts) if count} == dict(routes)
    assert board.in_flight == len(held)
    resident = sum(line.resident for line in board.lines.values())
    assert board.resident == resident + len(held) + len(board.rooms.kept)
    assert not board.beat.busy


def sizes(queues: Queues, domain: str) -> tuple[int, int, int]:
    return queues.counts(queues.board.line("default", "default", domain))


def test_fail_ends_what_is_meant_and_nothing_else() -> None:
    queues = stocked()
    assert run(queues, Choice(domain="b.test"), fail(queues)) == 5
    assert sizes(queues, "b.test") == (0, 0, 0)
    assert sizes(queues, "a.test") == (3, 2, 0)


def test_a_filter_chooses_among_the_mail_of_a_queue() -> None:
    queues = stocked()
    queues.clock.advance(100.0)
    queues.put("b.test")
    assert run(queues, Choice(age=50, domain="b.test"), fail(queues)) == 5
    assert run(queues, Choice(attempts=1), fail(queues)) == 2
    assert sizes(queues, "b.test") == (1, 0, 0)


def test_the_envelope_and_the_content_choose() -> None:
    queues = stocked()
    odd = Message("news@example.org", MemoryBody(b"X-Kind: bulk\r\n\r\nX-Kind: no\r\n"))
    odd.variables["k"] = "v"
    queues.put("a.test", message=odd)
    [ident] = found(queues, Choice(sender="n*"))
    assert [*found(queues, Choice(header=("x-kind", "bulk")))] == [ident]
    assert len([*found(queues, Choice(meta=("k", "v")))]) == 0  # The copy which is read has none.
    assert len([*found(queues, Choice(recipient="u@a.test"))]) == 6
    assert not [*found(queues, Choice(header=("X-Kind", "no")))]


def found(queues: Queues, choice: Choice) -> Iterator[int]:
    for each in errand(queues, choice).look():
        if isinstance(each, list):
            yield from each


def test_single_entries_are_found_where_they_are() -> None:
    queues = stocked()
    for ident in sorted(queues.spool.live):
        assert run(queues, Choice(idents=[ident]), fail(queues)) == 1
    assert not queues.spool.live
    assert run(queues, Choice(idents=[4711]), fail(queues)) == 0


def test_what_an_attempt_has_is_left_to_it() -> None:
    queues = stocked()
    hands = Hands(queues)
    hands.entries += queues.board.line("default", "default", "a.test").take(1)
    made = errand(queues, Choice(idents=hands.ids()), hands)
    assert not [*made.run(fail(queues))] or made.done == 0
    sound(queues, hands)


def test_flush_makes_what_is_delayed_active_and_offers_it() -> None:
    queues = stocked()
    assert run(queues, Choice(domain="a.test"), Flush(queues.board)) == 2
    assert sizes(queues, "a.test") == (5, 0, 0)
    assert [line.domain for line in queues.demands] == ["a.test"]


def test_flush_ends_the_pause_of_a_line() -> None:
    queues = stocked()
    line = queues.board.line("default", "default", "a.test")
    queues.board.pause(line, 600, "nobody there")
    run(queues, Choice(domain="a.test"), Flush(queues.board))
    assert not line.closed


def test_hold_delays_what_is_active_without_an_attempt() -> None:
    queues = stocked()
    assert run(queues, Choice(domain="a.test"), Hold(queues.board, 300)) == 3
    assert sizes(queues, "a.test") == (0, 5, 0)
    queues.later(301)
    assert sizes(queues, "a.test") == (3, 2, 0)
    taken = queues.board.line("default", "default", "a.test").take(1)
    assert [each.attempts for each in taken] == [0]


def test_what_is_moved_stays_due_when_it_was() -> None:
    queues = stocked()
    act = Move(queues.board, lambda key: (key[0], key[1], "c.test"))
    assert run(queues, Choice(domain="a.test"), act) == 5
    assert sizes(queues, "c.test") == (3, 2, 0)
    assert act.moved == 5
    queues.later(601)
    assert sizes(queues, "c.test") == (5, 0, 0)


def test_what_is_on_its_way_already_is_not_moved() -> None:
    queues = stocked()
    act = Move(queues.board, lambda key: (key[0], key[1], "c.test"))
    assert run(queues, Choice(), act) == 10
    again = Move(queues.board, lambda key: (key[0], key[1], "c.test"))
    assert run(queues, Choice(), again) == 10
    assert again.moved == 0


def test_what_cannot_be_read_is_not_ended() -> None:
    queues = stocked()
    broken = min(queues.spool.live)
    queues.spool.broken.add(broken)
    queues.board.rooms.keep_nothing(True)
    assert run(queues, Choice(), fail(queues)) == 9
    assert list(queues.spool.live) == [broken]


def test_what_is_damaged_is_put_aside() -> None:
    queues = stocked()
    queues.spool.damaged.update(queues.spool.live)
    queues.board.rooms.keep_nothing(True)
    for line in queues.board.lines.values():
        line.destage()
    assert run(queues, Choice(), fail(queues)) == 0
    assert len(queues.spool.isolated) == 10


def test_who_cannot_make_more_reports_is_waited_for() -> None:
    queues, room = stocked(), [False]
    steps = errand(queues, Choice()).run(Fail(queues.board, queues.end, lambda: room[0]))
    assert any(isinstance(next(steps), float) for _ in range(100))
    assert len(queues.spool.live) == 10
    room[0] = True
    assert [*steps]
    assert not queues.spool.live


def test_a_binding_which_vanishes_meanwhile_gives_its_mail_to_the_default_one() -> None:
    queues = Queues()
    for _ in range(100):
        queues.put("a.test", binding="b1")
    steps = errand(queues, Choice(binding="b1")).run(Fail(queues.board, queues.end, lambda: True))
    for _ in range(3):
        next(steps)
    queues.configuration.names = [("default", "default")]
    queues.configuration.generation += 1
    queues.board.configure(queues.configuration)
    while queues.board.work():
        pass
    steps.close()
    while queues.board.work():
        pass
    assert not [
        line for line in queues.board.lines.values() if line.binding == "b1" and line.active
    ]
    assert sizes(queues, "a.test")[0] == len(queues.spool.live)
    sound(queues)


ACTS: dict[str, Callable[[Queues], Act]] = {
    "fail": fail,
    "flush": lambda queues: Flush(queues.board),
    "hold": lambda queues: Hold(queues.board, 30),
    "move": lambda queues: Move(queues.board, lambda key: (key[0], key[1], "b.test")),
}
CHOICES = [Choice(), Choice(domain="a*"), Choice(attempts=1), Choice(sender="a@*"), Choice(age=2)]


@given(st.integers(0, 1 << 32), st.sampled_from(sorted(ACTS)), st.integers(0, len(CHOICES) - 1))
def test_whatever_happens_between_the_steps_every_entry_stays_in_one_place(
    seed: int, name: str, which: int
) -> None:
    random = Random(seed)
    queues = Queues(max_resident_active_queue=random.choice((1, 5, -1)))
    hands = Hands(queues)
    for number in range(random.randrange(5, 60)):
        queues.put(random.choice(("a.test", "b.test", "ab.test")))
        if number % 7 == 0:
            hands.take(random)
            hands.settle(random)
    made = errand(queues, CHOICES[which], hands)
    before = len(queues.spool.live)
    steps, stop = made.run(ACTS[name](queues)), random.randrange(200)
    ended = 0
    for number, _ in enumerate(steps):
        if number == stop:
            steps.close()
            break
        if random.random() < 0.3:
            hands.take(random)
        if random.random() < 0.3:
            left = len(queues.spool.live)
            hands.settle(random)
            ended += left - len(queues.spool.live)
        if random.random() < 0.2:
            queues.later(1.0)
    while queues.board.work():
        pass
    sound(queues, hands)
    if name == "fail":
        assert len(queues.spool.live) == before - ended - made.done
