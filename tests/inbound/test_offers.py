"""What AUTH is offered: by the options, the extensions, and who is on the other side."""

from typing import Any

import pytest

from angarium.config.load import load_text
from angarium.core.errors import Error
from angarium.inbound.authenticators import Authenticator, Nobody
from angarium.inbound.offers import Plan, check, named, plan
from angarium.net.options.authentication import Authentication, Guessing
from angarium.wire.sasl.names import ALL

FILE = {"uri": "file:///users"}
EVERY: dict[str, Any] = {
    "authplainparameters": FILE,
    "authloginparameters": FILE,
    "authcrammd5parameters": FILE,
    "authdigestmd5parameters": FILE | {"realm": "r"},
    "authscramparameters": FILE,
    "authoauthparameters": {"uri": "tokens://x"},
    "authexternalparameters": {},
}


class Tokens(Authenticator):
    mechanisms = ("XOAUTH2", "OAUTHBEARER", "PLAIN")


SCHEMES = {"tokens": Tokens()}


def made(extensions: tuple[str, ...] = ("AUTH",), clear: str = "no", **options: Any) -> Plan:
    authentication = Authentication.make(**(EVERY | options))
    return plan(authentication, Guessing.make(auth_in_clear=clear), extensions, "mx", SCHEMES)


@pytest.mark.effect(
    "authplainparameters", "authloginparameters", "authcrammd5parameters",
    "authdigestmd5parameters", "authscramparameters", "authoauthparameters",
    "authexternalparameters",
)  # fmt: skip
def test_the_best_one_is_offered_first() -> None:
    usable = made().usable("192.0.2.1", secure=True, bound=True, named=True)
    assert tuple(usable) == ALL
    for option in EVERY:
        without: dict[str, Any] = {option: None}
        left = made(**without).usable("192.0.2.1", secure=True, bound=True, named=True)
        assert 0 < len(set(ALL) - set(left)) <= 2


def test_what_cannot_be_is_not_offered() -> None:
    usable = made().usable("192.0.2.1", secure=True, bound=False, named=False)
    assert "SCRAM-SHA-256-PLUS" not in usable
    assert "EXTERNAL" not in usable
    assert made().usable("192.0.2.1", secure=False, bound=False, named=False) == []
    assert made(clear="loopback").usable("127.0.0.1", secure=False, bound=False, named=False)
    assert not made(clear="loopback").usable("192.0.2.1", secure=False, bound=False, named=False)
    assert made(clear="yes").usable("192.0.2.1", secure=False, bound=False, named=False)


def test_only_what_is_named_is_offered() -> None:
    assert list(made(("AUTH PLAIN LOGIN", "SIZE")).offers) == ["PLAIN", "LOGIN"]
    assert list(made(("AUTH=SCRAM-SHA-256",)).offers) == ["SCRAM-SHA-256-PLUS", "SCRAM-SHA-256"]
    assert list(made(("STARTTLS",)).offers) == []
    assert not made(()).speaks
    assert named(["auth plain"]) == {"PLAIN"}


def test_who_cannot_check_a_mechanism_is_not_asked_for_it() -> None:
    assert "CRAM-MD5" not in made(authcrammd5parameters={"uri": "tokens://"}).offers
    assert "PLAIN" in made(authplainparameters={"uri": "tokens://"}).offers


def test_who_is_not_there_knows_nobody() -> None:
    found = made(authplainparameters={"uri": "none://"}).offers["PLAIN"]
    assert isinstance(found.authenticator, Nobody)


def test_the_realm_of_digests_is_that_of_the_listener() -> None:
    assert {each.realm for each in made().offers.values()} == {"r"}
    assert {each.realm for each in made(authdigestmd5parameters=None).offers.values()} == {"mx"}


def test_all_are_let_in_or_nobody_is() -> None:
    allowed = made(always_allow=True)
    assert allowed.anonymous == "anonymous"
    assert "SCRAM-SHA-256" not in allowed.offers
    denied = made(always_allow=True, always_deny=True)
    assert denied.anonymous == ""
    assert all(isinstance(each.authenticator, Nobody) for each in denied.offers.values()
               if each.mechanism != "EXTERNAL")  # fmt: skip


def listener(inside: str) -> Any:
    text = f'esmtp_listener {{ listen "127.0.0.1:25" {{ smtp_extensions = ( AUTH ) {inside} }} }}'
    return load_text(text).root


def test_a_scheme_nobody_knows_refuses_the_configuration() -> None:
    with pytest.raises(Error, match="nobody knows users by nothing://"):
        check(listener('authplainparameters = [ uri = "nothing://x" ]'), {})
    with pytest.raises(Error, match="nobody knows users by users://"):
        check(listener('authplainparameters = [ uri = "users" ]'), {})
    with pytest.raises(Error, match="digest:// cannot check SCRAM-SHA-256"):
        check(listener('authscramparameters = [ uri = "digest:///x" ]'), {})
    check(listener('authoauthparameters = [ uri = "Tokens://x" ]'), SCHEMES)
    check(listener("authexternalparameters = [ ]"), {})


def test_users_of_the_console_are_its_own_matter() -> None:
    text = 'control_listener { listen "/tmp/x" { authloginparameters = [ uri = "ecauth://" ] } }'
    check(load_text(text).root, {})
