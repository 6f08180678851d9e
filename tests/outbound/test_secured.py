"""How connections become secure, and what is made of it; with real hosts and real handshakes."""

import dataclasses
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import cast

import pytest

from angarium.net.tls.clients import Kept, Recipe, Seen
from angarium.net.tls.errors import HandshakeError, TlsError, Trouble
from angarium.net.tlspolicy.demand import NOTHING, STS, Demand
from angarium.outbound import secured
from angarium.outbound.errors import CLOSED, EXPIRED, NEGOTIATION_FAILED, NOT_SIGNED, NOT_YET
from angarium.outbound.route import Hop
from angarium.outbound.secured import Assured, reply_of, unsigned, vouches
from angarium.outbound.terms import IN_CLEAR, Terms
from angarium.wire.smtp_asked import Lost
from angarium.wire.smtp_transaction import Stage
from helpers.certificates import Authority, Pair, authority
from helpers.hosts import Story, pinned, right

ENFORCED = Demand(STS, "example.test", required=True, checked=True)
TESTED = Demand(STS, "example.test", checked=True)
BROKEN = "at starttls reply 220 2.0.0 go then drop"


@pytest.mark.parametrize("demand", [NOTHING, ENFORCED, TESTED])
async def test_a_right_host_is_spoken_to_over_tls_and_told_only_to_its_domain(
    tmp_path: Path, demand: Demand
) -> None:
    async with Story(tmp_path, right(), demand, tls="ifavailable") as story:
        assert await story.sent() == "TLSv1.3"
        asked = [("mx.example.test", "", "")] if demand is not NOTHING else []
        assert story.told.results == asked
        assert story.securing.outcomes == {"secure": 1}
        assert story.securing.versions == {"TLSv1.3": 1}


@pytest.mark.parametrize(
    ("show", "result", "reason"),
    [
        (lambda: authority().signed("other.test"), "certificate-host-mismatch", "454 4.7.5"),
        # Its policy names hosts, so the name of the domain is not enough.
        (lambda: authority().signed("example.test"), "certificate-host-mismatch", "454 4.7.5"),
        (
            lambda: Authority("Nobody").signed("mx.example.test"),
            "certificate-not-trusted",
            "454 4.7.5 [internal] SSL cert must be signed by a valid CA",
        ),
        (None, "starttls-not-supported", "451 4.7.6 [internal] STARTTLS required"),
    ],
)
async def test_a_policy_which_is_enforced_is_kept_and_its_breach_told(
    tmp_path: Path, show: Callable[[], Pair] | None, result: str, reason: str
) -> None:
    async with Story(tmp_path, show() if show else None, ENFORCED) as story:
        assert (await story.put_off())[1].startswith(reason)
        assert [each[1] for each in story.told.results] == [result]
        assert story.sink.messages == []


@pytest.mark.parametrize(
    ("show", "script", "result", "version"),
    [
        (lambda: authority().signed("other.test"), "", "certificate-host-mismatch", "TLSv1.3"),
        (
            lambda: Authority("Nobody").signed("mx.example.test"),
            "",
            "certificate-not-trusted",
            "TLSv1.3",
        ),
        (right, BROKEN, "validation-failure", ""),
        (None, "", "starttls-not-supported", ""),
    ],
)
async def test_a_policy_which_is_tested_only_tells(
    tmp_path: Path, show: Callable[[], Pair] | None, script: str, result: str, version: str
) -> None:
    async with Story(tmp_path, show() if show else None, TESTED, script) as story:
        assert await story.sent() == version
        assert [each[1] for each in story.told.results] == [result]


async def test_a_certificate_which_tlsa_records_name_is_right_whoever_signed_it(
    tmp_path: Path,
) -> None:
    pair = Authority("Nobody").signed("other.test")
    async with Story(tmp_path, pair, pinned(pair), tls="required", tls_verify="host") as story:
        assert await story.sent() == "TLSv1.3"
        assert await story.sent() == "TLSv1.3"
        # The second went on with the session of the first, in which no certificate is shown.
        assert story.securing.outcomes == {"secure": 1, "resumed": 1}
        assert [each[1] for each in story.told.results] == ["", ""]


async def test_a_certificate_which_they_do_not_name_is_wrong_whoever_signed_it(
    tmp_path: Path,
) -> None:
    async with Story(tmp_path, right(), pinned(authority().signed("mx.example.test"))) as story:
        stage, reason = await story.put_off()
        assert (stage, reason) == (
            17,
            "454 4.7.5 [internal] certificate is not one which TLSA records name",
        )
        assert [each[1] for each in story.told.results] == ["validation-failure"]


async def test_records_which_change_count_for_a_session_that_is_resumed(tmp_path: Path) -> None:
    pair = right()
    async with Story(tmp_path, pair, pinned(pair)) as story:
        assert await story.sent() == "TLSv1.3"
        story.told.demand = pinned(authority().signed("mx.example.test"))
        assert (await story.put_off())[0] == Stage.TLS
        assert [each[1] for each in story.told.results] == ["", "validation-failure"]


@pytest.mark.parametrize("verify", ["no", "optional", "ca", "host"])
async def test_a_resumed_session_is_judged_by_what_was_seen_first(
    tmp_path: Path, verify: str
) -> None:
    async with Story(tmp_path, right(), tls="required", tls_verify=verify) as story:
        for _ in range(2):
            assert await story.sent() == "TLSv1.3"
        assert story.securing.outcomes == {"secure": 1, "resumed": 1}


async def test_what_fails_is_left_out_for_a_while_then_tried_again(tmp_path: Path) -> None:
    async with Story(tmp_path, right(), NOTHING, BROKEN, tls="ifavailable") as story:
        assert await story.sent() == ""
        assert await story.sent() == ""
        assert story.securing.outcomes == {"failed": 1, "in clear": 1}
        assert story.sink.counts.connections == 3
        await story.sending.later(600.0)
        assert await story.sent() == ""
        assert story.securing.outcomes == {"failed": 2, "in clear": 1}


async def test_without_a_memory_it_is_tried_each_time_whatever_others_remember(
    tmp_path: Path,
) -> None:
    tls = {"tls": "ifavailable", "tls_fallback_memory": 0.0}
    async with Story(tmp_path, right(), NOTHING, BROKEN, **tls) as story:
        story.securing.broken.note(("127.0.0.1", story.sink.port), "eof", 600.0)
        assert await story.sent() == ""
        assert await story.sent() == ""
        assert story.securing.outcomes == {"failed": 2}


async def test_a_host_whose_tls_is_bad_rests_for_those_only_who_want_it(tmp_path: Path) -> None:
    async with Story(tmp_path, right(), NOTHING, BROKEN, tls="required") as story:
        await story.put_off()
        assert story.sending.hosts.paused_until("127.0.0.1", "") == 0.0
        wants = story.sending.pool.terms(("default", "default", "example.test"))
        assert story.sending.hosts.paused_until("127.0.0.1", "", (wants, NOTHING)) > 0.0


async def test_options_which_cannot_be_are_no_fault_of_mail(tmp_path: Path) -> None:
    async with Story(
        tmp_path, right(), tls="required", tls_verify="ca", tls_ca="/nowhere"
    ) as story:
        story.sending.put("b@example.test")
        await story.sending.until(lambda: story.sending.alarms)
        assert "tls_ca: /nowhere cannot be read" in story.sending.alarms[0]
        assert story.sending.delays == []


async def test_a_ticket_which_is_not_taken_costs_one_connection_and_no_security(
    tmp_path: Path,
) -> None:
    async with Story(tmp_path, right(), tls="required") as story:
        line = story.sending.board.line("default", "default", "example.test")
        terms = story.sending.pool.terms(line.key)
        hop = Hop("mx.example.test", "127.0.0.1", story.sink.port)
        plan = story.securing.plan(hop, terms, "example.test", 30.0)
        assert plan is not None
        plan.kept = Kept(cast(ssl.SSLSession, None), Seen(), 1e9)
        lost = Lost(NEGOTIATION_FAILED, Stage.TLS)
        again, wanted = story.securing.next(plan, lost, None)
        assert wanted
        assert again is plan
        assert again.kept is None
        assert story.securing.next(plan, lost, None) == (None, False)


def test_what_openssl_says_of_certificates_has_its_words() -> None:
    assert unsigned(10) == (EXPIRED, "certificate-expired")
    assert unsigned(9) == (NOT_YET, "certificate-not-trusted")
    assert unsigned(18) == (NOT_SIGNED, "certificate-not-trusted")


def test_the_end_of_a_connection_has_the_reply_of_its_cause() -> None:
    assert reply_of(None, CLOSED) is CLOSED
    assert reply_of(ConnectionResetError(), CLOSED) is CLOSED
    wrong = HandshakeError(Trouble.CERTIFICATE, "certificate has expired", "", 10)
    assert reply_of(wrong, CLOSED) is EXPIRED
    assert reply_of(TlsError(Trouble.PROTOCOL, "bad record mac", ""), CLOSED) is NEGOTIATION_FAILED


@pytest.mark.parametrize("own", [True, False])
def test_a_connection_vouches_for_the_names_of_its_certificate_only(own: bool) -> None:
    assured = Assured(
        Recipe(), "required", "TLSv1.3", "x", 256, resumed=False, verified=True, own=own
    )
    by_name = Terms("required", "host")
    one, other = Hop("mx.a.test", "192.0.2.1", 25), Hop("mx.b.test", "192.0.2.1", 25)
    assert vouches(assured, by_name, one, dataclasses.replace(one, host="MX.a.test")) is own
    assert not vouches(assured, by_name, one, other)
    assert not vouches(None, by_name, one, one)
    assert vouches(None, IN_CLEAR, one, other)
    strict = dataclasses.replace(one, demand=ENFORCED)
    assert vouches(assured, IN_CLEAR, strict, strict) is own


def test_every_outcome_has_its_name() -> None:
    assert set(secured.OUTCOME.values) == set(secured.OUTCOMES)
