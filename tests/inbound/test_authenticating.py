"""AUTH in a session: what is offered to whom, who gets in, and what guessing costs."""

import asyncio
import base64
from pathlib import Path
from typing import Any

import pytest

from angarium.core.reply import Reply
from angarium.inbound.authenticating import names_of
from angarium.inbound.authenticators import Authenticator, Found, Visit
from angarium.inbound.errors import AnsweredError, TroubleError
from angarium.inbound.logins import Login, Outcome
from angarium.policy import hooks
from angarium.policy.hooks import ValidateAuth, on
from angarium.policy.module import NOBODY, Policing
from angarium.wire.sasl.exchange import Claim, Credentials
from angarium.wire.sasl.mechanisms import client
from helpers.reception import Desk, Talk

PASSWORD = "tanstaaf"


def in_base64(octets: bytes) -> str:
    return base64.b64encode(octets).decode()


GOOD = in_base64(b"\0tim\0" + PASSWORD.encode())
BAD = in_base64(b"\0tim\0wrong")


@pytest.fixture
def users(tmp_path: Path) -> str:
    file = tmp_path / "users"
    file.write_text(f"tim:{PASSWORD}\n")
    return f"file://{file}"


def desk(users: str, more: str = "", *, policy: object = None, clear: str = "yes") -> Desk:
    listener = f"""
        smtp_extensions = ( "AUTH" )
        authplainparameters = [ uri = "{users}" log_authentication = true ]
        authloginparameters = [ uri = "{users}" ]
        authcrammd5parameters = [ uri = "{users}" ]
        auth_failure_delay = 0
        auth_in_clear = {clear}
        {more}
    """
    return Desk(listener=listener, policy=policy)


def offered(talk: Talk) -> list[str]:
    return [line[4:] for line in talk.say("EHLO client.example") if line[4:].startswith("AUTH")]


def secured(talk: Talk, **more: Any) -> Talk:
    """As if it went through TLS."""
    talk.transport._names |= {"ssl_object": object(), **more}
    return talk


def test_a_client_which_proves_who_it_is_may_send_to_anybody(users: str) -> None:
    here = desk(users)
    talk = here.greeted()
    assert talk.say(f"AUTH PLAIN {GOOD}") == ["235 2.7.0 authentication successful"]
    assert talk.deliver(b"Subject: x\r\n\r\n", rcpt="b@elsewhere.example").startswith("250")
    assert b"with ESMTPA\r\n" in here.message.header


def test_who_does_not_may_not(users: str) -> None:
    here = desk(users)
    talk = here.greeted()
    assert talk.say(f"AUTH PLAIN {BAD}") == ["535 5.7.8 authentication credentials invalid"]
    talk.say("MAIL FROM:<a@client.example>")
    assert talk.say("RCPT TO:<b@elsewhere.example>") == ["550 5.7.1 relaying denied"]
    assert here.rejections[0].conn_vars == {
        "pathway": "default", "ehlo_string": "EHLO client.example",
        "ehlo_domain": "client.example", "auth_name": "PLAIN", "auth_status": "fail",
        "auth_user": "tim",
    }  # fmt: skip


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN", "CRAM-MD5"])
def test_each_mechanism_goes_its_way(users: str, mechanism: str) -> None:
    talk = desk(users).greeted()
    there = client(mechanism, Credentials("tim", PASSWORD), "n")
    first = there.initial()
    [said] = talk.say(f"AUTH {mechanism}" + ("" if first is None else f" {in_base64(first)}"))
    while said.startswith("334 "):
        [said] = talk.say(in_base64(there.respond(base64.b64decode(said[4:]))))
    assert said.startswith("235")
    there.finish()
    assert talk.say("AUTH PLAIN") == ["503 5.5.1 already authenticated"]


@pytest.mark.effect("auth_in_clear")
def test_it_is_offered_over_tls_only(users: str) -> None:
    here = desk(users, clear="no")
    talk = here.connect(("127.0.0.1", 1))
    assert offered(talk) == []
    [said] = talk.say(f"AUTH PLAIN {GOOD}")
    assert said == "538 5.7.11 encryption required for requested authentication mechanism"
    assert offered(secured(here.connect())) == ["AUTH CRAM-MD5 PLAIN LOGIN"]


def test_to_this_machine_it_may_be_offered_without(users: str) -> None:
    here = desk(users, clear="loopback")
    assert offered(here.connect(("127.0.0.1", 1))) == ["AUTH CRAM-MD5 PLAIN LOGIN"]
    assert offered(here.connect(("192.0.2.1", 1))) == []


def test_what_smtp_extensions_does_not_name_cannot_be_used(users: str) -> None:
    here = desk(users, 'smtp_extensions = ( "AUTH CRAM-MD5" )')
    talk = here.connect()
    assert offered(talk) == ["AUTH CRAM-MD5"]
    assert talk.say("AUTH PLAIN") == ["534 5.7.9 authentication mechanism is too weak"]
    assert talk.say("AUTH GSSAPI") == ["504 5.5.4 unrecognized authentication type"]


def test_without_auth_there_is_no_such_command() -> None:
    assert Desk().greeted().say("AUTH PLAIN") == ["500 5.5.2 unrecognized command"]


def test_a_client_may_give_up(users: str) -> None:
    talk = desk(users).greeted()
    assert talk.say("AUTH PLAIN") == ["334 "]
    assert talk.say("*") == ["501 5.7.0 authentication cancelled"]
    assert talk.say("NOOP") == ["250 2.0.0 OK"]
    assert talk.say(f"AUTH PLAIN {GOOD}")[0].startswith("235")


def test_what_is_malformed_is_no_guess(users: str) -> None:
    talk = desk(users).greeted()
    assert talk.say(f"AUTH PLAIN {in_base64(b'nothing')}") == [
        "501 5.5.2 malformed authentication exchange"
    ]


@pytest.mark.effect("enable_authentication")
def test_where_it_is_asked_for_nobody_brings_mail_without(users: str) -> None:
    here = desk(users, "enable_authentication = true")
    talk = here.greeted()
    assert talk.say("MAIL FROM:<a@b.example>") == ["530 5.7.0 authentication required"]
    talk.say(f"AUTH PLAIN {GOOD}")
    assert talk.say("MAIL FROM:<a@b.example>") == ["250 2.0.0 MAIL FROM accepted"]


def test_hosts_which_are_trusted_need_not_say_who_they_are(users: str) -> None:
    here = desk(users, "enable_authentication = true\nrelay_hosts = ( 192.0.2.9 )")
    assert here.greeted().say("MAIL FROM:<a@b.example>") == ["250 2.0.0 MAIL FROM accepted"]


def test_who_speaks_no_tls_yet_is_told_to(users: str) -> None:
    here = desk(users, "enable_authentication = true", clear="no")
    assert here.greeted().say("MAIL FROM:<a@b.example>") == [
        "530 5.7.0 must issue a STARTTLS command first"
    ]


@pytest.mark.effect("always_allow")
def test_whatever_is_said_may_be_right(users: str) -> None:
    here = desk(users, "always_allow = true\nenable_authentication = true")
    talk = here.greeted()
    assert talk.deliver(b"Subject: x\r\n\r\n", rcpt="b@elsewhere.example").startswith("250")
    assert here.message.header.count(b"with ESMTP\r\n") == 1
    assert talk.say(f"AUTH PLAIN {BAD}") == ["235 2.7.0 authentication successful"]


@pytest.mark.effect("always_deny")
def test_whatever_is_said_may_be_wrong(users: str) -> None:
    here = desk(users, "always_allow = true\nalways_deny = true")
    talk = here.greeted()
    assert talk.say(f"AUTH PLAIN {GOOD}")[0].startswith("535")
    talk.say("MAIL FROM:<a@client.example>")
    assert talk.say("RCPT TO:<b@elsewhere.example>") == ["550 5.7.1 relaying denied"]


@pytest.mark.effect("auth_failures_per_connection")
def test_who_fails_too_often_has_to_go(users: str) -> None:
    talk = desk(users, "auth_failures_per_connection = 2").greeted()
    talk.say(f"AUTH PLAIN {BAD}")
    assert talk.say(f"AUTH PLAIN {BAD}") == ["421 4.7.0 too many failed authentications"]
    assert talk.transport.over


@pytest.mark.effect("auth_failures_per_address", "auth_failure_window")
def test_an_address_which_guesses_is_told_before_its_password_is_looked_at(users: str) -> None:
    here = desk(users, "auth_failures_per_address = 2")
    for _ in range(2):
        here.greeted().say(f"AUTH PLAIN {BAD}")
    talk = here.greeted()
    assert talk.say(f"AUTH PLAIN {GOOD}") == ["421 4.7.0 Failed SMTP AUTH rate limit exceeded"]
    assert here.greeted(("192.0.2.10", 1)).say(f"AUTH PLAIN {GOOD}")[0].startswith("235")
    here.wait(here.services.guesses.seconds + 100)
    assert here.greeted().say(f"AUTH PLAIN {GOOD}")[0].startswith("235")


@pytest.mark.effect("auth_failures_per_user")
def test_a_name_at_which_many_guess_is_closed_but_for_who_is_known(users: str) -> None:
    here = desk(users, "auth_failures_per_user = 2")
    home = ("192.0.2.50", 1)
    assert here.greeted(home).say(f"AUTH PLAIN {GOOD}")[0].startswith("235")
    for host in range(2):
        here.greeted((f"198.51.100.{host}", 1)).say(f"AUTH PLAIN {BAD}")
    assert here.greeted(("198.51.100.9", 1)).say(f"AUTH PLAIN {GOOD}") == [
        "454 4.7.0 too many failed attempts, please try later"
    ]
    assert here.greeted(home).say(f"AUTH PLAIN {GOOD}")[0].startswith("235")


def test_attempts_are_noted_where_that_is_asked_for(users: str) -> None:
    here = desk(users)
    noted: list[Login] = []
    here.services.account = noted.append
    talk = here.greeted()
    talk.say(f"AUTH PLAIN {BAD}")
    talk.say(f"AUTH PLAIN {GOOD}")
    where = ("127.0.0.1:2525", "192.0.2.9:34567", "tim", "PLAIN")
    assert noted == [Login(*where, Outcome.WRONG), Login(*where, Outcome.RIGHT)]
    other = here.greeted()
    other.say("AUTH LOGIN")
    other.say("*")
    assert len(noted) == 2


def test_an_exchange_which_does_not_end_is_noted_as_late(users: str) -> None:
    here = desk(users, "idle_time = 10")
    noted: list[Login] = []
    here.services.account = noted.append
    here.greeted().say("AUTH PLAIN")
    here.wait(60)
    assert [each.outcome for each in noted] == [Outcome.LATE]


def test_no_password_is_kept_in_a_session(users: str) -> None:
    talk = desk(users).greeted()
    talk.say("AUTH LOGIN")
    talk.say(in_base64(b"tim"))
    assert PASSWORD not in repr(talk.session._attempt)  # type: ignore[attr-defined]
    talk.say(in_base64(PASSWORD.encode()))
    assert talk.session._attempt is None  # type: ignore[attr-defined]


def test_xclient_makes_the_client_a_stranger_again(users: str) -> None:
    here = desk(users, 'smtp_extensions = ( "AUTH" XCLIENT )')
    talk = here.greeted()
    assert talk.say(f"AUTH PLAIN {GOOD}")[0].startswith("235")
    assert talk.say("XCLIENT ADDR=192.0.2.77")[0].startswith("220")
    talk.say("EHLO x")
    talk.say("MAIL FROM:<a@client.example>")
    assert talk.say("RCPT TO:<b@elsewhere.example>") == ["550 5.7.1 relaying denied"]
    talk.say("RSET")
    assert talk.say(f"AUTH PLAIN {GOOD}")[0].startswith("235")


def test_who_submitted_it_counts_only_of_who_is_known(users: str) -> None:
    talk = desk(users).greeted()
    assert talk.say("MAIL FROM:<a@b.example> AUTH=e+3Dmc2@example.com")[0].startswith("250")
    assert talk.session._envelope.mail.auth == ""  # type: ignore[union-attr]
    talk.say("RSET")
    talk.say(f"AUTH PLAIN {GOOD}")
    talk.say("MAIL FROM:<a@b.example> AUTH=e+3Dmc2@example.com")
    assert talk.session._envelope.mail.auth == "e=mc2@example.com"  # type: ignore[union-attr]


class Slow(Authenticator):
    """Knows tim, after a while; trouble and answers by name."""

    async def _known(self, claim: Claim) -> str | None:
        await asyncio.sleep(0)
        if claim.user == "trouble":
            raise TroubleError("the directory is away")
        if claim.user == "answer":
            raise AnsweredError(Reply(531, "get out of town"))
        return claim.user if claim.user == "tim" else None

    def check(self, claim: Claim, visit: Visit) -> Found[str]:
        return self._known(claim)


class SlowModule:
    @property
    def schemes(self) -> dict[str, Authenticator]:
        return {"slow": Slow()}


async def waited(talk: Talk, line: str) -> str:
    talk.send(line.encode() + b"\r\n")
    for _ in range(1000):
        if heard := talk.heard():
            return heard[-1]
        await asyncio.sleep(0.001)
    raise TimeoutError(line)


def slow_desk(delay: float = 0.0) -> Desk:
    here = desk("slow://", f"auth_failure_delay = {delay}")
    here.services.policing = Policing(NOBODY.policy, [SlowModule()])
    configuration = here.services.profiles._configuration
    here.services.profiles = type(here.services.profiles)(
        configuration,
        "host.example",
        policing=here.services.policing,
    )
    return here


async def test_who_has_to_look_it_up_lets_only_this_session_wait() -> None:
    here = slow_desk()
    told: list[str] = []
    here.services.trouble = told.append
    talk = here.greeted()
    for user, code in (("tim", "235"), ("tom", "535"), ("trouble", "454"), ("answer", "531")):
        other = here.greeted()
        said = await waited(
            other,
            f"AUTH PLAIN {in_base64(b'%b%b' % (bytes(1), user.encode()) + b'%bx' % bytes(1))}",
        )
        assert said.startswith(code), (user, said)
    assert told == ["authentication by slow://: the directory is away"]
    assert talk.say("NOOP") == ["250 2.0.0 OK"]


@pytest.mark.effect("auth_failure_delay")
async def test_a_failure_is_told_later() -> None:
    here = slow_desk(0.05)
    talk = here.greeted()
    loop = asyncio.get_running_loop()
    began = loop.time()
    assert (await waited(talk, f"AUTH PLAIN {in_base64(b'%btom%bx' % (bytes(1), bytes(1)))}"))[
        :3
    ] == "535"
    assert loop.time() - began >= 0.04


async def test_a_client_which_goes_while_it_is_looked_up_leaves_nothing() -> None:
    here = slow_desk()
    talk = here.greeted()
    talk.send(f"AUTH PLAIN {in_base64(b'%btim%bx' % (bytes(1), bytes(1)))}\r\n".encode())
    talk.lose()
    await asyncio.sleep(0.01)
    assert talk.heard() == []


class Judge:
    """Sees how attempts go, and refuses some who are known."""

    def __init__(self) -> None:
        self.seen: list[dict[str, str]] = []

    @on(ValidateAuth)
    def look(self, event: ValidateAuth) -> None:
        self.seen.append(dict(event.session.variables))
        if event.session.variables.get("auth_user") == "tim" and event.session.address[-1] == "8":
            event.session.refuse(Reply(535, "not from there", "5.7.1"))

    @on(hooks.AuthResult)
    def result(self, event: hooks.AuthResult) -> None:
        self.seen.append({"user": event.user, "status": event.status})


def test_policy_hears_how_it_went(users: str) -> None:
    judge = Judge()
    talk = desk(users, policy=judge).greeted()
    talk.say(f"AUTH PLAIN {BAD}")
    assert judge.seen[0]["auth_status"] == "fail"
    assert "can_relay" not in judge.seen[0]
    assert judge.seen[1] == {"user": "tim", "status": "fail"}
    assert talk.say(f"AUTH PLAIN {GOOD}")[0].startswith("235")
    assert judge.seen[3] == {"user": "tim", "status": "pass"}
    context = talk.session.context.variables  # type: ignore[attr-defined]
    assert context["can_relay"] == "true"
    assert (context["auth_name"], context["auth_user"]) == ("PLAIN", "tim")


def test_policy_may_refuse_who_is_known(users: str) -> None:
    here = desk(users, policy=Judge())
    talk = here.greeted(("192.0.2.8", 1))
    assert talk.say(f"AUTH PLAIN {GOOD}") == ["535 5.7.1 not from there"]
    talk.say("MAIL FROM:<a@client.example>")
    assert talk.say("RCPT TO:<b@elsewhere.example>") == ["550 5.7.1 relaying denied"]


CERTIFICATE = {
    "subject": ((("commonName", "Tim"),), (("organizationName", "X"),)),
    "subjectAltName": (("DNS", "a.example"), ("email", "tim@a.example"), ("email", "t@b.example")),
}


def test_names_of_a_certificate() -> None:
    assert names_of(CERTIFICATE, "cn") == ["Tim"]
    assert names_of(CERTIFICATE, "dns") == ["a.example"]
    assert names_of(CERTIFICATE, "email") == ["tim@a.example", "t@b.example"]
    assert names_of({}, "email") == []
