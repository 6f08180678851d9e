"""Mail to hosts which want to know who sends it, or for whom: AUTH and XCLIENT going out."""

import base64
from pathlib import Path

import pytest

from angarium.lab.sink import Sink
from helpers.certificates import authority, server_context
from helpers.world import World

MAIL = b"Subject: x\r\n\r\nhi\r\n"
ZONE = """
example.com MX 10 mx.example.com
mx.example.com A 127.0.0.1
other.test MX 10 mx.other.test
mx.other.test A 127.0.0.1
"""
OFFERS = "with AUTH PLAIN LOGIN\n"
LOGIN = """
outbound_smtp_auth_in_clear = true
domain "example.com" {{
  outbound_smtp_auth_type = {mechanism}
  outbound_smtp_auth_user = me
  outbound_smtp_auth_pass = {password}
}}
"""


def login(mechanism: str = "PLAIN", password: str = "secret") -> str:
    return LOGIN.format(mechanism=mechanism, password=password)


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


PLAIN = f"AUTH PLAIN {b64(chr(0) + 'me' + chr(0) + 'secret')}"


def words(world: World, word: str) -> list[str]:
    """Return the commands of all sessions which begin with a word, in order."""
    return [each for one in world.sink.sessions for each in one.commands if each.startswith(word)]


@pytest.mark.effect(
    "outbound_smtp_auth_type", "outbound_smtp_auth_user", "outbound_smtp_auth_pass",
    "outbound_smtp_auth_in_clear",
)  # fmt: skip
async def test_a_domain_may_have_a_name_and_password(tmp_path: Path) -> None:
    sink = OFFERS + "at other reply 235 2.7.0 welcome"
    async with World(tmp_path, login(), ZONE, sink) as world:
        for number in range(3):
            await world.send("a@sender.test", [f"b{number}@example.com"], MAIL)
        await world.send("a@sender.test", ["c@other.test"], MAIL)
        await world.delivered(4)
        said = [each for one in world.sink.sessions for each in one.commands]
        assert PLAIN in said
        for session in world.sink.sessions:
            mine = any("example.com" in each for each in session.commands)
            assert (PLAIN in session.commands) is mine
            assert session.commands.count(PLAIN) <= 1  # once for the connection
        # Without TLS, and without leave to go in clear, no password goes at all.
        await world.reload(login().replace("in_clear = true", "in_clear = false"))
        before = len(words(world, "AUTH"))
        await world.send("a@sender.test", ["d@example.com"], MAIL)
        await world.logged("mainlog", r"@T@.*no AUTH in clear")
        assert len(words(world, "AUTH")) == before


async def test_login_is_a_conversation(tmp_path: Path) -> None:
    sink = OFFERS + "\n".join(
        [
            "at other first 1 per connection reply 334 VXNlcm5hbWU6",
            "at other first 1 per connection reply 334 UGFzc3dvcmQ6",
            "at other reply 235 2.7.0 welcome",
        ]
    )
    async with World(tmp_path, login("LOGIN"), ZONE, sink) as world:
        await world.send("a@sender.test", ["b@example.com"], MAIL)
        await world.arrived("b@example.com")
        said = world.sink.sessions[0].commands
        assert said[1:4] == ["AUTH LOGIN", b64("me"), b64("secret")]


async def test_what_the_host_refuses_waits_and_is_not_tried_all_the_time(tmp_path: Path) -> None:
    sink = OFFERS + "at other first 1 reply 535 5.7.8 no\nat other reply 235 2.7.0 welcome"
    config = "dead_destination_delay = 2\n" + login()
    async with World(tmp_path, config, ZONE, sink) as world:
        await world.send("a@sender.test", ["b@example.com"], MAIL)
        [line] = await world.logged("mainlog", r"@T@")
        assert "host refused AUTH: 535 5.7.8 no" in line
        assert "secret" not in line
        await world.arrived("b@example.com")  # and it has not failed for good
        assert len(words(world, "AUTH")) == 2
        assert len(words(world, "MAIL")) == 1
        assert (await world.settled())["delivered"] == 1


def secure(folder: Path) -> type[World]:
    """A world whose sink offers STARTTLS."""

    class SecureSink(Sink):
        def __init__(self, script: str = "") -> None:
            super().__init__(script, tls=server_context(folder))

    class SecureWorld(World):
        receiver = SecureSink

    return SecureWorld


async def test_through_tls_a_password_may_go(tmp_path: Path) -> None:
    config = login().replace("in_clear = true", "in_clear = false") + "tls = required\n"
    sink = OFFERS + "at other reply 235 2.7.0 welcome"
    async with secure(tmp_path)(tmp_path, config, ZONE, sink) as world:
        await world.send("a@sender.test", ["b@example.com"], MAIL)
        await world.arrived("b@example.com")
        said = world.sink.sessions[0].commands
        assert [each.split()[0] for each in said[:4]] == ["EHLO", "STARTTLS", "EHLO", "AUTH"]


POLICY = """
require("msys.core");
local mod = {};
function mod:outbound_smtp_auth_config(msg)
  local name = msg:rcptto();
  if string.find(name, "^none") then return end
  msg:context_set(msys.core.VCTX_MESS, "outbound_smtp_auth_type", "PLAIN");
  msg:context_set(msys.core.VCTX_MESS, "outbound_smtp_auth_user", string.match(name, "^[^@]+"));
  local key = msg:context_get(msys.core.VCTX_MESS, "outbound_smtp_auth_key");
  msg:context_set(msys.core.VCTX_MESS, "outbound_smtp_auth_pass", key or "none");
end
msys.registerModule("auth", mod);
"""


@pytest.mark.effect("outbound_smtp_auth.enabled")
async def test_a_script_says_for_each_message_as_whom_we_log_in(tmp_path: Path) -> None:
    (tmp_path / "auth.lua").write_text(POLICY)
    config = """
    outbound_smtp_auth { }
    outbound_smtp_auth_key = secret
    outbound_smtp_auth_in_clear = true
    scriptlet "scriptlet" { script "auth" { source = "auth.lua" } }
    """
    sink = OFFERS + "at other reply 235 2.7.0 welcome"
    async with World(tmp_path, config, ZONE, sink) as world:
        for name in ("one", "two", "none", "one"):
            await world.send("a@sender.test", [f"{name}@example.com"], MAIL)
        await world.delivered(4)
        for session in world.sink.sessions:
            names = {
                each.partition("<")[2].partition("@")[0]
                for each in session.commands
                if each.startswith("RCPT")
            }
            # One connection has one name, or none, from the beginning to the end.
            assert len(names) == 1
            [name] = names
            wanted = (
                [] if name == "none" else [f"AUTH PLAIN {b64(f'{chr(0)}{name}{chr(0)}secret')}"]
            )
            assert [each for each in session.commands if each.startswith("AUTH")] == wanted


@pytest.mark.effect("xclient")
async def test_a_host_is_told_which_client_brought_each_message(tmp_path: Path) -> None:
    sink = "with XCLIENT NAME ADDR PORT PROTO HELO\nat other reply 220 again"
    async with World(tmp_path, "xclient = ifavailable", ZONE, sink) as world:
        for source in ("127.0.0.1", "127.0.0.2"):
            async with world.call(source) as caller:
                for _ in range(2):
                    await caller.envelope("a@sender.test", "b@example.com")
                    assert (await caller.data(MAIL)).startswith("250")
        await world.delivered(4)
        said = words(world, "XCLIENT")
        assert {each.split()[2] for each in said} == {"ADDR=127.0.0.1", "ADDR=127.0.0.2"}
        for session in world.sink.sessions:
            claimed = ""
            for command in session.commands:
                if command.startswith("XCLIENT"):
                    claimed = command
                assert claimed or not command.startswith("MAIL")


async def test_where_it_is_required_mail_waits_for_a_host_that_takes_it(tmp_path: Path) -> None:
    async with World(tmp_path, "xclient = required", ZONE) as world:
        await world.send("a@sender.test", ["b@example.com"], MAIL)
        [line] = await world.logged("mainlog", r"@T@")
        assert "XCLIENT required but not advertised" in line
        await world.reload("xclient = ifavailable")
        await world.arrived("b@example.com")


async def test_our_own_server_takes_the_word_of_a_gateway(tmp_path: Path) -> None:
    """Both ends are ours: the second one logs the client of the first."""
    (tmp_path / "behind").mkdir()
    (tmp_path / "gate").mkdir()
    trusting = 'peer "127.0.0.1" { smtp_extensions = ( XCLIENT ) }'
    async with World(tmp_path / "behind", "", ZONE, listener=trusting) as behind:
        config = f'xclient = required\ngateway = "127.0.0.1:{behind.port}"'
        async with World(tmp_path / "gate", config, ZONE) as gate:
            async with gate.call("127.0.0.3") as caller:
                await caller.envelope("a@sender.test", "b@example.com")
                assert (await caller.data(MAIL)).startswith("250")
            await behind.logged("mainlog", r"@R@.*@127\.0\.0\.3@")


EXAMPLE = Path(__file__).parents[2] / "examples/smarthost/ecelerity.conf"


class Smarthost(World):
    """The server of the example: its ports and whom it trusts are ours."""

    def configure(self, extra: str) -> None:
        text = EXAMPLE.read_text("utf-8")
        for shown, ours in (
            ("127.0.0.1:25", f"127.0.0.1:{self.port}"),
            ("smtp.provider.example:587", f"smtp.provider.example:{self.sink.port}"),
            ("/var/log/angarium", str(self.logs)),
        ):
            assert shown in text
            text = text.replace(shown, ours)
        self.config.write_text(
            f'{text}dns_servers = ( "127.0.0.1:{self.dns.port}" )\n'
            f'tls_ca = "{self.folder}/authority.pem"\n'
            'eventloop "pool" { concurrency = 1 }\n'
        )


async def test_the_example_sends_all_mail_to_its_server(tmp_path: Path) -> None:
    pair = authority().signed("smtp.provider.example")
    (tmp_path / "authority.pem").write_bytes(authority().pem)

    class Provider(Sink):
        def __init__(self, script: str = "") -> None:
            super().__init__(script, tls=server_context(tmp_path, pair))

    class Example(Smarthost):
        receiver = Provider

    zone = "smtp.provider.example A 127.0.0.1"
    sink = OFFERS + "at other reply 235 2.7.0 welcome"
    async with Example(tmp_path, "", zone, sink) as world:
        await world.send("a@sender.test", ["b@anywhere.test", "c@elsewhere.test"], MAIL)
        await world.delivered(2)
        for session in world.sink.sessions:
            assert "STARTTLS" in session.commands
            assert b64("\0relay@example.com\0a-long-random-word") in session.commands[3]
