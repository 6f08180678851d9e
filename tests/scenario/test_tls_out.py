"""TLS to hosts: verify modes, what is broken, what an attacker tries, resumption, and our name."""

import datetime
import ssl
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from helpers.certificates import NOW, Authority, Pair, authority
from helpers.hosted import Hosted

pytestmark = pytest.mark.asyncio(loop_scope="module")

LONG_AGO = NOW - datetime.timedelta(days=1)
# A domain for each story: its address, what its host shows, and what it does.
HOSTS: dict[str, tuple[str, str]] = {
    "good": ("127.0.2.1", ""),
    "other": ("127.0.2.2", ""),
    "expired": ("127.0.2.3", ""),
    "unknown": ("127.0.2.4", ""),
    "plain": ("127.0.2.5", ""),
    "broken": ("127.0.2.6", "at starttls reply 220 2.0.0 go then drop"),
    "refusing": ("127.0.2.7", "at starttls reply 454 4.7.0 not now"),
    "injected": ("127.0.2.8", r'at starttls send "220 go\r\n250-mx\r\n250 PIPELINING\r\n"'),
    "deaf": ("127.0.2.10", "at starttls reply 220 2.0.0 go then hang"),
    "asking": ("127.0.2.11", ""),
    "declining": ("127.0.2.9", "at starttls reply 454 4.7.0 not now"),
    "hasty": ("127.0.2.12", "at starttls reply 454 4.7.0 not now"),
}
MACROS = (
    "%R %outbound_tls %outbound_tls_type %outbound_tls_protocol %outbound_tls_cipher"
    " %outbound_tls_cipher_usebits %outbound_tls_verified %outbound_tls_issuer"
    " %outbound_tls_subject %local_ip"
)
WISHES = (
    "never", "required", "host", "twice", "ca", "told", "waiting", "once", "later", "eager", "same",
    "old", "suite", "shown", "hidden",
)  # fmt: skip
CONFIG = """
idle_timeout = 0.2
dead_destination_delay = 0.2
host_failure_retry = 0.1
tls = ifavailable
tls_ca = {folder}/authority.pem
domain "never.good.test" { tls = no }
domain "/^(host|twice)[.]/" { tls = required  tls_verify = host }
domain "/^ca[.]/" { tls = required  tls_verify = ca }
domain "/^told[.]/" { tls_verify = optional }
domain "/^required[.]/" { tls = required }
domain "/^waiting[.]/" { tls_ifavailable_fallback = false }
domain "/^same[.]/" { tls_fallback_always_new_connection = false }
domain "/^eager[.]/" { tls_fallback_memory = 0 }
domain "deaf.test" { ehlo_timeout = 1 }
domain "old.good.test" {
  tls = required
  tls_protocols = "+TLSv1.2"
  tls_ciphers = "ECDHE-ECDSA-AES128-GCM-SHA256"
}
domain "suite.good.test" { tls = required  tlsv13_ciphersuites = "TLS_CHACHA20_POLY1305_SHA256" }
domain "shown.asking.test" {
  tls = required
  tls_certificate = {folder}/client.crt
  tls_key = {folder}/client.key
}
domain "hidden.asking.test" { tls_certificate = none }
tls_macros { }
custom_logger "tls" {
  namespace = "outbound_tls"
  mainlog = "{folder}/tls.log"
  delivery_format = "{macros}"
}
"""


def shown() -> dict[str, Pair | None]:
    known = authority()
    names = {name: known.signed(f"*.{name}.test", f"{name}.test") for name in HOSTS}
    return {
        **names,
        "other": known.signed("mx.elsewhere.test"),
        "expired": known.signed("expired.test", "*.expired.test", ends=LONG_AGO),
        "unknown": Authority("Nobody").signed("unknown.test", "*.unknown.test"),
        "plain": None,
    }


async def begin(world: Hosted) -> None:
    for name, pair in shown().items():
        address, script = HOSTS[name]
        context = world.showing(name, pair)
        if name == "asking" and context is not None:
            context.load_verify_locations(cadata=authority().pem.decode())
            context.verify_mode = ssl.CERT_OPTIONAL
        await world.host(name, address, context, script)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Hosted]:
    folder = tmp_path_factory.mktemp("tls")
    (folder / "authority.pem").write_bytes(authority().pem)
    authority().signed("client.node.test").write(folder, "client")
    zone = "".join(
        f"{prefix}{name}.test A {address}\n"
        for name, (address, _) in HOSTS.items()
        for prefix in ("", *(f"{each}." for each in WISHES))
    )
    config = CONFIG.replace("{folder}", str(folder)).replace("{macros}", MACROS)
    async with Hosted(folder, config, zone) as world:
        await begin(world)
        yield world


async def test_mail_goes_over_tls_where_it_is_offered(world: Hosted) -> None:
    await world.mail("b@good.test")
    letter = await world.taken("good", "b@good.test")
    assert letter.tls == "TLSv1.3"
    session = world.sinks["good"].sessions[letter.session - 1]
    assert session.secured is not None
    assert session.secured.name == "good.test"
    assert [each.split()[0] for each in session.commands[:3]] == ["EHLO", "STARTTLS", "EHLO"]


async def test_custom_logs_say_what_tls_was(world: Hosted) -> None:
    await world.mail("b@host.good.test")
    await world.mail("b@plain.test")

    def lines() -> list[str]:
        path = world.folder / "tls.log"
        return path.read_text().splitlines() if path.exists() else []

    def about(domain: str) -> list[str]:
        return [each for each in lines() if each.startswith(f"{domain} ")]

    await world.until(lambda: about("host.good.test") and about("plain.test"), "both in the log")
    assert about("host.good.test")[0] == (
        "host.good.test TLS required TLSv1.3 TLS_AES_256_GCM_SHA384 256 verified"
        " CN=Test Authority CN=*.good.test 127.0.2.1"
    )
    assert about("plain.test")[0].split() == ["plain.test", "SMTP", "no", "127.0.2.5"]


@pytest.mark.effect("tls")
async def test_who_wants_none_gets_none(world: Hosted) -> None:
    await world.mail("b@never.good.test")
    assert (await world.taken("good", "b@never.good.test")).tls == ""
    await world.mail("b@plain.test")
    assert (await world.taken("plain", "b@plain.test")).tls == ""


@pytest.mark.parametrize(
    ("domain", "stage", "reply"),
    [
        ("required.plain.test", 11, "451 4.7.6 [internal] STARTTLS required but not advertised"),
        ("required.refusing.test", 16, "451 4.7.5 [internal] no tls go-ahead"),
        ("required.broken.test", 17, "451 4.7.5 [internal] TLS negotiation failed"),
        ("required.injected.test", 17, "protocol error: something in clear after STARTTLS"),
        ("host.other.test", 17, "454 4.7.5 [internal] SSL cert common name does not match host"),
        ("host.expired.test", 17, "454 4.7.5 certificate expired"),
        ("host.unknown.test", 17, "454 4.7.5 [internal] SSL cert must be signed by a valid CA"),
        ("ca.unknown.test", 17, "454 4.7.5 [internal] SSL cert must be signed by a valid CA"),
    ],
)
@pytest.mark.effect("tls_verify", "tls_ca")
async def test_what_fails_under_a_demand_waits(
    world: Hosted, domain: str, stage: int, reply: str
) -> None:
    await world.mail(f"b@{domain}")
    fields = await world.put_off(domain)
    assert (int(fields[9]), fields[-1].endswith(reply)) == (stage, True), fields
    name = domain.split(".")[1]
    assert not [each for each in world.sinks[name].accepted if f"b@{domain}" in each.recipients]


@pytest.mark.effect("tls_verify")
@pytest.mark.parametrize(
    "domain", ["host.good.test", "ca.other.test", "told.other.test", "told.unknown.test"]
)
async def test_what_is_not_asked_of_a_certificate_does_not_matter(
    world: Hosted, domain: str
) -> None:
    await world.mail(f"b@{domain}")
    name = domain.split(".")[1]
    assert (await world.taken(name, f"b@{domain}")).tls == "TLSv1.3"


@pytest.mark.parametrize("name", ["broken", "refusing", "injected"])
async def test_without_a_demand_mail_goes_in_clear_where_tls_fails(
    world: Hosted, name: str
) -> None:
    await world.mail(f"b@{name}.test")
    assert (await world.taken(name, f"b@{name}.test")).tls == ""


@pytest.mark.effect("tls_ifavailable_fallback")
async def test_without_the_fallback_it_waits(world: Hosted) -> None:
    await world.mail("b@waiting.broken.test")
    assert "TLS negotiation failed" in (await world.put_off("waiting.broken.test"))[-1]


@pytest.mark.effect("tls_fallback_memory")
async def test_a_host_with_which_tls_has_failed_is_remembered(world: Hosted) -> None:
    await world.mail("b@once.hasty.test")
    first = await world.taken("hasty", "b@once.hasty.test")
    await world.mail("b@later.hasty.test")
    later = await world.taken("hasty", "b@later.hasty.test")
    sessions = world.sinks["hasty"].sessions
    assert "STARTTLS" not in sessions[later.session - 1].commands
    assert later.session >= first.session
    await world.mail("b@eager.hasty.test")
    eager = await world.taken("hasty", "b@eager.hasty.test")
    assert eager.tls == ""
    # Whatever others remember, its own connection begins with STARTTLS, and a second is in clear.
    tried = ["STARTTLS" in each.commands for each in sessions[later.session : eager.session]]
    assert tried == [True, False]


@pytest.mark.effect("tls_fallback_always_new_connection")
async def test_after_a_refusal_the_connection_at_hand_may_do(world: Hosted) -> None:
    await world.mail("b@same.declining.test")
    letter = await world.taken("declining", "b@same.declining.test")
    commands = world.sinks["declining"].sessions[letter.session - 1].commands
    assert [each.split()[0] for each in commands[:3]] == ["EHLO", "STARTTLS", "MAIL"]


@pytest.mark.effect("tls_protocols", "tls_ciphers")
async def test_versions_and_ciphers_are_those_of_the_options(world: Hosted) -> None:
    await world.mail("b@old.good.test")
    letter = await world.taken("good", "b@old.good.test")
    secured = world.sinks["good"].sessions[letter.session - 1].secured
    assert secured is not None
    assert (secured.version, secured.cipher) == ("TLSv1.2", "ECDHE-ECDSA-AES128-GCM-SHA256")


@pytest.mark.effect("tlsv13_ciphersuites")
async def test_suites_of_tls_1_3_are_those_of_the_option(world: Hosted) -> None:
    await world.mail("b@suite.good.test")
    letter = await world.taken("good", "b@suite.good.test")
    secured = world.sinks["good"].sessions[letter.session - 1].secured
    assert secured is not None
    assert secured.cipher == "TLS_CHACHA20_POLY1305_SHA256"


@pytest.mark.effect("tls_certificate", "tls_key")
async def test_a_host_which_asks_is_shown_our_certificate(world: Hosted) -> None:
    for domain in ("shown.asking.test", "hidden.asking.test"):
        await world.mail(f"b@{domain}")
        letter = await world.taken("asking", f"b@{domain}")
        secured = world.sinks["asking"].sessions[letter.session - 1].secured
        assert secured is not None
        assert (b"client.node.test" in secured.certificate) is domain.startswith("shown")


async def test_the_next_connection_goes_on_with_the_session_of_the_last(world: Hosted) -> None:
    for number in range(2):
        await world.mail(f"b{number}@twice.good.test")
        letter = await world.taken("good", f"b{number}@twice.good.test")
        secured = world.sinks["good"].sessions[letter.session - 1].secured
        assert secured is not None
        assert secured.resumed is bool(number)
        await world.until(lambda: not world.sinks["good"].counts.open, "the end of a connection")


async def test_a_host_which_says_nothing_in_the_handshake_is_given_up(world: Hosted) -> None:
    await world.mail("b@deaf.test")
    assert (await world.taken("deaf", "b@deaf.test")).tls == ""
