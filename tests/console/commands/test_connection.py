"""Who is connected."""

from pathlib import Path
from types import SimpleNamespace

from angarium.console.commands.connection import family
from angarium.wire.smtp_transaction import Stage
from helpers.consoles import FakeServer, Talk
from helpers.mail import worker
from helpers.queues import Queues


async def test_connections_are_listed_as_momentum_does(tmp_path: Path) -> None:
    server, queues = FakeServer(tmp_path, ""), Queues()
    parts = server.node.parts["worker 0"] = worker(queues, tmp_path)
    used = SimpleNamespace(fileno=lambda: 7)
    client = SimpleNamespace(
        transport=SimpleNamespace(get_extra_info=lambda name: used),
        origin=SimpleNamespace(source="192.0.2.1:4711"),
        phase="between transactions",
        quiet_seconds=0.25,
    )
    parts.services.sessions = [client]
    session = SimpleNamespace(
        descriptor=9, resting=False, stage=Stage.RCPT, quiet_seconds=1.0, mails=3,
        hop=SimpleNamespace(host="mx.a.test", address="2001:db8::1"),
    )  # fmt: skip
    line = queues.board.line("g", "b1", "a.test")
    parts.pool.outlets = [SimpleNamespace(line=line, connections=[session])]
    talk = Talk(server)
    assert await talk.say("show inbound") == (
        "7: [inbound/esmtp] IPv4 192.0.2.1:4711 between transactions (for 0.250s)"
    )
    assert await talk.say("show outbound") == (
        "9: [outbound/smtp] mx.a.test IPv6 2001:db8::1 b1/a.test after RCPT TO (for 1.000s)"
    )
    assert (await talk.plain("show outbound"))["total"] == 1


def test_families_are_told_by_the_form_of_the_address() -> None:
    assert [family(each) for each in ("192.0.2.1", "192.0.2.1:25", "[::1]:25", "::1")] == [
        "IPv4", "IPv4", "IPv6", "IPv6",
    ]  # fmt: skip
