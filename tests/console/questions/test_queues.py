"""How much waits in which queue."""

from pathlib import Path
from types import SimpleNamespace

from angarium.console.questions import queues as asked
from angarium.console.questions.queues import Size, Sum
from angarium.queue.choice import Choice
from angarium.queue.idle import IDLE_SECONDS
from angarium.queue.tally import Tally
from helpers.mail import ended, worker
from helpers.queues import Queues


def test_a_queue_is_counted_with_what_is_in_attempts(tmp_path: Path) -> None:
    queues = Queues()
    line = queues.put("a.test", "a.test")
    queues.put("b.test", binding="b1")
    queues.defer(line.take(1)[0], 600)
    line.take(1)
    table = ended(asked.sizes.function(worker(queues, tmp_path), Choice()))
    assert table.rows == {
        "default\tdefault\ta.test": Size(active=1, delayed=1, resident=1),
        "g\tb1\tb.test": Size(active=1, resident=1),
    }
    table = ended(asked.sizes.function(worker(queues, tmp_path), Choice(binding="b1")))
    assert list(table.rows) == ["g\tb1\tb.test"]


def test_delayed_mail_counts_where_its_line_is_gone(tmp_path: Path) -> None:
    queues = Queues()
    line = queues.put("a.test")
    queues.defer(line.take(1)[0], 600)
    queues.board.lines.clear()
    table = ended(asked.sizes.function(worker(queues, tmp_path), Choice()))
    assert table.rows == {"default\tdefault\ta.test": Size(delayed=1)}


def test_bindings_are_summed_with_what_became_of_their_mail(tmp_path: Path) -> None:
    queues = Queues()
    queues.put("a.test")
    queues.put("b.test")
    parts = worker(queues, tmp_path)
    queues.board.tallies.freed(("g", "b1", "c.test"), Tally(9, 7, 2))
    queues.board.line("g", "b1", "d.test").sent = 1
    table = ended(asked.bindings.function(parts))
    assert table.rows == {
        "default\tdefault": Sum(active=2, resident=2, received=2),
        "g\tb1": Sum(sent=8, failed=2, received=9),
        "g\tb2": Sum(),
    }
    assert (table + table).rows["g\tb1"] == Sum(sent=16, failed=4, received=18)


def test_what_was_sent_counts_while_there_is_a_queue(tmp_path: Path) -> None:
    queues = Queues()
    line = queues.put("a.test")
    line.sent, line.failed = 5, 2
    queues.end(line.take(1)[0])
    asking = worker(queues, tmp_path)
    table = ended(asked.sizes.function(asking, Choice()))
    assert table.rows == {"default\tdefault\ta.test": Size(sent=5, failed=2)}
    queues.later(2 * IDLE_SECONDS + 1)
    assert ended(asked.sizes.function(asking, Choice())).rows == {}


def test_connections_of_clients_are_listed(tmp_path: Path) -> None:
    parts = worker(Queues(), tmp_path)
    used = SimpleNamespace(fileno=lambda: 7)
    transport = SimpleNamespace(get_extra_info=lambda name: used)
    client = SimpleNamespace(
        transport=transport,
        origin=SimpleNamespace(source="192.0.2.1:25"),
        phase="x",
        quiet_seconds=0.5,
    )
    parts.services.sessions = [client, SimpleNamespace(transport=None)]
    page = ended(asked.inbound.function(parts, 10))
    assert [(each.descriptor, each.endpoint, each.state) for each in page.items] == [
        (7, "192.0.2.1:25", "x")
    ]


def test_connections_to_hosts_are_those_of_the_queues_which_are_meant(tmp_path: Path) -> None:
    queues = Queues()
    parts = worker(queues, tmp_path)
    session = SimpleNamespace(
        descriptor=9, resting=True, quiet_seconds=1.0, mails=3,
        hop=SimpleNamespace(host="mx.a.test", address="192.0.2.7"),
    )  # fmt: skip
    outlet = SimpleNamespace(line=queues.board.line("g", "b1", "a.test"), connections=[session])
    parts.pool.outlets = [outlet]
    page = ended(asked.outbound.function(parts, Choice(domain="a.test"), 10))
    assert (page.items[0].host, page.items[0].state) == ("mx.a.test", "idle")
    assert not ended(asked.outbound.function(parts, Choice(domain="b.test"), 10)).items
