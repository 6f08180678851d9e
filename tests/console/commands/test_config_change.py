"""Transactions: isolated, whole or not at all, the first one wins."""

from pathlib import Path

import pytest

from angarium.console.server import Applied
from helpers.consoles import FakeServer, Talk

TEXT = """# ours
message_expiration = 86400  # a day
domain "example.com" {
  message_expiration = 900
}
"""


@pytest.fixture
def server(tmp_path: Path) -> FakeServer:
    return FakeServer(tmp_path, TEXT)


@pytest.fixture
def talk(server: FakeServer) -> Talk:
    return Talk(server)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("config set retry_interval 60", "retry_interval = 60"),
        ("config set Retry_Interval = 60", "retry_interval = 60"),
        ('config set Domain example.com max_retries "4"', "max_retries = 4"),
        (
            "config set Relay_Hosts ( 10.0.0.1 10.0.0.2 )",
            'relay_hosts = (\n  "10.0.0.1/32"\n  "10.0.0.2/32"\n)',
        ),
        ("config set binding b outbound_smtp_auth_pass x", "outbound_smtp_auth_pass = ***"),
        (
            "config unset domain example.com message_expiration",
            '"message_expiration" has been unset. Effective value is now:\n'
            "        message_expiration = 86400",
        ),
        ("config unset domain example.com", '"domain example.com" has been unset.'),
    ],
)
async def test_without_a_transaction_a_command_is_in_force_at_once(
    server: FakeServer, talk: Talk, line: str, said: str
) -> None:
    printed = await talk.say(line)
    assert printed.split("\nno")[0].splitlines()[: said.count("\n") + 1] == said.splitlines()
    assert server.live.number == 2
    assert server.path.read_text() == TEXT
    assert server.history.revisions()[-1].who == "alice"


async def test_a_single_change_comes_after_that_of_who_was_faster(
    server: FakeServer, talk: Talk, monkeypatch: pytest.MonkeyPatch
) -> None:
    apply = server.apply

    async def slower(snapshot: bytes, base: bytes, who: str, how: str) -> Applied:
        monkeypatch.setattr(server, "apply", apply)
        await Talk(server).say("config set max_retries 7")
        return await apply(snapshot, base, who, how)

    monkeypatch.setattr(server, "apply", slower)
    await talk.say("config set retry_interval 60")
    assert await talk.say("config show max_retries") == "max_retries = 7"
    assert await talk.say("config show retry_interval") == "retry_interval = 60"


async def test_what_changes_nothing_makes_no_generation(server: FakeServer, talk: Talk) -> None:
    assert await talk.say("config set message_expiration 86400") == "message_expiration = 86400"
    assert server.live.number == 1


async def test_a_transaction_is_seen_by_nobody_before_its_commit(
    server: FakeServer, talk: Talk
) -> None:
    other = Talk(server)
    await talk.say("config begin")
    await talk.say("config set retry_interval 60")
    await talk.say("config set domain new.test max_retries 3")
    assert await talk.say("config eval retry_interval") == "retry_interval = 60"
    assert await other.say("config eval retry_interval") == "retry_interval = 1200"
    assert await talk.plain("config replay") == [
        "config set retry_interval = 60",
        "config set domain new.test max_retries = 3",
    ]
    assert "global: retry_interval: not set -> 60" in await talk.say("config diff")
    await talk.say("config commit")
    assert server.live.number == 2
    assert await other.say("config eval retry_interval") == "retry_interval = 60"
    assert talk.session.transaction is None


@pytest.mark.parametrize("word", ["rollback", "revert"])
async def test_a_transaction_can_be_dropped(server: FakeServer, talk: Talk, word: str) -> None:
    await talk.say("config begin")
    await talk.say("config set retry_interval 60")
    await talk.say(f"config {word}")
    assert server.live.number == 1
    assert await talk.say("config eval retry_interval") == "retry_interval = 1200"


async def test_the_first_to_commit_wins_and_the_other_may_go_on_from_there(
    server: FakeServer, talk: Talk
) -> None:
    other = Talk(server)
    for each in (talk, other):
        await each.say("config begin")
    await talk.say("config set retry_interval 60")
    await other.say("config set max_retries 7")
    await talk.say("config commit")
    why = await other.fails("config commit")
    assert "by alice (config commit)" in why
    assert "global: retry_interval: not set -> 60" in why
    assert "config rebase" in why
    assert server.live.number == 2
    assert await other.say("config replay") == "config set max_retries = 7"
    assert await other.say("config rebase") == "config set max_retries = 7"
    await other.say("config commit")
    assert await talk.say("config eval retry_interval") == "retry_interval = 60"
    assert await talk.say("config eval max_retries") == "max_retries = 7"


async def test_secrets_of_a_transaction_survive_a_rebase(server: FakeServer, talk: Talk) -> None:
    await talk.say("config begin")
    await talk.say("config set outbound_smtp_auth_pass hunter2")
    assert "hunter2" not in await talk.say("config replay")
    await Talk(server).say("config set retry_interval 60")
    await talk.say("config rebase")
    await talk.say("config commit")
    assert server.live.configuration.root.values["outbound_smtp_auth_pass"] == "hunter2"


async def test_a_refused_commit_leaves_the_transaction_open(server: FakeServer, talk: Talk) -> None:
    await talk.say("config begin")
    await talk.say("config set memory_goal 99")
    await talk.say("config set memory_hwm 50")
    assert "memory_goal (99) is above memory_hwm (50)" in await talk.fails("config commit")
    await talk.say("config set memory_goal 40")
    server.refusal = "worker 0: no"
    assert await talk.fails("config commit") == "worker 0: no"
    assert server.live.number == 1
    server.refusal = ""
    await talk.say("config commit")
    assert server.live.number == 2


async def test_from_scratch_begins_with_nothing(server: FakeServer, talk: Talk) -> None:
    await talk.say("config begin from scratch")
    assert await talk.say("config show") == ""
    await talk.say("config set max_retries 7")
    assert "it was begun from scratch" in await talk.fails("config rebase")
    await talk.say("config commit")
    assert await talk.say("config show") == "max_retries = 7"


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("config set", "an option and its value are missing"),
        ("config set retry_interval", "the value of retry_interval is missing"),
        ("config set retry_interval soon", "retry_interval"),
        ("config set retry_interval 60 70", "no value"),
        ("config set retry_intervall 60", "did you mean retry_interval?"),
        ("config unset", "the whole configuration cannot be unset"),
        ("config unset max_retries", "max_retries is not set there"),
        ("config unset domain nowhere.test", "domain nowhere.test is not set there"),
        ("config commit", "no transaction is open"),
        ("config rollback", "no transaction is open"),
        ("config revert", "no transaction is open"),
        ("config rebase", "no transaction is open"),
        ("config rollback 9", "there is no revision 9"),
        ("config restore", "revision is missing"),
        ("config restore x", "no number"),
    ],
)
async def test_what_cannot_be_done_changes_nothing(
    server: FakeServer, talk: Talk, line: str, why: str
) -> None:
    assert why in await talk.fails(line)
    assert server.live.number == 1


@pytest.mark.parametrize("line", ["config begin", "config reload", "config restore 1"])
async def test_in_a_transaction_some_things_wait(talk: Talk, line: str) -> None:
    await talk.say("config begin")
    assert "a transaction is open" in await talk.fails(line)


async def test_a_reload_undoes_what_was_not_written_and_says_so(
    server: FakeServer, talk: Talk
) -> None:
    await talk.say("config set retry_interval 60")
    server.path.write_text(TEXT + "max_retries = 4\n")
    said = await talk.say("config reload")
    assert said.splitlines() == [
        "global: max_retries: not set -> 4",
        "not written, and gone: global: retry_interval: 60 -> not set",
    ]


async def test_what_is_written_back_keeps_comments_and_is_what_a_reload_finds(
    server: FakeServer, talk: Talk
) -> None:
    await talk.say("config set message_expiration 7200")
    assert await talk.say("config writeback") == f"written: {server.path}"
    assert server.path.read_text() == TEXT.replace("86400", "7200")
    before = server.live.snapshot
    assert await talk.say("config reload") == ""
    assert server.live.snapshot == before


@pytest.mark.parametrize("word", ["restore", "rollback"])
async def test_an_earlier_configuration_can_be_had_again(
    server: FakeServer, talk: Talk, word: str
) -> None:
    await talk.say("config set retry_interval 60")
    await talk.say("config set max_retries 7")
    said = await talk.say(f"config {word} 2")
    assert said == "global: max_retries: 7 -> not set"
    assert await talk.say("config eval retry_interval") == "retry_interval = 60"
    assert await talk.say("config restore 2") == "revision 2 is in force"
    assert server.history.revisions()[-1].how == "config restore 2"
