"""A whole Postfix on the other side of TLS, both ways, with what DNSSEC says of each.

    a client -> our server -> Postfix's smtpd, an alias, its smtp -> our server -> the sink

Both find out by DANE that they have the right one before them; unbound answers both.
"""

import asyncio
import hashlib
import os
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, ExitStack
from pathlib import Path

import pytest
import pytest_asyncio
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from helpers.addresses import own_address
from helpers.certificates import Authority, Pair, authority
from helpers.outlook import Outlook
from helpers.postfix import Postfix, postfix
from helpers.unbound import Signed, resolving
from helpers.world import PATIENCE

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.peer]

Find = Callable[[str], str]
THEIRS = own_address()  # Postfix and the resolver have it: C libraries ask at port 53 only
CONFIG = """
idle_timeout = 0.2
use_dane = true
tls = ifavailable
tls_certificate = "{folder}/client.crt"
tls_key = "{folder}/client.key"
"""
LISTENER = """
  tls_certificate = "{folder}/own.crt"
  tls_key = "{folder}/own.key"
"""
SETTINGS = {
    "myhostname": "mx.pf.test",
    "virtual_alias_domains": "pf.test",
    "virtual_alias_maps": "inline:{{ {{ @pf.test = @end.test }} }}",
    "relayhost": "[mx.ours.test]:{port}",
    "smtpd_tls_security_level": "may",
    "smtpd_tls_chain_files": "{folder}/theirs.pem",
    "smtpd_tls_CAfile": "{folder}/ca.pem",
    "smtpd_tls_ask_ccert": "yes",
    "smtpd_tls_received_header": "yes",
    "smtpd_tls_loglevel": "2",
    "smtp_dns_support_level": "dnssec",
    "smtp_tls_security_level": "dane-only",
    "smtp_tls_loglevel": "1",
}


def spki(pair: Pair) -> str:
    """Return what a record 3 1 1 has of a certificate."""
    key = x509.load_pem_x509_certificate(pair.certificate).public_key()
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return hashlib.sha256(key.public_bytes(serialization.Encoding.DER, form)).hexdigest()


class Ours(Outlook):
    """Our server, which asks unbound."""

    pair: Pair
    theirs: Pair
    stack: ExitStack

    def configure(self, extra: str) -> None:
        if not self.config.exists():
            self.stack.enter_context(resolving(*self.zones(), address=THEIRS, port=53))
        super().configure(f'{extra}\ndns_servers = ( "{THEIRS}:53" )\n')

    def zones(self) -> list[Signed]:
        ours = f"""
        mx.ours.test A 127.0.0.1
        wrong.ours.test A 127.0.0.1
        none.ours.test A 127.0.0.1
        _{self.port}._tcp.mx.ours.test TLSA 3 1 1 {spki(self.pair)}
        _{self.port}._tcp.wrong.ours.test TLSA 3 1 1 {spki(self.theirs)}
        """
        pf = f"""
        pf.test MX 10 mx.pf.test
        mx.pf.test A {THEIRS}
        _{self.sink.port}._tcp.mx.pf.test TLSA 3 1 1 {spki(self.theirs)}
        """
        bad = f"""
        bad.test MX 10 mx.bad.test
        mx.bad.test A {THEIRS}
        _{self.sink.port}._tcp.mx.bad.test TLSA 3 1 1 {spki(self.pair)}
        """
        end = Signed("end.test", "end.test A 127.0.0.1", signed=False)
        return [Signed("ours.test", ours), Signed("pf.test", pf), Signed("bad.test", bad), end]


class Room:
    """Ours, and the Postfix beside it."""

    def __init__(self, world: Ours, theirs: Postfix, before: tuple[str, ...]) -> None:
        self.world = world
        self.theirs = theirs
        self.before = before


def resolver_of(folder: Path) -> tuple[str, ...]:
    """Return the words before a command which let it ask our resolver, by the C library."""
    conf = folder / "resolv.conf"
    conf.write_text(f"nameserver {THEIRS}\noptions trust-ad\n")
    conf.chmod(0o644)  # for whoever asks, whatever our umask is
    bound = 'mount --bind "$0" /etc/resolv.conf && exec "$@"'
    return ("unshare", "--mount", "sh", "-c", bound, str(conf))


def mountable() -> None:
    """Skip where no program can be given a file of its own in place of the system's."""
    if subprocess.run(["unshare", "--mount", "true"], check=False).returncode != 0:
        pytest.skip("no mount of its own can be had: that takes root, and a container which may")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def room(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Room]:
    mountable()
    folder = tmp_path_factory.mktemp("postfix")
    ours, theirs = (Authority("Nobody").signed(f"mx.{each}.test") for each in ("ours", "pf"))
    ours.write(folder, "own")
    authority().signed("client.node.test").write(folder, "client")
    (folder / "theirs.pem").write_bytes(theirs.key + theirs.certificate)
    (folder / "ca.pem").write_bytes(authority().pem)
    async with AsyncExitStack() as stack:
        world = Ours(folder, CONFIG.format(folder=folder), listener=LISTENER.format(folder=folder))
        world.pair, world.theirs = ours, theirs
        world.stack = stack.enter_context(ExitStack())
        await stack.enter_async_context(world)
        before = resolver_of(folder)
        settings = {
            name: value.format(folder=folder, port=world.port) for name, value in SETTINGS.items()
        }
        beside = stack.enter_context(postfix(THEIRS, world.sink.port, settings, *before))
        yield Room(world, beside, before)


async def test_mail_goes_to_postfix_and_comes_back_by_dane_both_ways(room: Room) -> None:
    world, theirs = room.world, room.theirs
    await world.mail("b@pf.test")
    [letter] = await world.came("b@end.test")
    content = b" ".join((letter.content or b"").split())
    # Postfix's own words of our client, and then of our server.
    assert b"(using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)" in content
    shown = b'(Client CN "client.node.test", Issuer "Test Authority" (verified OK)) by mx.pf.test'
    assert shown in content
    assert b"helo=mx.pf.test) by mx.node.test (envelope-from <a@sender.test>)" in content
    seen = f"Verified TLS connection established to mx.ours.test[127.0.0.1]:{world.port}: TLSv1.3"
    await world.until(lambda: seen in theirs.log(), "what Postfix says of our certificate")


async def test_a_postfix_with_another_key_than_dns_says_gets_nothing(room: Room) -> None:
    await room.world.mail("b@bad.test")
    [failed] = (await room.world.records("mainlog", "T", "bad.test"))[:1]
    assert "TLSA" in failed[-1]
    assert "mx.bad.test" not in room.theirs.log()


async def test_postfix_goes_on_with_the_session_it_has_given_us(room: Room) -> None:
    world, theirs = room.world, room.theirs
    await world.mail("c@pf.test")
    await world.came("c@end.test")

    def all_ended() -> bool:
        log = theirs.log()
        return log.count(": connect from") == log.count(": disconnect from")

    await world.until(all_ended, "the end of the connection")
    await world.mail("d@pf.test")
    await world.came("d@end.test")
    await world.until(lambda: "Reusing old session" in theirs.log(), "a session which goes on")


async def test_posttls_finger_knows_us_by_dane_and_nobody_else(room: Room, program: Find) -> None:
    async def said(host: str) -> str:
        process = await asyncio.create_subprocess_exec(
            *(*room.before, program("posttls-finger"), "-c", "-l", "dane-only"),
            *("-L", "summary", f"[{host}]:{room.world.port}"),
            env={**os.environ, "MAIL_CONFIG": str(room.theirs.folder)},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output, _ = await asyncio.wait_for(process.communicate(), PATIENCE)
        return output.decode()

    place = f"[127.0.0.1]:{room.world.port}: TLSv1.3"
    assert f"Verified TLS connection established to mx.ours.test{place}" in await said(
        "mx.ours.test"
    )
    assert "Untrusted TLS connection" in await said("wrong.ours.test")
    assert "no TLSA" in await said("none.ours.test")
