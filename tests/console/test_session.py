"""A session does one command after the other, and each is accounted for."""

import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from angarium.config.load import load_snapshot
from angarium.console.errors import RefusedError, UnknownError
from angarium.console.session import MAX_LOGGED, Session
from helpers.consoles import OPERATOR, VIEWER, FakeServer, Talk


@pytest.fixture
def server(tmp_path: Path) -> FakeServer:
    return FakeServer(tmp_path, 'hostname = "a.test"\n')


async def test_each_command_is_accounted_for_with_what_came_of_it(server: FakeServer) -> None:
    talk = Talk(server)
    await talk.say("config  get   hostname")
    await talk.fails("config get hostnam")
    await talk.fails("confg get hostname secret")
    await talk.say("  ")
    assert server.accounts == [
        ("alice", "config get hostname", 1),
        ("alice", "config get hostnam", -1),
        ("alice", "confg get", -1),
    ]


async def test_who_may_only_look_may_not_change(server: FakeServer) -> None:
    talk = Talk(server, VIEWER)
    assert await talk.say("config get hostname") == 'hostname = "a.test"'
    assert await talk.fails("config set hostname b.test") == "Not Authorized for this command"
    assert server.accounts[-1] == ("victor", "config set hostname = b.test", 0)
    assert server.live.number == 1


@pytest.mark.parametrize(
    "line",
    [
        "config set outbound_smtp_auth_pass hunter2",
        "config set domain x.test outbound_smtp_auth_pass = hunter2",
        "config set domain x.test outbound_smtp_auth_pass=hunter2",
        "config set outbound_smtp_auth_passs hunter2",
        "config set dmain x.test outbound_smtp_auth_pass hunter2",
        "config set",
        "confg set outbound_smtp_auth_pass hunter2",
        'config set outbound_smtp_auth_pass "hunter2',
    ],
)
async def test_no_secret_is_logged(server: FakeServer, line: str) -> None:
    await Talk(server, OPERATOR).session.ask(line)
    assert "hunter2" not in server.accounts[-1][1]


async def test_what_is_logged_is_bounded(server: FakeServer) -> None:
    await Talk(server).session.ask("config get " + "x" * 100_000)
    assert len(server.accounts[-1][1]) <= MAX_LOGGED


async def test_a_bug_in_a_command_is_accounted_for_as_a_failure(
    server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "live", None)
    with pytest.raises(AttributeError):
        await Talk(server).session.ask("config get hostname")
    assert server.accounts[-1] == ("alice", "config get hostname", -1)


WORDS = st.sampled_from(
    [
        "config", "set", "get", "eval", "show", "showrecurse", "locate", "unset", "begin", "commit",
        "rollback", "replay", "rebase", "diff", "history", "help", "from", "scratch", "hostname",
        "domain", "x.test", "binding", "b", "esmtp_listener", "listen", ":25", "peer", "10.0.0.0/8",
        "retry_interval", "60", "=", "(", ")", "[", "]", '"', '\\"', "/(/", "a::b:", "{", "}", "#",
        "relay_hosts", "routes", "context", "\x00", "\ud800", "9" * 30, "ec_logger", "mainlog",
    ]
)  # fmt: skip
LINES = st.lists(WORDS | st.text(max_size=8), max_size=9).map(" ".join) | st.text(max_size=30)


@given(st.lists(LINES, min_size=1, max_size=6))
async def test_any_lines_are_answered_and_what_is_in_force_can_be_read(lines: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        server = FakeServer(Path(folder), 'hostname = "a.test"\n')
        talk = Talk(server)
        for line in lines:
            outcome = await talk.session.ask(line)
            assert not outcome.failed or str(outcome.result)
            json.dumps(outcome.result.plain())
        load_snapshot(server.live.snapshot)


def test_what_somebody_may_not_give_he_may_not_schedule(server: FakeServer) -> None:
    who = Session(server, VIEWER, server.node)
    who.check("config show")
    with pytest.raises(RefusedError):
        who.check("config set retry_interval 5")
    with pytest.raises(UnknownError):
        who.check("nonsense")
