"""Sessions of reception by TLS, over real sockets: STARTTLS, TLS from the beginning, and what is
left of a session that began in clear.
"""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path

import pytest

from angarium.core.message import Trait
from angarium.core.reply import Reply
from angarium.events.metrics import Metric, Metrics
from angarium.inbound import policed
from angarium.inbound.counts import CIPHER, HANDSHAKES, SECURED, Counts
from angarium.inbound.secure import variables
from angarium.net.tls.facts import Facts
from angarium.net.tls.handshakes import Handshakes
from angarium.policy import hooks
from angarium.policy.hooks import on
from angarium.policy.verdict import Verdict
from helpers.certificates import Authority, Pair, authority, client_context, server
from helpers.reception import LISTEN, Desk

PATIENCE = 30.0


class Door:
    """A desk which listens."""

    def __init__(self, desk: Desk, port: int, metrics: Metrics) -> None:
        self.desk = desk
        self.port = port
        self.voices: list[Voice] = []
        self._metrics = metrics

    @property
    def content(self) -> bytes:
        """Return the last message, with what was put before it."""
        return self.desk.message.header + self.desk.content

    def metric(self, metric: Metric, value: str) -> float:
        return self._metrics.cell(metric, value).value

    async def call(self, context: ssl.SSLContext | None = None) -> "Voice":
        name = None if context is None else "mx.example.com"
        voice = Voice(
            *await asyncio.open_connection(
                "127.0.0.1", self.port, ssl=context, server_hostname=name
            )
        )
        self.voices.append(voice)
        return voice


class Voice:
    """A client, line by line."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def reply(self) -> list[str]:
        lines: list[str] = []
        while not lines or lines[-1][3:4] == "-":
            line = await asyncio.wait_for(self.reader.readline(), PATIENCE)
            if not line:
                raise ConnectionResetError
            lines.append(line.decode().rstrip("\r\n"))
        return lines

    async def say(self, line: str) -> list[str]:
        self.writer.write(line.encode() + b"\r\n")
        return await self.reply()

    async def secure(self, context: ssl.SSLContext | None = None) -> None:
        await self.writer.start_tls(context or client_context(), server_hostname="mx.example.com")

    async def starttls(self, context: ssl.SSLContext | None = None) -> None:
        assert (await self.say("STARTTLS"))[0].startswith("220")
        await self.secure(context)

    async def gone(self) -> bytes:
        """Return what still comes, until the end."""
        with contextlib.suppress(ConnectionResetError):
            return await asyncio.wait_for(self.reader.read(), PATIENCE)
        return b""

    def close(self) -> None:
        self.writer.close()


@pytest.fixture
def pem(tmp_path: Path) -> str:
    """Return the options of a listener which has a certificate."""
    certificate, key = server().write(tmp_path, "listener")
    return f'tls_certificate = "{certificate}"\ntls_key = "{key}"\n'


@contextlib.asynccontextmanager
async def listening(listener: str, policy: object = None) -> AsyncIterator[Door]:
    loop = asyncio.get_running_loop()
    desk = Desk(listener=listener, policy=policy)
    services = desk.services
    services.loop = loop
    services.handshakes = Handshakes(loop)
    services.counts = Counts(desk_metrics := Metrics())
    made = partial(policed.session, services, LISTEN)
    listens = await loop.create_server(made, "127.0.0.1", 0)
    door = Door(desk, listens.sockets[0].getsockname()[1], desk_metrics)
    try:
        yield door
    finally:
        for voice in door.voices:
            voice.close()
        listens.close()
        for session in list(services.sessions):
            session.abort()
        await until(lambda: not services.sessions)


async def until(holds: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not holds():  # noqa: ASYNC110 - nobody tells when a session is gone
            await asyncio.sleep(0.005)


MESSAGE = ("MAIL FROM:<a@client.example>", "RCPT TO:<b@mx.example>", "DATA")


async def deliver(voice: Voice) -> str:
    for line in MESSAGE:
        last = (await voice.say(line))[-1]
        if last[0] not in "23":
            return last
    return (await voice.say("Subject: x\r\n\r\ntext\r\n."))[-1]


async def test_starttls_is_offered_until_it_is_on_and_received_says_so(pem: str) -> None:
    async with listening(pem) as door:
        voice = await door.call()
        await voice.reply()
        lines = [each[4:] for each in await voice.say("EHLO one.example")]
        assert "STARTTLS" in lines
        await voice.starttls()
        lines = [each[4:] for each in await voice.say("EHLO two.example")]
        assert "STARTTLS" not in lines
        assert (await voice.say("STARTTLS"))[0].startswith("503 5.5.1")
        assert (await deliver(voice)).startswith("250")
        assert b"with ESMTPS" in door.content
        assert b"two.example" in door.content
        assert door.metric(HANDSHAKES, "secure") == 1
        assert door.metric(SECURED, "TLSv1.3") == 1
        assert sum(door.metric(CIPHER, each) for each in CIPHER.values) == 1


async def test_mail_which_requires_tls_is_taken_over_tls_only(pem: str) -> None:
    async with listening(pem) as door:
        voice = await door.call()
        await voice.reply()
        assert "REQUIRETLS" not in [each[4:] for each in await voice.say("EHLO one.example")]
        said = await voice.say("MAIL FROM:<a@client.example> REQUIRETLS")
        assert said[0].startswith("530 5.7.0")
        await voice.starttls()
        assert "REQUIRETLS" in [each[4:] for each in await voice.say("EHLO two.example")]
        said = await voice.say("MAIL FROM:<a@client.example> REQUIRETLS")
        assert said[0].startswith("250")
        for line in MESSAGE[1:]:
            await voice.say(line)
        assert (await voice.say("Subject: x\r\n\r\ntext\r\n."))[-1].startswith("250")
        assert door.desk.message.traits & Trait.REQUIRETLS
        assert (await deliver(voice)).startswith("250")
        assert not door.desk.message.traits & Trait.REQUIRETLS


async def test_without_a_certificate_there_is_no_starttls() -> None:
    async with listening("") as door:
        voice = await door.call()
        await voice.reply()
        lines = [each[4:] for each in await voice.say("EHLO one.example")]
        assert "STARTTLS" not in lines
        assert (await voice.say("STARTTLS"))[0].startswith("500 5.5.2")


@pytest.mark.effect("starttls_injection_policy")
async def test_who_sends_more_behind_starttls_has_to_go(pem: str) -> None:
    async with listening(pem) as door:
        voice = await door.call()
        await voice.reply()
        await voice.say("EHLO one.example")
        voice.writer.write(b"STARTTLS\r\nMAIL FROM:<evil@client.example>\r\n")
        assert (await voice.gone()).startswith(b"554 5.5.0")
        assert door.desk.rejections[-1].code == 554


@pytest.mark.parametrize("policy", ["ignore", "allow"])
async def test_what_is_sent_behind_starttls_is_forgotten(pem: str, policy: str) -> None:
    async with listening(
        pem + f"starttls_injection_policy = {policy}\nrequire_ehlo = true"
    ) as door:
        voice = await door.call()
        await voice.reply()
        await voice.say("EHLO one.example")
        voice.writer.write(
            b"STARTTLS\r\nEHLO evil.example\r\nMAIL FROM:<evil@client.example>\r\nRCPT TO:"
        )
        assert (await voice.reply())[0].startswith("220")
        await voice.secure()
        assert (await voice.say("RCPT TO:<b@mx.example>"))[0].startswith("503")
        assert (await voice.say("MAIL FROM:<a@client.example>"))[0].startswith("550 5.5.1")
        await voice.say("EHLO two.example")
        assert (await deliver(voice)).startswith("250")
        assert b"evil" not in door.content


async def test_a_command_in_clear_where_the_handshake_belongs_ends_the_session(pem: str) -> None:
    async with listening(pem) as door:
        voice = await door.call()
        await voice.reply()
        await voice.say("EHLO one.example")
        assert (await voice.say("STARTTLS"))[0].startswith("220")
        voice.writer.write(b"MAIL FROM:<evil@client.example>\r\n")
        assert b"250" not in await voice.gone()
        await until(lambda: door.desk.rejections)
        rejection = door.desk.rejections[-1]
        assert (rejection.code, rejection.phase) == (421, 21)
        assert "wrong version number" in rejection.text
        assert door.metric(HANDSHAKES, "protocol") == 1


async def test_all_that_was_said_in_clear_is_forgotten(pem: str) -> None:
    listener = pem + 'smtp_extensions = ( "XCLIENT" "XSETCONTEXT" )\nopen_relay = false\n'
    async with listening(listener) as door:
        voice = await door.call()
        await voice.reply()
        await voice.say("XCLIENT ADDR=192.0.2.77")
        await voice.say("EHLO one.example")
        await voice.say("XSETCONTEXT colour=red")
        [session] = door.desk.services.sessions
        assert session.origin.address == "192.0.2.77"
        await voice.starttls()
        await voice.say("NOOP")
        assert session.origin.address == "127.0.0.1"
        known = session.origin.variables()
        assert known["tls"] == "on"
        assert not {"colour", "ehlo_string", "ehlo_domain"} & known.keys()


async def test_after_starttls_nothing_is_left_of_who_was_claimed_in_clear(pem: str) -> None:
    """Whoever can put an XCLIENT before STARTTLS would choose our rules for what comes by TLS."""
    trusted = 'smtp_extensions = ( "XCLIENT" "XSETCONTEXT" )\n'
    listener = (
        pem
        + trusted
        + f"""
      peer "192.0.2.77" {{ open_relay = true  context = [ tenant = "far" ] {trusted} }}
    """
    )

    class Silent:
        @on(hooks.Connect)
        def connected(self, event: hooks.Connect) -> None:
            """A policy, which says nothing."""

    async with listening(listener, Silent()) as door:
        voice = await door.call()
        await voice.reply()
        await voice.say("XCLIENT ADDR=192.0.2.77 PORT=4711")
        await voice.say("EHLO one.example")
        await voice.say("XSETCONTEXT colour=red")
        [session] = door.desk.services.sessions
        assert isinstance(session, policed.PolicedSession)
        context, port = session.context, voice.writer.get_extra_info("sockname")[1]
        assert (context.address, context.port) == ("192.0.2.77", 4711)
        assert context.variables.items() >= {"tenant": "far", "colour": "red"}.items()
        await voice.starttls()
        await voice.say("EHLO one.example")
        assert (context.address, context.port) == ("127.0.0.1", port)
        assert not {"tenant", "colour", "can_relay"} & context.variables.keys()
        await voice.say("MAIL FROM:<a@client.example>")
        refused = await voice.say("RCPT TO:<b@elsewhere.example>")
        assert refused == ["550 5.7.1 relaying denied"]


async def test_a_transaction_does_not_outlive_starttls_as_it_cannot_begin_in_one(pem: str) -> None:
    async with listening(pem) as door:
        voice = await door.call()
        await voice.reply()
        await voice.say("EHLO one.example")
        await voice.say(MESSAGE[0])
        assert (await voice.say("STARTTLS"))[0].startswith("503 5.5.1")
        assert (await voice.say("STARTTLS now"))[0].startswith("501 5.5.4")
        await voice.say("RSET")
        await voice.starttls()


async def test_when_too_many_handshakes_are_under_way_tls_is_not_available(pem: str) -> None:
    async with listening(pem) as door:
        door.desk.services.handshakes = Handshakes(asyncio.get_running_loop(), most=0)
        voice = await door.call()
        await voice.reply()
        await voice.say("EHLO one.example")
        assert (await voice.say("STARTTLS"))[0].startswith("454 4.7.0")
        assert (await deliver(voice)).startswith("250")


@pytest.mark.effect("use_ssl")
async def test_a_connection_begins_with_tls_where_it_is_to(pem: str) -> None:
    async with listening(pem + "use_ssl = true") as door:
        voice = await door.call(client_context())
        assert (await voice.reply())[0].startswith("220")
        lines = [each[4:] for each in await voice.say("EHLO one.example")]
        assert "STARTTLS" not in lines
        assert (await deliver(voice)).startswith("250")
        assert b"with ESMTPS" in door.content
        clear = await door.call()
        clear.writer.write(b"EHLO one.example\r\n")
        assert b"220" not in await clear.gone()


async def test_nobody_is_told_anything_in_clear_where_tls_is_to_begin_at_once(pem: str) -> None:
    async with listening(pem + "use_ssl = true") as door:
        door.desk.services.may_greet = lambda: False
        voice = await door.call()
        assert await voice.gone() == b""
        assert door.desk.rejections[-1].code == 421


async def test_a_policy_hears_of_the_handshake_and_can_refuse_it(pem: str) -> None:
    class Rule:
        seen: dict[str, str]

        @on(hooks.TlsAccepted)
        def accepted(self, event: hooks.TlsAccepted) -> Verdict:
            self.seen = dict(event.session.variables)
            if self.seen["tls_cipher"]:
                event.session.refuse(Reply(420, "no"))
                event.session.disconnect = True
                event.session.variables["_tls_note"] = "421 4.7.0 not you"
            return Verdict.CONT

    rule = Rule()
    async with listening(pem, rule) as door:
        voice = await door.call()
        await voice.reply()
        await voice.say("EHLO one.example")
        await voice.starttls()
        assert (await voice.reply()) == ["421 4.7.0 not you"]
        assert rule.seen["tls"] == "on"
        assert int(rule.seen["tls_cipher_usebits"]) >= 128
        assert "ehlo_domain" not in rule.seen


def showing(
    folder: Path, pair: Pair | None, version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3
) -> ssl.SSLContext:
    """Return what a client with a certificate speaks TLS by, at most of this version."""
    context = client_context()
    if pair is not None:
        context.load_cert_chain(*pair.write(folder, "client"))
    context.maximum_version = version
    return context


@pytest.mark.effect("tls_client_ca", "tls_verified_peer_can_relay")
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_a_client_whose_certificate_is_good_is_named_and_may_relay(
    pem: str, tmp_path: Path, version: ssl.TLSVersion
) -> None:
    (tmp_path / "ca").write_bytes(authority().pem)
    options = f'tls_client_ca = "{tmp_path}/ca"\ntls_verified_peer_can_relay = true\n'
    good = authority().signed("client.example")
    bad = Authority("Nobody").signed("client.example")
    async with listening(pem + options) as door:
        for pair, verified, expected in (
            (good, "yes", "250"),
            (bad, None, "550"),
            (None, None, "550"),
        ):
            voice = await door.call()
            await voice.reply()
            context = client_context() if pair is None else showing(tmp_path, pair, version)
            await voice.starttls(context)
            await voice.say("EHLO one.example")
            [session] = door.desk.services.sessions
            known = session.origin.variables()
            assert known.get("tls_client_verified") == verified
            if pair is not None:
                assert known["tls_client_cert_subject"] == "CN=client.example"
                assert known["tls_client_cert_issuer_cn"] in ("Test Authority", "Nobody")
            await voice.say("MAIL FROM:<a@client.example>")
            assert (await voice.say("RCPT TO:<b@elsewhere.example>"))[0].startswith(expected)
            voice.close()
            await until(lambda: not door.desk.services.sessions)


@pytest.mark.effect("tls_verify_mode")
async def test_a_certificate_which_is_required_decides_over_the_handshake(
    pem: str, tmp_path: Path
) -> None:
    (tmp_path / "ca").write_bytes(authority().pem)
    options = f'tls_client_ca = "{tmp_path}/ca"\ntls_verify_mode = require\n'
    good = authority().signed("client.example")
    bad = Authority("Nobody").signed("client.example")
    async with listening(pem + options) as door:
        voice = await door.call()
        await voice.reply()
        await voice.starttls(showing(tmp_path, good))
        await voice.say("EHLO one.example")
        for pair in (bad, None):
            voice = await door.call()
            await voice.reply()
            context = showing(tmp_path, pair)
            with contextlib.suppress(ssl.SSLError, ConnectionError):
                await voice.starttls(context)
                await voice.gone()
        await until(lambda: len(door.desk.rejections) == 2)
        assert {each.code for each in door.desk.rejections} == {421}


async def test_a_certificate_nobody_asked_for_is_not_looked_at(pem: str, tmp_path: Path) -> None:
    (tmp_path / "ca").write_bytes(authority().pem)
    options = f'tls_client_ca = "{tmp_path}/ca"\ntls_verify_mode = none\n'
    bad = Authority("Nobody").signed("client.example")
    async with listening(pem + options) as door:
        voice = await door.call()
        await voice.reply()
        await voice.starttls(showing(tmp_path, bad))
        await voice.say("EHLO one.example")
        [session] = door.desk.services.sessions
        assert "tls_client_cert_subject" not in session.origin.variables()


def test_variables_of_a_certificate_which_is_none_are_left_out() -> None:
    known = variables(Facts("TLSv1.3", "TLS_AES_256_GCM_SHA384", 256, certificate=b"nothing"))
    assert known == {
        "tls": "on",
        "tls_cipher": "TLS_AES_256_GCM_SHA384",
        "tls_cipher_algbits": "256",
        "tls_cipher_usebits": "256",
    }
