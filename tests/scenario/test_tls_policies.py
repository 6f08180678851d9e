"""What domains demand of TLS, on a real server: DANE by unbound, MTA-STS by a real web server.

Who intercepts here has all that an attacker on the network has: certificates of his own, hosts
without STARTTLS, DNS answers changed on the way, a policy which cannot be had any more.
"""

import asyncio
import contextlib
import hashlib
import os
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from aiohttp import web

from helpers import certificates
from helpers.addresses import own_address
from helpers.certificates import Authority, Pair, authority
from helpers.hosted import Hosted
from helpers.operators import operator
from helpers.unbound import Signed, resolving
from helpers.world import PATIENCE

pytestmark = pytest.mark.asyncio(loop_scope="module")

WEB = own_address()  # a policy is at port 443 and nowhere else
STRANGER = Authority("Nobody")
CONFIG = """
idle_timeout = 0.2
dead_destination_delay = 0.2
host_failure_retry = 0.1
use_dane = true
use_mta_sts = true
tls_ca = {folder}/authority.pem
domain "/[.]local[.]test$/" {{ tls = required  tls_verify = host }}
scriptlet "scriptlet" {{ script reports {{ source = "{folder}/reports.lua" }} }}
"""
LUA = """
require("msys.core")
local mod = {}
function mod:core_smtp_tls_reporting(json)
  msys.log(msys.core.LOG_NOTICE, "heard " .. json)
end
msys.registerModule("reports", mod)
"""
# A host for each story: its address, the certificate it shows, what it does.
HOSTS = {
    "named": "127.0.3.1",
    "wrong": "127.0.3.2",
    "plain": "127.0.3.3",
    "spoilt": "127.0.3.4",
    "unsigned": "127.0.3.5",
    "sts": "127.0.3.6",
    "stranger": "127.0.3.7",
    "testing": "127.0.3.8",
    "unlisted": "127.0.3.9",
}
POLICIES = {
    "sts": "enforce",
    "stranger": "enforce",
    "testing": "testing",
    "unlisted": "enforce",
}


def shown() -> dict[str, Pair | None]:
    """Return what each host shows: for DANE nobody has to know who signed it."""
    own = {name: STRANGER.signed(f"mx.{name}.dane.test") for name in HOSTS}
    return {
        **own,
        "plain": None,
        "sts": authority().signed("mx.sts.test"),
        "stranger": STRANGER.signed("mx.stranger.test"),
        "testing": STRANGER.signed("mx.testing.test"),
        "unlisted": authority().signed("mx.elsewhere.test"),
    }


def digest(pair: Pair) -> str:
    return hashlib.sha256(pair.der).hexdigest()


class Place(Hosted):
    """Hosts, the zones which are signed, and the web server of the policies."""

    pairs: dict[str, Pair | None]

    def __init__(self, folder: Path, config: str, stack: contextlib.ExitStack) -> None:
        super().__init__(folder, config)
        self.pairs = shown()
        self.served: dict[str, str] = dict(POLICIES)
        self._unbound = stack
        self._resolver = 0

    def configure(self, extra: str) -> None:
        if not self._resolver:
            self._resolver = self._unbound.enter_context(resolving(*self.zones()))
        super().configure(f'{extra}\ndns_servers = ( "127.0.0.1:{self._resolver}" )\n')

    def zones(self) -> list[Signed]:
        port = self.sink.port
        named, spoilt = self.pairs["named"], self.pairs["spoilt"]
        assert named is not None
        assert spoilt is not None
        lines = []
        for name in ("named", "wrong", "plain", "spoilt"):
            host = f"mx.{name}.dane.test"
            lines += [
                f"{name}.dane.test MX 10 {host}",
                f"{host} A {HOSTS[name]}",
                f"_{port}._tcp.{host} TLSA 3 0 1 {digest(spoilt if name == 'spoilt' else named)}",
            ]
        dane = Signed(
            "dane.test",
            "\n".join(lines),
            ((f"_{port}._tcp.mx.spoilt.dane.test.", "TLSA", f"3 0 1 {'00' * 32}"),),
        )
        plain = "\n".join(
            [
                "unsigned.plain.test MX 10 mx.unsigned.plain.test",
                f"mx.unsigned.plain.test A {HOSTS['unsigned']}",
                f"_{port}._tcp.mx.unsigned.plain.test TLSA 3 0 1 {'00' * 32}",
            ]
        )
        zones = [dane, Signed("plain.test", plain, signed=False)]
        for name in POLICIES:
            text = f"""
            {name}.test MX 10 mx.{name}.test
            mx.{name}.test A {HOSTS[name]}
            _mta-sts.{name}.test TXT v=STSv1; id=1
            mta-sts.{name}.test A {WEB}
            """
            zones.append(Signed(f"{name}.test", text, signed=False))
        return zones

    async def open(self, folder: Path) -> None:
        for name, pair in self.pairs.items():
            await self.host(name, HOSTS[name], self.showing(name, pair))
        application = web.Application()
        application.router.add_get("/.well-known/mta-sts.txt", self.policy)
        self._runner = web.AppRunner(application)
        await self._runner.setup()
        pair = authority().signed(*(f"mta-sts.{name}.test" for name in POLICIES))
        (folder / "web").mkdir()
        site = web.TCPSite(
            self._runner, WEB, 443, ssl_context=certificates.server_context(folder / "web", pair)
        )
        await site.start()

    async def policy(self, request: web.Request) -> web.Response:
        name = request.host.split(".")[1]
        mode = self.served.get(name)
        if mode is None:
            return web.Response(status=404)
        hosts = "mx.elsewhere.test" if name == "unlisted" else f"mx.{name}.test"
        return web.Response(text=f"version: STSv1\nmode: {mode}\nmx: {hosts}\nmax_age: 86400\n")

    async def close(self) -> None:
        await self._runner.cleanup()

    async def why(self, domain: str) -> str:
        """Wait until mail for a domain has failed for now; return what is said of it."""
        return "@".join(await self.put_off(domain))

    async def tlscheck(self, domain: str) -> tuple[int | None, str]:
        """Run `angarium tlscheck`; return its exit code and what it prints."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "angarium.run.programs.cli", "tlscheck", domain),
            *("--dns", f"127.0.0.1:{self._resolver}", "--port", str(self.sink.port)),
            *("--ca", str(self.folder / "authority.pem")),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said, _ = await asyncio.wait_for(process.communicate(), PATIENCE)
        return process.returncode, said.decode()

    def reports(self) -> str:
        return "\n".join(line for line in self.log("paniclog") if "heard {" in line)


def _bindable() -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((WEB, 443))
        except OSError:
            return False
    return True


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def place(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Place]:
    if not _bindable():
        if os.environ.get("CI"):
            pytest.fail(f"port 443 of {WEB} cannot be had")
        pytest.skip(f"port 443 of {WEB} cannot be had: run it as root")
    folder = tmp_path_factory.mktemp("policies")
    (folder / "authority.pem").write_bytes(authority().pem)
    (folder / "reports.lua").write_text(LUA)
    with contextlib.ExitStack() as stack:
        async with Place(folder, CONFIG.format(folder=folder), stack) as place:
            try:
                await place.open(folder)
                yield place
            finally:
                await place.close()


async def test_a_certificate_which_dns_names_is_good_whoever_signed_it(place: Place) -> None:
    await place.mail("b@named.dane.test")
    letter = await place.taken("named", "b@named.dane.test")
    assert letter.tls == "TLSv1.3"
    await place.until(lambda: '"policy-type":"tlsa"' in place.reports(), "a report")


async def test_another_certificate_keeps_the_mail(place: Place) -> None:
    await place.mail("b@wrong.dane.test")
    assert "TLSA" in await place.why("wrong.dane.test")
    assert not place.sinks["wrong"].accepted
    assert '"result-type":"validation-failure"' in place.reports()


async def test_a_host_which_offers_no_tls_any_more_gets_nothing(place: Place) -> None:
    await place.mail("b@plain.dane.test")
    assert "STARTTLS" in await place.why("plain.dane.test")
    assert not place.sinks["plain"].accepted
    assert '"result-type":"starttls-not-supported"' in place.reports()


async def test_records_which_were_changed_on_the_way_keep_the_mail(place: Place) -> None:
    await place.mail("b@spoilt.dane.test")
    assert "TLSA" in await place.why("spoilt.dane.test")
    assert not place.sinks["spoilt"].accepted


async def test_records_nobody_has_signed_demand_nothing(place: Place) -> None:
    await place.mail("b@unsigned.plain.test")
    assert (await place.taken("unsigned", "b@unsigned.plain.test")).tls == ""


async def test_a_policy_which_is_kept_lets_mail_go(place: Place) -> None:
    await place.mail("b@sts.test")
    assert (await place.taken("sts", "b@sts.test")).tls == "TLSv1.3"
    async with operator(place.state) as admin:
        listed = await admin.say("mta_sts list all")
        assert "sts.test" in listed.splitlines()
        shown = await admin.say("mta_sts show domain sts.test")
        assert "mode: enforce" in shown
        explained = await admin.say("explain domain sts.test")
        assert "MTA-STS (RFC 8461) holds for it" in explained


async def test_a_certificate_nobody_vouches_for_keeps_the_mail_where_it_is_enforced(
    place: Place,
) -> None:
    await place.mail("b@stranger.test")
    assert "signed by a valid CA" in await place.why("stranger.test")
    assert not place.sinks["stranger"].accepted


async def test_on_trial_mail_goes_and_the_failure_is_told(place: Place) -> None:
    await place.mail("b@testing.test")
    assert (await place.taken("testing", "b@testing.test")).tls == "TLSv1.3"
    await place.until(lambda: '"policy-domain":"testing.test"' in place.reports(), "a report")
    assert '"result-type":"certificate-not-trusted"' in place.reports()


async def test_hosts_which_the_policy_does_not_name_get_nothing(place: Place) -> None:
    await place.mail("b@unlisted.test")
    assert "MTA-STS" in await place.why("unlisted.test")
    assert not place.sinks["unlisted"].accepted


@pytest.mark.parametrize(
    ("domain", "good", "words"),
    [
        ("named.dane.test", True, ["by DANE", "would go by TLS", "signed by DNSSEC"]),
        ("wrong.dane.test", False, ["by DANE", "would not go", "TLSA"]),
        ("plain.dane.test", False, ["STARTTLS required but not advertised"]),
        ("spoilt.dane.test", False, ["no mail would go", "TLSA"]),
        ("unsigned.plain.test", True, ["demanded: nothing", "which is not right"]),
        ("sts.test", True, ["mode: enforce", "by MTA-STS", "would go by TLS"]),
        ("stranger.test", False, ["by MTA-STS", "signed by a valid CA"]),
        ("testing.test", True, ["failures are told", "certificate-not-trusted"]),
        ("unlisted.test", False, ["MTA-STS policy"]),
    ],
)
async def test_tlscheck_says_beforehand_what_would_become_of_mail(
    place: Place, domain: str, good: bool, words: list[str]
) -> None:
    code, said = await place.tlscheck(domain)
    assert (code == 0) is good, said
    for each in words:
        assert each in said


async def test_a_policy_counts_after_a_restart_though_it_cannot_be_had_any_more(
    place: Place,
) -> None:
    await place.mail("b@stranger.test")
    await place.put_off("stranger.test")
    place.served.clear()
    await place.stop()
    failed = len(place.rows("mainlog", "T", "stranger.test"))
    await place.start()
    await place.mail("c@stranger.test")

    def refused() -> bool:
        rows = place.rows("mainlog", "T", "stranger.test")[failed:]
        return any("signed by a valid CA" in "@".join(row) for row in rows)

    await place.until(refused, "a certificate to be refused")
    assert not place.sinks["stranger"].accepted
