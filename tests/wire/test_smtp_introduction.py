"""XCLIENT and AUTH of a client, as dialogues with a host; AUTH with our own server's side too."""

import base64

import pytest

from angarium.core.body import MemoryBody
from angarium.core.message import Message, Recipient
from angarium.core.reply import Reply
from angarium.wire.sasl.digest import stored
from angarium.wire.sasl.errors import SaslError
from angarium.wire.sasl.exchange import Challenge, DigestWanted, Identity, ScramWanted
from angarium.wire.sasl.exchange import Claim as Proof
from angarium.wire.sasl.mechanisms import Setting, server
from angarium.wire.sasl.secrets import ScramSecret
from angarium.wire.smtp_client import SmtpClient
from angarium.wire.smtp_introduction import ANY, Claim, Introduction, Login, Outcome
from angarium.wire.smtp_transaction import Stage, Transaction


def b64(text: str | bytes) -> str:
    return base64.b64encode(text.encode() if isinstance(text, str) else text).decode()


class Host:
    """What a host says to each command; those it was told are in `heard`."""

    def __init__(self, offers: str, *answers: str, after: str = "") -> None:
        self.heard: list[str] = []
        self.answers = list(answers)
        self.offers, self.after = offers, after or offers
        self.client = SmtpClient("us.test")
        self.client.receive(b"220 mx\r\n")
        self.sent()
        self.client.receive(self.hello())
        assert self.client.idle

    def hello(self) -> bytes:
        words = self.offers.split("|")
        rows = ["mx", *words]
        return b"".join(
            f"250{'-' if each is not rows[-1] else ' '}{each}\r\n".encode() for each in rows
        )

    def sent(self) -> list[str]:
        found = b"".join(self.client.data_to_send()).decode().split("\r\n")[:-1]
        self.heard += found
        return found

    def meets(self, claim: Claim | None, login: Login | None) -> Outcome:
        introduction = Introduction(claim, login)
        self.client.introduce(introduction)
        self.heard.clear()
        while introduction.outcome is None and self.client.lost is None:
            assert not self.client.free
            for line in self.sent():
                if line.startswith("EHLO"):
                    self.offers = self.after
                    self.client.receive(self.hello())
                else:
                    self.client.receive(self.answers.pop(0).encode() + b"\r\n")
        assert introduction.outcome is not None
        return introduction.outcome


def login(mechanism: str, password: str = "secret", **more: bool) -> Login:
    return Login(mechanism, "me", password, "abcdef", in_clear=more.get("in_clear", True))


CLAIM = Claim({"NAME": "[UNAVAILABLE]", "ADDR": "192.0.2.9", "PORT": "4711", "PROTO": "ESMTP"})
REQUIRED = Claim(CLAIM.attributes, required=True)


def test_plain_is_one_command() -> None:
    host = Host("AUTH PLAIN LOGIN", "235 2.7.0 ok")
    outcome = host.meets(None, login("PLAIN"))
    assert outcome.failure is None
    assert host.heard == [f"AUTH PLAIN {b64(chr(0) + 'me' + chr(0) + 'secret')}"]
    assert host.client.idle


def test_login_answers_two_questions() -> None:
    host = Host("AUTH LOGIN", "334 VXNlcm5hbWU6", "334 UGFzc3dvcmQ6", "235 ok")
    assert host.meets(None, login("LOGIN")).failure is None
    assert host.heard == ["AUTH LOGIN", b64("me"), b64("secret")]


def test_a_token_that_is_refused_is_answered_before_the_host_says_no() -> None:
    host = Host("AUTH XOAUTH2", f"334 {b64('{}')}", "535 5.7.8 no")
    outcome = host.meets(None, login("XOAUTH2", "t0ken"))
    token = b64("user=me\1auth=Bearer t0ken\1\1")
    assert host.heard == [f"AUTH XOAUTH2 {token}", ""]
    assert outcome.failure is not None
    assert outcome.failure.temporary


@pytest.mark.parametrize(
    ("offers", "mechanism", "answers", "said"),
    [
        ("PIPELINING", "PLAIN", [], "AUTH wanted but not advertised"),
        ("AUTH LOGIN", "PLAIN", [], "AUTH wanted but not advertised"),
        ("AUTH PLAIN", "PLAIN", ["535 5.7.8 wrong"], "535 5.7.8 wrong"),
        ("AUTH PLAIN", "PLAIN", ["454 4.7.0 later"], "later"),
        ("AUTH PLAIN", "PLAIN", ["334 "], "has not proved"),
        ("AUTH LOGIN", "LOGIN", ["334 ???"], "has not proved"),
        ("AUTH CRAM-MD5", "CRAM-MD5", ["235 ok"], "has not proved"),
        ("AUTH SCRAM-SHA-256", "SCRAM-SHA-256", ["235 ok"], "has not proved"),
        ("AUTH XOAUTH2", "XOAUTH2", [], "not fit"),
    ],
)
def test_what_fails_is_temporary_and_says_why(
    offers: str, mechanism: str, answers: list[str], said: str
) -> None:
    cancelled = ["501 5.7.0 cancelled"]
    host = Host(offers, *answers, *cancelled)
    password = "no token at all" if mechanism == "XOAUTH2" else "secret"
    outcome = host.meets(None, login(mechanism, password))
    assert outcome.failure is not None
    assert outcome.failure.temporary
    assert said in str(outcome.failure)
    assert password not in str(outcome.failure)
    assert host.client.lost is None


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN", "XOAUTH2", ANY])
def test_no_password_goes_in_clear_unless_it_may(mechanism: str) -> None:
    host = Host("AUTH PLAIN LOGIN XOAUTH2")
    outcome = host.meets(None, login(mechanism, in_clear=False))
    assert host.heard == []
    assert outcome.failure is not None
    assert "no AUTH in clear" in str(outcome.failure)


def test_without_tls_the_best_way_that_hides_the_password_is_taken() -> None:
    host = Host("AUTH PLAIN CRAM-MD5", f"334 {b64('<1@mx>')}", "235 ok")
    assert host.meets(None, login(ANY, in_clear=False)).failure is None
    assert host.heard[0] == "AUTH CRAM-MD5"


def knows(question: object) -> object:
    """A host which knows the user."""
    match question:
        case Proof(crypt="clear", user="me", password="secret"):
            return "me"
        case Proof(crypt="token", password="t0ken"):
            return "me"
        case Proof(crypt="hmac_md5", holds=holds) if holds("secret"):
            return "me"
        case DigestWanted(user="me", realm=realm):
            return stored("me", realm, "secret")
        case ScramWanted(user="me"):
            return ScramSecret.of("secret", b"salt")
    return None


@pytest.mark.parametrize(
    "mechanism",
    ["PLAIN", "LOGIN", "CRAM-MD5", "DIGEST-MD5", "SCRAM-SHA-256", "XOAUTH2", "OAUTHBEARER"],
)
@pytest.mark.parametrize("right", [True, False])
def test_each_mechanism_convinces_a_server_and_a_wrong_password_does_not(
    mechanism: str, right: bool
) -> None:
    host = Host(f"AUTH {mechanism}")
    word = "t0ken" if mechanism in ("XOAUTH2", "OAUTHBEARER") else "secret"
    introduction = Introduction(None, login(mechanism, word if right else "wr0ng"))
    host.client.introduce(introduction)
    [command] = host.sent()
    words = command.split(" ")
    initial = base64.b64decode(words[2]) if words[2:] else None
    serving = server(mechanism, initial, Setting(lambda: "feed", host="mx", realm="mx"))
    said: object = None
    while introduction.outcome is None:
        try:
            step = serving.advance(said)
            while not isinstance(step, Challenge | Identity):
                step = serving.advance(knows(step))
        except SaslError:
            host.client.receive(b"535 5.7.8 no\r\n")
            break
        if isinstance(step, Identity):
            host.client.receive(b"235 2.7.0 ok\r\n")
            break
        host.client.receive(f"334 {b64(step.data)}\r\n".encode())
        [line] = host.sent()
        if line == "*":
            host.client.receive(b"501 cancelled\r\n")
            break
        said = base64.b64decode(line)
    assert introduction.outcome is not None
    assert (introduction.outcome.failure is None) is right


POINT = (("tls-server-end-point", b"a hash"),)
BOTH = "AUTH SCRAM-SHA-256 SCRAM-SHA-256-PLUS"


def bound(mechanism: str, binding: tuple[tuple[str, bytes], ...] = POINT) -> Login:
    return Login(mechanism, "me", "secret", "abcdef", in_clear=True, binding=binding)


@pytest.mark.parametrize(
    ("offers", "wanted", "binding", "said"),
    [
        (BOTH, "SCRAM-SHA-256", POINT, "SCRAM-SHA-256-PLUS p=tls-server-end-point"),
        (BOTH, ANY, POINT, "SCRAM-SHA-256-PLUS p=tls-server-end-point"),
        (BOTH, "SCRAM-SHA-256-PLUS", POINT, "SCRAM-SHA-256-PLUS p=tls-server-end-point"),
        ("AUTH SCRAM-SHA-256", "SCRAM-SHA-256", POINT, "SCRAM-SHA-256 y"),
        ("AUTH SCRAM-SHA-256 PLAIN", ANY, POINT, "SCRAM-SHA-256 y"),
        (BOTH, "SCRAM-SHA-256", (), "SCRAM-SHA-256 n"),
        (BOTH, ANY, (), "SCRAM-SHA-256 n"),
    ],
)
def test_where_it_can_be_bound_to_tls_it_is_and_else_it_says_why_not(
    offers: str, wanted: str, binding: tuple[tuple[str, bytes], ...], said: str
) -> None:
    host = Host(offers, "535 5.7.8 no")
    host.meets(None, bound(wanted, binding))
    _, mechanism, initial = host.heard[0].split()
    assert f"{mechanism} {base64.b64decode(initial).decode().split(',')[0]}" == said


@pytest.mark.parametrize(
    ("offers", "binding", "reason"),
    [
        ("AUTH SCRAM-SHA-256", POINT, "not advertised"),
        (BOTH, (), "needs TLS"),
    ],
)
def test_who_wants_to_be_bound_does_not_go_unbound(
    offers: str, binding: tuple[tuple[str, bytes], ...], reason: str
) -> None:
    host = Host(offers)
    outcome = host.meets(None, bound("SCRAM-SHA-256-PLUS", binding))
    assert outcome.failure is not None
    assert reason in str(outcome.failure)
    assert host.heard == []


def test_a_host_which_binds_otherwise_is_named_and_nothing_less_is_tried() -> None:
    challenge = b64("e=unsupported-channel-binding-type")
    host = Host(BOTH, f"334 {challenge}", "501 5.7.0 cancelled")
    outcome = host.meets(None, bound("SCRAM-SHA-256"))
    assert "in a way we cannot" in str(outcome.failure)
    assert [each.split()[0] for each in host.heard] == ["AUTH", "*"]


def test_xclient_names_what_the_host_wants_to_know_and_begins_anew() -> None:
    host = Host("XCLIENT NAME ADDR PORT|SIZE 10", "220 mx again", after="SIZE 20|XCLIENT ADDR")
    outcome = host.meets(CLAIM, None)
    assert host.heard == [
        "XCLIENT NAME=[UNAVAILABLE] ADDR=192.0.2.9 PORT=4711",
        "EHLO us.test",
    ]
    assert outcome.claimed
    assert host.client.extensions is not None
    assert host.client.extensions.size == 20


def test_after_xclient_comes_auth() -> None:
    host = Host("XCLIENT ADDR|AUTH PLAIN", "220 again", "235 ok")
    outcome = host.meets(CLAIM, login("PLAIN"))
    assert [each.split()[0] for each in host.heard] == ["XCLIENT", "EHLO", "AUTH"]
    assert outcome.failure is None
    assert outcome.claimed


@pytest.mark.parametrize(
    ("offers", "answers", "said", "stage"),
    [
        ("SIZE 10", [], "451 4.7.6 [internal] XCLIENT required but not advertised", Stage.EHLO),
        ("XCLIENT NAME", [], "XCLIENT required", Stage.EHLO),
        ("XCLIENT ADDR", ["550 5.7.0 not you"], "550 5.7.0 not you", Stage.XCLIENT),
        ("XCLIENT ADDR", ["451 4.3.0 later"], "451 4.3.0 later", Stage.XCLIENT),
    ],
)
def test_where_it_is_required_nothing_is_sent_without_it(
    offers: str, answers: list[str], said: str, stage: Stage
) -> None:
    outcome = Host(offers, *answers).meets(REQUIRED, None)
    assert outcome.failure is not None
    assert outcome.failure.temporary
    assert said in str(outcome.failure)
    assert outcome.stage is stage
    host = Host(offers, *answers)
    assert host.meets(CLAIM, None).failure is None
    assert host.client.idle


def test_what_is_half_begun_at_the_host_is_taken_back_before() -> None:
    host = Host("PIPELINING|AUTH PLAIN", "250 ok", "235 ok")
    message = Message("a@us.test", MemoryBody(b"hi\r\n"))
    host.client.submit(Transaction(message, [Recipient("b@mx.test", "mx.test")]))
    host.sent()
    host.client.receive(b"250 ok\r\n550 no\r\n554 nobody\r\n")
    assert host.client.finished()
    host.meets(None, login("PLAIN"))
    assert [each.split()[0] for each in host.heard] == ["RSET", "AUTH"]


def test_a_host_that_closes_meanwhile_ends_the_session() -> None:
    host = Host("AUTH PLAIN")
    host.client.introduce(Introduction(None, login("PLAIN")))
    host.sent()
    host.client.receive(b"421 4.3.2 going\r\n")
    assert host.client.lost is not None
    assert host.client.lost.reply == Reply(421, "going", "4.3.2")


def test_while_something_is_under_way_nobody_introduces_himself() -> None:
    host = Host("AUTH PLAIN")
    host.client.introduce(Introduction(None, login("PLAIN")))
    with pytest.raises(ValueError, match="under way"):
        host.client.introduce(Introduction(None, login("PLAIN")))


def test_a_password_is_not_shown() -> None:
    assert "secret" not in repr(login("PLAIN"))
