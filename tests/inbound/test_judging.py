"""What policy hears of AUTH stands in its variables, and goes when the client is a stranger."""

from pathlib import Path

import pytest

from angarium.core.reply import Reply
from angarium.inbound.judging import VARIABLES, JudgingSession
from angarium.policy.hooks import (
    AuthResult,
    Connect,
    Ehlo,
    Hook,
    MailFrom,
    PerformAuth,
    RcptTo,
    ValidateAuth,
    on,
)
from helpers.reception import Desk, Talk


class Judge:
    def __init__(self) -> None:
        self.refusal: Reply | None = None
        self.disconnect = False

    @on(ValidateAuth)
    def look(self, event: ValidateAuth) -> None:
        if self.refusal is not None:
            event.session.refuse(self.refusal, disconnect=self.disconnect)

    @on(PerformAuth)
    def known(self, event: PerformAuth) -> None:
        event.known = event.username == "tim"


def greeted(tmp_path: Path, judge: Judge) -> Talk:
    (tmp_path / "users").write_text("tim:x\n")
    listener = f"""smtp_extensions = ( "AUTH" XCLIENT )  auth_in_clear = yes
        authplainparameters = [ uri = "file://{tmp_path}/users" ]  auth_failure_delay = 0"""
    return Desk(listener=listener, policy=judge).greeted()


GOOD, BAD = "AUTH PLAIN AHRpbQB4", "AUTH PLAIN AHRpbQB5"


def variables(talk: Talk) -> dict[str, str]:
    assert isinstance(talk.session, JudgingSession)
    return {name: value for name, value in talk.session.context.variables.items()
            if name in (*VARIABLES, "can_relay")}  # fmt: skip


def test_the_variables_are_those_of_the_last_attempt(tmp_path: Path) -> None:
    talk = greeted(tmp_path, Judge())
    talk.say(BAD)
    failed = {"auth_name": "PLAIN", "auth_status": "fail", "auth_user": "tim"}
    assert variables(talk) == failed
    talk.say(GOOD)
    assert variables(talk) == failed | {"auth_status": "pass", "can_relay": "true"}


def test_xclient_takes_them_away(tmp_path: Path) -> None:
    talk = greeted(tmp_path, Judge())
    talk.say(GOOD)
    talk.say("XCLIENT ADDR=192.0.2.7")
    assert variables(talk) == {}


class Grants(Judge):
    """Lets whoever has connected send anywhere."""

    @on(Connect)
    def grant(self, event: Connect) -> None:
        event.session.variables["can_relay"] = "true"


CLAIMS = """
    smtp_extensions = ( XCLIENT XREMOTEIP XSETCONTEXT )
    peer "192.0.2.9" {
      relay_hosts = ( "192.0.2.9" )
      context = [ tenant = "gate" ]
      smtp_extensions = ( XCLIENT XREMOTEIP XSETCONTEXT )
    }
    peer "192.0.2.8" { relay_hosts = ( "192.0.2.8" ) }
"""


@pytest.mark.parametrize("judge", [Judge, Grants])
@pytest.mark.parametrize("claim", ["XCLIENT ADDR=192.0.2.77 PORT=4711", "XREMOTEIP 192.0.2.77"])
def test_the_rights_of_an_address_are_not_those_of_who_is_claimed(
    judge: type[Judge], claim: str
) -> None:
    talk = Desk(listener=CLAIMS, policy=judge()).greeted()
    assert isinstance(talk.session, JudgingSession)
    talk.say("XSETCONTEXT colour=red")
    context = talk.session.context
    assert context.variables.items() >= {"can_relay": "true", "tenant": "gate"}.items()
    assert talk.say(claim)[0].startswith("2")
    assert (context.address, context.port) == ("192.0.2.77", 4711 if "PORT" in claim else 0)
    assert not {"can_relay", "tenant"} & context.variables.keys()
    assert context.variables["colour"] == "red"
    talk.say("EHLO far.example")
    talk.say("MAIL FROM:<a@far.example>")
    assert talk.say("RCPT TO:<b@elsewhere.example>") == ["550 5.7.1 relaying denied"]
    talk.say("RSET")
    assert talk.say(claim.replace(".77", ".8"))[0].startswith("2")
    assert context.variables["can_relay"] == "true"


def test_what_tells_only_variables_takes_no_right_away() -> None:
    talk = Desk(listener="smtp_extensions = ( XSETCONTEXT )", policy=Grants()).greeted()
    assert isinstance(talk.session, JudgingSession)
    talk.say("XSETCONTEXT colour=red")
    assert talk.session.context.variables["can_relay"] == "true"


def test_policy_may_end_the_session(tmp_path: Path) -> None:
    judge = Judge()
    judge.refusal = Reply(535, "not you", "5.7.1")
    talk = greeted(tmp_path, judge)
    assert talk.say(GOOD) == ["535 5.7.1 not you"]
    judge.disconnect = True
    assert talk.say(GOOD) == ["535 5.7.1 not you"]
    assert talk.transport.over


async def test_an_authenticator_asks_the_policy_of_its_session(tmp_path: Path) -> None:
    talk = greeted(tmp_path, Judge())
    session = talk.session
    assert isinstance(session, JudgingSession)
    asked = PerformAuth(session.context, "tim", "x")
    await session._asked_by(asked)
    assert asked.known
    await session._asked_by(AuthResult(session.context, "tim", "PLAIN", "pass"))


class Revokes(Judge):
    """Takes the right to relay away at one of its hooks."""

    def __init__(self, at: type[Hook]) -> None:
        super().__init__()
        self.at = at

    @on(Connect)
    @on(Ehlo)
    @on(MailFrom)
    @on(RcptTo)
    def look_again(self, event: Hook) -> None:
        session, _ = event.about
        assert session is not None
        if isinstance(event, self.at):
            session.variables["can_relay"] = "false"


def replies(talk: Talk) -> list[str]:
    """Return what is said to two recipients elsewhere."""
    talk.say("MAIL FROM:<a@client.example>")
    return [talk.say(f"RCPT TO:<{name}@far.example>")[0][:3] for name in "bc"]


@pytest.mark.parametrize("at", [Connect, Ehlo, MailFrom])
def test_policy_takes_the_right_to_relay_from_a_client_by_its_address(at: type[Hook]) -> None:
    options = 'relay_hosts = ("192.0.2.0/24")'
    assert replies(Desk(options, policy=Judge()).greeted()) == ["250", "250"]
    talk = Desk(options, policy=Revokes(at)).greeted()
    assert replies(talk) == ["550", "550"]
    talk.say("RSET")
    talk.say("EHLO again.example")
    assert replies(talk) == ["550", "550"]


def test_at_a_recipient_it_is_taken_for_those_who_follow() -> None:
    talk = Desk('relay_hosts = ("192.0.2.0/24")', policy=Revokes(RcptTo)).greeted()
    assert replies(talk) == ["250", "550"]


def test_what_a_sender_s_domain_allows_is_not_the_client_s_to_lose() -> None:
    options = 'relay_hosts = ("192.0.2.0/24")\nrelay_for_sending_domains = ("client.example")'
    talk = Desk("", listener=options, policy=Revokes(Connect)).greeted()
    assert replies(talk) == ["250", "250"]


def test_who_proves_who_he_is_has_it_again(tmp_path: Path) -> None:
    talk = greeted(tmp_path, Revokes(Connect))
    assert replies(talk) == ["550", "550"]
    talk.say("RSET")
    talk.say(BAD)
    assert replies(talk) == ["550", "550"]
    talk.say("RSET")
    assert talk.say(GOOD)[0].startswith("235")
    assert replies(talk) == ["250", "250"]


def test_starttls_does_not_give_it_back() -> None:
    talk = Desk('relay_hosts = ("192.0.2.0/24")', policy=Revokes(Connect)).greeted()
    assert isinstance(talk.session, JudgingSession)
    talk.session._begin_anew()
    assert variables(talk) == {"can_relay": "false"}
    talk.session._told()  # The handshake is over.
    assert variables(talk) == {"can_relay": "false"}
