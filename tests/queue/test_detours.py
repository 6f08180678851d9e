"""Under which domain mail is queued, when its own one is not to be used."""

from angarium.queue.detours import KNOWN_SECONDS, Detours
from angarium.queue.options import Shape
from helpers.queues import Queues


def shaped(**domains: Shape) -> Queues:
    """Return queues with options by domain: a is a.test."""
    queues = Queues()
    for name, shape in domains.items():
        queues.configuration.shapes["default", f"{name}.test"] = shape
    return queues


def of(detours: Detours, domain: str) -> str:
    return detours.of(("default", "default", domain))


def test_new_mail_goes_where_its_domain_says_and_no_further() -> None:
    queues = shaped(
        a=Shape.make(reroute_domain="b.test"),
        b=Shape.make(reroute_domain="a.test"),
        c=Shape.make(reroute_domain=""),
    )
    detours = queues.board.detours
    assert [of(detours, each) for each in ("a.test", "b.test", "c.test", "d.test")] == [
        "b.test",
        "a.test",
        "c.test",
        "d.test",
    ]


def test_what_waits_moves_and_keeps_its_order_and_its_lane() -> None:
    queues = Queues()
    board = queues.board
    first = queues.put("a.test")
    queues.put("a.test", message=queues.message("acme", 1))
    first.destage()
    queues.put("a.test")
    board.detours.roll(first, "x.test")
    while board.work():
        continue
    target = board.line("default", "default", "x.test")
    assert (first.active, target.active, target in queues.demands) == (0, 3, True)
    taken = [entry for _ in range(3) for entry in target.take(1)]
    assert [each.recipient.domain for each in taken] == ["x.test"] * 3
    assert [each.id for each in taken if each.lane == 0] == sorted(
        each.id for each in taken if each.lane == 0
    )
    assert {each[3] for each in queues.spool.rebound} == {"x.test"}


def test_what_was_learned_holds_for_a_time_and_until_the_next_configuration() -> None:
    queues = Queues()
    detours = queues.board.detours
    detours.roll(queues.put("a.test"), "x.test")
    assert of(detours, "a.test") == "x.test"
    queues.jump(KNOWN_SECONDS)
    assert of(detours, "a.test") == "a.test"
    detours.roll(queues.put("a.test"), "x.test")
    queues.board.configure(queues.configuration)
    assert of(detours, "a.test") == "a.test"


def test_a_domain_which_took_mail_over_does_not_hand_it_on() -> None:
    queues = Queues()
    detours = queues.board.detours
    detours.roll(queues.put("a.test"), "x.test")
    assert detours.may_roll(("default", "default", "a.test"))
    assert not detours.may_roll(("default", "default", "x.test"))


def test_rerouted_mail_is_rolled_up_as_that_of_the_other_domain() -> None:
    queues = shaped(a=Shape.make(reroute_domain="b.test"))
    detours = queues.board.detours
    detours.roll(queues.put("b.test"), "x.test")
    assert of(detours, "a.test") == "x.test"


def test_mail_which_comes_while_others_move_is_not_lost() -> None:
    queues = Queues()
    board = queues.board
    line = queues.put_many(3)
    board.detours.divert(line, "x.test")
    board.detours.divert(line, "x.test")
    queues.put("a.test")
    while board.work():
        continue
    target = board.line("default", "default", "x.test")
    assert line.active + target.active == 4
    board.detours.divert(line, "x.test")
    while board.work():
        continue
    assert (line.active, target.active) == (0, 4)


def test_delayed_mail_waits_where_its_domain_says() -> None:
    queues = shaped(
        a=Shape.make(delayed_reroute_domain="x.test"),
        x=Shape.make(delayed_reroute_domain="x.test"),
        b=Shape.make(delayed_reroute_domain=""),
    )
    lines = [queues.put(each) for each in ("a.test", "x.test", "b.test", "c.test")]
    assert [queues.board.detours.delayed(each) for each in lines] == [
        ("default", "default", "x.test"),
        None,
        None,
        None,
    ]


def test_what_comes_in_for_a_queue_which_is_delayed_goes_there_too() -> None:
    queues = shaped(a=Shape.make(delayed_reroute_domain="x.test"))
    line = queues.put("a.test")
    assert of(queues.board.detours, "a.test") == "a.test"
    queues.board.pause(line, 60.0, "nobody there")
    assert of(queues.board.detours, "a.test") == "x.test"
    queues.board.resume(line)
    assert of(queues.board.detours, "a.test") == "a.test"
