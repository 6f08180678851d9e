"""Policy says how TLS to hosts is to be, and whether a certificate is good."""

from pathlib import Path
from typing import Any

import pytest

from angarium.net.options.tls import Certificates, OutboundTls
from angarium.net.tlspolicy.demand import NOTHING, STS, Demand
from angarium.outbound.asking import PolicyTlsError, asked, changed, parameters
from angarium.outbound.terms import Terms, terms
from angarium.policy import hooks
from angarium.policy.chain import NO_POLICY
from angarium.policy.hook import TlsParameters
from angarium.policy.hooks import on
from helpers import asking
from helpers.certificates import authority
from helpers.hosts import Story, right

ENFORCED = Demand(STS, "example.test", required=True, checked=True)


def options(**values: Any) -> Terms:
    return terms(OutboundTls.make(**values), Certificates.make())


class Requires:
    """Wants TLS for mail of some senders only."""

    def __init__(self, **wanted: Any) -> None:
        self.wanted = wanted
        self.seen: list[TlsParameters] = []

    @on(hooks.OutboundTls)
    def parameters(self, event: hooks.OutboundTls) -> None:
        self.seen.append(event.params)
        if event.mail.message.sender == "a@sender.test":
            for name, value in self.wanted.items():
                setattr(event.params, name, value)


class Judge:
    def __init__(self, answer: bool | None) -> None:
        self.answer = answer
        self.seen: list[hooks.OutboundVerify] = []

    @on(hooks.OutboundVerify)
    def verify(self, event: hooks.OutboundVerify) -> None:
        self.seen.append(event)
        if self.answer is not None:
            event.good = self.answer


def policed(story: Story, module: object, panics: list[str] | None = None) -> None:
    story.securing.asking = asked(asking.asked(module, panics=panics))


def test_nobody_is_asked_where_nobody_handles_a_hook() -> None:
    assert asked(NO_POLICY) is None


async def test_a_handler_makes_tls_required(tmp_path: Path) -> None:
    async with Story(tmp_path, None, tls="no") as story:
        policed(story, module := Requires(use_tls=2))
        assert (await story.put_off())[1].startswith("451 4.7.6")
        assert module.seen[0].use_tls == 2
        story.sending.put("b@example.test", sender="other@sender.test")
        await story.sending.later(300.0)
        await story.sending.until(lambda: story.sink.accepted)


async def test_a_handler_names_ciphers(tmp_path: Path) -> None:
    class Ciphers:
        @on(hooks.OutboundCiphers)
        def ciphers(self, event: hooks.OutboundCiphers) -> None:
            event.ciphers = "ECDHE-ECDSA-AES128-GCM-SHA256"

    async with Story(tmp_path, right(), tls="required") as story:
        policed(story, Ciphers())
        assert await story.sent() == "TLSv1.3"
        (recipe,) = story.securing.clients._made
        assert recipe.ciphers == "ECDHE-ECDSA-AES128-GCM-SHA256"


@pytest.mark.parametrize("wanted", [{"use_tls": 3}, {"tls_verify": -1}])
async def test_what_means_nothing_sends_nothing(tmp_path: Path, wanted: dict[str, int]) -> None:
    async with Story(tmp_path, right(), tls="no") as story:
        policed(story, Requires(**wanted))
        story.sending.put("b@example.test")
        await story.sending.until(lambda: story.sending.alarms)
        assert "there is no such number" in story.sending.alarms[0]
        assert story.sink.messages == []
        assert story.sending.delays == []


async def test_a_handler_which_fails_sends_nothing(tmp_path: Path) -> None:
    class Fails:
        @on(hooks.OutboundTls)
        def parameters(self, _event: hooks.OutboundTls) -> None:
            raise RuntimeError("broken")

    panics: list[str] = []
    async with Story(tmp_path, right(), tls="no") as story:
        policed(story, Fails(), panics)
        story.sending.put("b@example.test")
        await story.sending.until(lambda: story.sending.alarms)
        assert story.sink.messages == []
    assert any("broken" in each for each in panics)


@pytest.mark.parametrize("answer", [True, None])
@pytest.mark.parametrize("verify", ["ca", "host", "optional"])
async def test_a_handler_sees_a_good_certificate(
    tmp_path: Path, verify: str, answer: bool | None
) -> None:
    async with Story(tmp_path, right(), tls="required", tls_verify=verify) as story:
        policed(story, judge := Judge(answer))
        assert await story.sent() == "TLSv1.3"
        (event,) = judge.seen
        assert (event.host, event.domain) == ("mx.example.test", "example.test")
        assert (event.subject, event.issuer) == ("CN=mx.example.test", "CN=Test Authority")
        assert event.good


async def test_a_handler_may_know_better(tmp_path: Path) -> None:
    wrong = authority().signed("other.test")
    async with Story(tmp_path, wrong, tls="required", tls_verify="host") as story:
        policed(story, Judge(True))
        assert await story.sent() == "TLSv1.3"


@pytest.mark.parametrize(("verify", "sent"), [("host", False), ("optional", True)])
async def test_a_handler_may_refuse_what_we_would_take(
    tmp_path: Path, verify: str, sent: bool
) -> None:
    async with Story(tmp_path, right(), tls="required", tls_verify=verify) as story:
        policed(story, Judge(False))
        if sent:
            assert await story.sent() == "TLSv1.3"
            return
        assert (await story.put_off())[1].startswith("454 4.7.5 [internal] SSL cert must be")


async def test_what_a_domain_demands_no_handler_takes_away(tmp_path: Path) -> None:
    async with Story(tmp_path, authority().signed("other.test"), ENFORCED) as story:
        policed(story, Judge(True))
        assert (await story.put_off())[0] == 17
        assert story.sink.messages == []


async def test_where_nobody_looks_nobody_is_asked(tmp_path: Path) -> None:
    async with Story(tmp_path, right(), NOTHING, tls="required") as story:
        policed(story, judge := Judge(False))
        assert await story.sent() == "TLSv1.3"
        assert judge.seen == []


def test_what_the_options_say_is_said_as_scripts_know_it() -> None:
    found = parameters(options(tls="required", tls_verify="host", tls_ca="/ca.pem"))
    assert found == TlsParameters(2, 2, ca="/ca.pem", cipherlist="DEFAULT")
    assert parameters(options(tls="ifavailable", tls_verify="ca")).tls_verify == 1


def test_what_has_no_number_stays_until_it_is_changed() -> None:
    before = options(tls="required", tls_verify="optional")
    given = parameters(before)
    assert changed(before, given) is before
    given.certfile = "/client.pem"
    found = changed(before, given)
    assert (found.verify, found.recipe.certificate) == ("optional", "/client.pem")
    given.tls_verify = 2
    assert changed(before, given).verify == "host"
    given.tls_verify = 5
    with pytest.raises(PolicyTlsError):
        changed(before, given)
