"""All mechanisms, both sides against each other; and which one a client chooses."""

from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from angarium.wire.sasl.digest import stored
from angarium.wire.sasl.errors import SaslError
from angarium.wire.sasl.exchange import (
    Challenge,
    Claim,
    Credentials,
    DigestWanted,
    Identity,
    ScramWanted,
    Step,
)
from angarium.wire.sasl.mechanisms import Setting, chosen, client, server
from angarium.wire.sasl.names import ALL, CLEAR
from angarium.wire.sasl.scram import Channel
from angarium.wire.sasl.secrets import ScramSecret

BINDING = {"tls-exporter": b"octets of it"}
NONCES = count()
SETTING = Setting(
    lambda: f"{next(NONCES):032x}", "mx.example", "realm", b"key", Channel(BINDING), ("tim",)
)


def answered(step: Step, password: str) -> object:
    """Return what somebody who knows the password of tim says to a question."""
    match step:
        case Claim(user="tim", crypt="hmac_md5"):
            return "tim" if step.holds(password) else None
        case Claim(user="tim"):
            return "tim" if step.password == password else None
        case DigestWanted(user="tim"):
            return stored("tim", step.realm, password)
        case ScramWanted(user="tim"):
            return ScramSecret.of(password, b"salt")
    return None


@pytest.mark.parametrize("mechanism", ALL)
@pytest.mark.parametrize("waits", [False, True])
def test_both_sides_understand_each_other(mechanism: str, waits: bool) -> None:
    binding = tuple(BINDING.items()) if mechanism.endswith("PLUS") else ()
    if not binding:
        setting = Setting(SETTING.nonce, "mx.example", "realm", b"key", names=("tim",))
    else:
        setting = SETTING
    who = Credentials("tim", "pass", host="mx.example", port=25, binding=binding)
    there = client(mechanism, who, "cnonce")
    initial = there.initial()
    held = initial
    here = server(mechanism, None if waits else initial, setting)
    step = here.advance()
    while not isinstance(step, Identity):
        if not isinstance(step, Challenge):
            step = here.advance(answered(step, "pass"))
        elif waits and held is not None:
            step, held = here.advance(held), None
        else:
            step = here.advance(there.respond(step.data))
    there.finish()
    assert step == Identity("tim")
    assert there.clear is (mechanism in CLEAR)


@given(st.sampled_from(ALL), st.none() | st.binary(max_size=100), st.lists(st.binary(max_size=100)))
def test_whatever_is_said_ends_in_a_refusal(
    mechanism: str, initial: bytes | None, said: list[bytes]
) -> None:
    """Nobody gets in who knows nothing, and nothing but a SaslError comes out."""
    setting = Setting(SETTING.nonce, "mx.example", "realm", b"key")
    here = server(mechanism, initial, setting)
    try:
        step = here.advance()
        for each in said:
            while not isinstance(step, Challenge):
                assert not isinstance(step, Identity)
                step = here.advance(None)
            step = here.advance(each)
    except SaslError:
        return
    finally:
        here.close()
    assert not isinstance(step, Identity)


@given(st.sampled_from(ALL), st.lists(st.binary(max_size=100), max_size=4))
def test_whatever_a_server_says_a_client_answers_or_leaves(
    mechanism: str, said: list[bytes]
) -> None:
    there = client(mechanism, Credentials("tim", "pass", binding=tuple(BINDING.items())), "n")
    there.initial()
    try:
        for each in said:
            assert isinstance(there.respond(each), bytes)
    except SaslError:
        return


def test_the_best_one_is_chosen() -> None:
    offered = ("LOGIN", "plain", "CRAM-MD5", "SCRAM-SHA-256", "SCRAM-SHA-256-PLUS", "XOAUTH2")
    assert chosen(offered, secure=True, bound=True) == "SCRAM-SHA-256-PLUS"
    assert chosen(offered, secure=True) == "SCRAM-SHA-256"
    assert chosen(offered, ("LOGIN", "PLAIN"), secure=True) == "PLAIN"
    assert chosen(offered, secure=True, token=True) == "XOAUTH2"


def test_no_password_is_sent_in_clear() -> None:
    assert chosen(("PLAIN", "LOGIN"), secure=False) is None
    assert chosen(("PLAIN", "CRAM-MD5"), secure=False) == "CRAM-MD5"
    assert chosen(("XOAUTH2",), secure=False, token=True) is None


def test_a_certificate_alone_is_for_external() -> None:
    assert chosen(("EXTERNAL", "PLAIN"), secure=True) == "PLAIN"
    assert chosen(("EXTERNAL", "PLAIN"), secure=True, certificate=True) == "EXTERNAL"
    assert chosen(("PLAIN",), secure=True, certificate=True) is None
