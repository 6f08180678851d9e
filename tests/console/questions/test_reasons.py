"""What workers say of one queue is one answer."""

from angarium.console.questions.reasons import (
    Domain,
    First,
    Limit,
    Queue,
    Reason,
    Seen,
    limit_name,
)


def test_counts_are_added_and_the_same_reason_is_told_once() -> None:
    reason = Reason("throttled", "it is")
    one = Queue(1, 2, 3, reasons=[reason], limits=[Limit("line:a", 2, 3)])
    both = one + Queue(4, 5, 6, reasons=[reason, Reason("paused", "so")], rate="1/2")
    assert (both.active, both.delayed, both.in_flight, both.rate) == (5, 7, 9, "1/2")
    assert [each.code for each in both.reasons] == ["throttled", "paused"]
    assert both.limits == [Limit("line:a", 2, 3)]


def test_that_all_mail_is_delayed_is_said_only_where_it_is_so_in_each_worker() -> None:
    delayed = Reason("delayed", "all of it")
    one = Queue(delayed=2, reasons=[delayed])
    assert (one + one).reasons == [delayed]
    assert (one + Queue(active=1)).reasons == []


def test_a_host_is_left_alone_as_long_as_any_worker_does() -> None:
    one = Queue(hosts=[Seen("mx", "192.0.2.1", 25, 10, 5.0, 1)])
    other = Queue(hosts=[Seen("mx", "192.0.2.1", 25, 10, 9.0, 2), Seen("b", "192.0.2.2", 25, 20)])
    assert (one + other).hosts == [
        Seen("mx", "192.0.2.1", 25, 10, 9.0, 3), Seen("b", "192.0.2.2", 25, 20),
    ]  # fmt: skip


def test_a_worker_that_knows_the_hosts_counts_more_than_one_that_does_not() -> None:
    known, unknown = Domain(hosts=[Seen("mx", "192.0.2.1", 25, 10)]), Domain(lookup="no answer")
    assert (known + unknown).lookup == (unknown + known).lookup == ""
    assert First(3.0) + First(2.0) == First(2.0)


def test_limits_are_named_as_the_configuration_does() -> None:
    assert limit_name("line:g/b/a.test") == "max_outbound_connections of the queue"
    assert limit_name("host:mx.a.test") == "max_outbound_connections of host mx.a.test"
    assert limit_name("cap:x") == "the limit of x"
