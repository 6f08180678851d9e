"""Acts on many entries end with each of them where it belongs, and nowhere twice."""

from angarium.queue.bulk import Suspensions, Tally, Where, fail, flush, move, search
from angarium.queue.entry import Entry
from helpers.queues import Queues


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


def run(queues: Queues) -> None:
    while queues.board.work():
        pass


def test_fail_ends_what_matches_and_nothing_else() -> None:
    queues, tally = stocked(), Tally()
    a = queues.board.line("default", "default", "a.test")
    b = queues.board.line("default", "default", "b.test")
    queues.board.begin(fail(queues.board, Where(domain="b.test").matches, queues.end, tally))
    run(queues)
    assert (tally.entries, tally.finished) == (5, True)
    assert queues.counts(b) == (0, 0, 0)
    assert queues.counts(a) == (3, 2, 0)
    assert len(queues.spool.live) == 5
    assert (queues.board.in_flight, len(queues.board.timer)) == (0, 2)


def test_fail_can_choose_among_what_matches() -> None:
    queues, tally = stocked(), Tally()
    wanted = sorted(queues.spool.live)[::2]
    job = fail(queues.board, Where().matches, queues.end, tally, chosen=wanted.__contains__)
    queues.board.begin(job)
    run(queues)
    assert tally.entries == len(wanted)
    assert not set(wanted) & set(queues.spool.live)


def test_what_is_moved_stays_due_when_it_was_though_the_clock_was_set_back() -> None:
    queues = Queues()
    line = queues.put("a.test")
    [entry] = line.take(1)
    queues.defer(entry, 60)
    queues.clock.set(queues.clock.time() - 3600.0)
    queues.later(1.0)
    queues.board.begin(move(queues.board, Where().matches, "g", "b1", Tally()))
    run(queues)
    moved = queues.board.line("g", "b1", "a.test")
    assert (line.delayed, moved.delayed) == (0, 1)
    queues.later(61.0)
    assert queues.board.line("g", "b1", "a.test").active == 1


def test_what_cannot_be_read_is_not_ended() -> None:
    queues, tally = stocked(), Tally()
    broken = min(queues.spool.live)
    queues.spool.broken.add(broken)
    queues.board.rooms.keep_nothing(True)
    queues.board.begin(fail(queues.board, Where().matches, queues.end, tally))
    run(queues)
    assert tally.failed == [broken]
    assert list(queues.spool.live) == [broken]
    assert len(queues.board.timer) == 1


def test_the_end_of_a_job_is_told() -> None:
    queues, told = stocked(), list[str]()
    tally = Tally(then=lambda: told.append("over"))
    queues.board.begin(flush(queues.board, Where(domain="none.test").matches, tally))
    run(queues)
    assert (told, tally.entries) == (["over"], 0)


def test_flush_makes_delayed_mail_active_once() -> None:
    queues, tally = stocked(), Tally()
    queues.board.begin(flush(queues.board, Where(domain="b.test").matches, tally))
    run(queues)
    line = queues.board.line("default", "default", "b.test")
    assert (tally.entries, queues.counts(line)) == (2, (5, 0, 0))
    assert queues.demands == [line]
    # The time at which it would have been due passes without bringing it a second time.
    entries: list[Entry] = []
    while batch := line.take(1):
        entries += batch
    queues.jump(100_000)
    assert (len(entries), queues.counts(line)) == (5, (0, 0, 5))


def test_flush_brings_mail_of_a_vanished_binding_home() -> None:
    queues = Queues()
    (entry,) = queues.put("a.test", binding="b1").take(1)
    queues.defer(entry, 600)
    queues.configuration.names.remove(("g", "b1"))
    queues.restart()
    queues.board.begin(flush(queues.board, Where().matches, Tally()))
    run(queues)
    line = queues.board.line("default", "default", "a.test")
    assert queues.counts(line) == (1, 0, 0)
    assert [each[0] for each in queues.spool.rebound] == [entry.id]


def test_move_takes_active_and_delayed_to_another_binding() -> None:
    queues, tally = stocked(), Tally()
    queues.board.begin(move(queues.board, Where(domain="a.test").matches, "g", "b2", tally))
    run(queues)
    old = queues.board.line("default", "default", "a.test")
    new = queues.board.line("g", "b2", "a.test")
    assert (tally.entries, queues.counts(old), queues.counts(new)) == (5, (0, 0, 0), (3, 2, 0))
    assert {entry.line for entry in new.take(1)} == {new}
    queues.jump(601)
    assert queues.counts(new) == (4, 0, 1)


def test_search_visits_each_entry_and_changes_nothing() -> None:
    queues, seen = stocked(), list[tuple[int, bool]]()
    queues.board.begin(search(queues.board, Where().matches, lambda *each: seen.append(each)))
    run(queues)
    assert sorted(ident for ident, _ in seen) == sorted(queues.spool.live)
    assert sum(delayed for _, delayed in seen) == 4
    assert queues.counts(queues.board.line("default", "default", "a.test")) == (3, 2, 0)


def test_a_suspension_holds_for_lines_made_later() -> None:
    queues = Queues()
    suspensions = Suspensions(queues.board)
    old = queues.put("a.test")
    suspensions.suspend(Where(domain="a.test"))
    suspensions.suspend(Where(binding="b1"))
    run(queues)
    assert old.take(1) == []
    assert queues.put("a.test", binding="b1").take(1) == []
    assert len(queues.put("b.test").take(1)) == 1
    assert list(suspensions) == [Where(domain="a.test"), Where(binding="b1")]
    queues.demands.clear()
    assert suspensions.resume(Where(domain="a.test"))
    assert not suspensions.resume(Where(domain="a.test"))
    run(queues)
    assert queues.demands == [old]
    assert queues.put("a.test", binding="b1").take(1) == []


def test_mail_which_comes_due_during_a_job_is_not_missed() -> None:
    queues, tally = stocked(), Tally()
    queues.board.give_up = None
    job = fail(queues.board, Where().matches, queues.end, tally)
    next(job)
    queues.board.beat.slice_seconds = 0.0
    queues.jump(100_000)
    for _ in job:
        queues.board.work()
    assert tally.entries == 10
    assert queues.spool.live == {}
