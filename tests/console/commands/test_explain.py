"""How reasons are told: what holds back comes first, with the time at which it ends."""

from angarium.console.commands.explain import _expected, host_lines, queue_lines, reason_lines, when
from angarium.console.questions.reasons import Letter, Limit, Queue, Reason, Seen

NOW = 1_700_000_000.0


def test_obstacles_come_before_what_goes_on() -> None:
    found = [Reason("sending", "2 are sent"), Reason("throttled", "it is", NOW + 5)]
    first, second = reason_lines(found, NOW)
    assert first.startswith("Waits: it is, until ")
    assert first.endswith("(in 5 s)")
    assert second == "2 are sent".capitalize()


def test_an_entry_is_expected_when_the_last_obstacle_ends() -> None:
    def expected(*reasons: Reason) -> str:
        queue = Queue(reasons=list(reasons))
        return _expected(Letter(1, "waiting", "g", "b", "a.test", queue=queue), NOW)

    assert expected() == "at once, when those before it are done"
    assert expected(Reason("sending", "x")) == "at once, when those before it are done"
    assert expected(Reason("a", "x", NOW + 5), Reason("b", "y", NOW + 9)).endswith("(in 9 s)")
    assert "nobody knows" in expected(Reason("a", "x", NOW + 5), Reason("suspended", "y"))


def test_a_queue_tells_limits_hosts_and_what_is_due() -> None:
    queue = Queue(
        0, 3, 0, failures=2, limits=[Limit("line:x", 1, 2), Limit("cap:y", 0, -1)],
        hosts=[Seen("b", "192.0.2.2", 25, 20), Seen("a", "192.0.2.1", 25, 10, NOW + 60, 1)],
    )  # fmt: skip
    lines = list(queue_lines(queue, NOW + 30, NOW))
    assert "Limit: max_outbound_connections of the queue, 1 of 2 in use" in lines[3]
    assert [each.split()[2] for each in lines[-2:]] == ["a", "b"]
    assert "left alone until" in lines[-2]
    bare = Seen("c", "192.0.2.3", 25, 30, bare_until=NOW + 60, bare="unexpected eof")
    [_, told] = host_lines([bare], "", NOW)
    assert told.startswith("    It is spoken to in clear until ")
    assert told.endswith(": unexpected eof")
    assert when(0.0, NOW) == "not known"
    assert when(NOW - 3, NOW).endswith("(3 s ago)")
    assert "  It is empty." in list(queue_lines(Queue(), 0.0, NOW))
