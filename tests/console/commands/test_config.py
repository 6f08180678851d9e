"""What `config` shows: of one scope, of what it falls back to, and where things are."""

from pathlib import Path

import pytest

from helpers.consoles import FakeServer, Talk

TEXT = r"""
message_expiration = 86400
relay_hosts = ( 10.0.0.1 10.0.0.2 )
domain "example.com" {
  message_expiration = 900
}
domain "/(^|[.])example[.](com|net)$/" { max_retries = 3 }
binding "b" {
  ehlo_hostname = "b.test"
  outbound_smtp_auth_pass = "hunter2"
  domain "example.com" { retry_interval = 60 }
}
esmtp_listener {
  idle_time = 300
  listen ":25" { max_message_size = 10M }
}
"""


@pytest.fixture
def talk(tmp_path: Path) -> Talk:
    return Talk(FakeServer(tmp_path, TEXT))


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("config get message_expiration", "message_expiration = 86400"),
        ("config get Domain example.com Message_Expiration", "        message_expiration = 900"),
        ("config get blackhole", "Option 'blackhole' is not set in scope ''."),
        (
            "config get domain other.test max_retries",
            "Option 'max_retries' is not set in scope 'domain other.test'.",
        ),
        ("config get relay_hosts", 'relay_hosts = (\n  "10.0.0.1/32"\n  "10.0.0.2/32"\n)'),
        ("config get binding b outbound_smtp_auth_pass", "        outbound_smtp_auth_pass = ***"),
        ("config eval max_retries", "max_retries = auto"),
        ("config eval domain example.com message_expiration", "message_expiration = 900"),
        ("config eval domain other.test message_expiration", "message_expiration = 86400"),
        ("config eval binding b domain example.com retry_interval", "retry_interval = 60"),
        ("config eval binding b domain www.example.net retry_interval", "retry_interval = 1200"),
        ("config eval binding b domain www.example.net max_retries", "max_retries = 3"),
        ("config eval esmtp_listener listen :25 peer 192.0.2.1 idle_time", "idle_time = 300"),
        ("config show domain example.com", "message_expiration = 900"),
        ("config show domain example.com message_expiration", "        message_expiration = 900"),
        ("config show esmtp_listener", 'idle_time = 300\nlisten "*:25" { ... }'),
        (
            "config showrecurse esmtp_listener",
            'idle_time = 300\nlisten "*:25" {\n  max_message_size = 10485760\n}',
        ),
        ("config locate listen", 'listen "*:25"\n  is at esmtp_listener::listen:*\\:25:'),
        ("config diff", ""),
    ],
)
async def test_what_is_shown(talk: Talk, line: str, shown: str) -> None:
    assert await talk.say(line) == shown


async def test_a_scope_is_located_by_an_expression_in_its_name_also_of_a_pattern(
    talk: Talk,
) -> None:
    found = await talk.plain("config locate Domain ex.+[.]com")
    assert [each["scope"] for each in found] == ['domain "example.com"', 'domain "example.com"']
    found = await talk.plain("config locate domain net")
    assert [each["scope"] for each in found] == ['domain "/(^|[.])example[.](com|net)$/"']
    assert await talk.say("config locate domain nowhere") == ""


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("config get", "an option is missing"),
        ("config get retry_intervall", "did you mean retry_interval?"),
        ("config eval listen :25 idle_time", "may not stand at the top of the file"),
        ("config eval binding none retry_interval", "there is no binding none"),
        ("config get hostname x", "x is one word too many"),
        ("config show binding none", "there is no binding none"),
        ("config showrecurse hostname", "hostname is an option, not a scope"),
        ("config locate domain (", "no regular expression"),
        ("config replay", "no transaction is open"),
    ],
)
async def test_what_is_none_is_told(talk: Talk, line: str, why: str) -> None:
    assert why in await talk.fails(line)


async def test_values_are_typed_in_json(talk: Talk) -> None:
    assert await talk.plain("config eval retry_interval") == {
        "option": "retry_interval", "value": 1200,
    }  # fmt: skip
    assert (await talk.plain("config get binding b outbound_smtp_auth_pass"))["value"] == "***"
    shown = await talk.plain("config showrecurse domain example.com")
    assert shown == {"message_expiration": 900}


async def test_an_option_which_needs_a_restart_is_shown_as_configured_and_as_it_is(
    tmp_path: Path,
) -> None:
    server = FakeServer(tmp_path, "")
    server.waiting = {"spool_segment_size": "a restart"}
    talk = Talk(server)
    said = await talk.say("config set spool_segment_size 32M")
    assert said.splitlines() == [
        "spool_segment_size = 33554432",
        "spool_segment_size is in force after a restart",
    ]
    assert await talk.say("config eval spool_segment_size") == (
        "spool_segment_size = 33554432\n"
        "# in force after a restart; until then spool_segment_size = 67108864"
    )
    found = await talk.plain("config eval spool_segment_size")
    assert (found["after"], found["until_then"]) == ("a restart", 67108864)


async def test_live_changes_and_edits_of_the_files_are_a_difference(tmp_path: Path) -> None:
    server = FakeServer(tmp_path, "max_retries = 3\n")
    talk = Talk(server)
    await talk.say("config set retry_interval 60")
    server.path.write_text("max_retries = 4\n")
    assert (await talk.say("config diff")).splitlines() == [
        "global: max_retries: 4 -> 3",
        "global: retry_interval: not set -> 60",
    ]
    assert await talk.say("config diff 1") == "global: retry_interval: not set -> 60"


async def test_the_history_has_who_when_how_and_what(tmp_path: Path) -> None:
    server = FakeServer(tmp_path, "")
    talk = Talk(server)
    await talk.say("config set retry_interval 60")
    lines = (await talk.say("config history")).splitlines()
    assert [each.split("Z  ")[1] for each in lines] == [
        "1 change  alice: config set retry_interval = 60",
        "0 changes  start: start",
    ]
    said = (await talk.say("config history 2")).splitlines()
    assert said[1:] == ["global: retry_interval: not set -> 60"]
    assert [each["who"] for each in await talk.plain("config history")] == ["alice", "start"]
    assert "there is no revision 9" in await talk.fails("config history 9")
