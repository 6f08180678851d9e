"""msys.tls_params, in the hook it is for; the other hooks of TLS to hosts."""

import pytest

from angarium.modules.lua.bind import lua
from angarium.modules.lua.callouts import Callout, NoAnswerError
from angarium.modules.lua.errors import ScriptError
from angarium.policy.hook import TlsParameters
from angarium.policy.hooks import OutboundCiphers, OutboundVerify
from angarium.policy.verdict import CONT, DONE
from helpers.objects import mail
from helpers.snippets import run

MADE = TlsParameters()


@lua("test.tls_params.made")
def made() -> TlsParameters:
    """Return some."""
    return MADE


def test_numbers_are_fields_and_texts_are_set() -> None:
    run(
        """
        require("msys.tls_params")
        local params = test.tls_params.made()
        params.use_tls = 2
        params.tls_verify = 1
        msys.tls_params.set(params, "certfile", "/client.crt")
        msys.tls_params.set(params, "keyfile", "/client.key")
        msys.tls_params.set(params, "ca", "/ca.pem")
        msys.tls_params.set(params, "cipherlist", "HIGH")
        assert(params.use_tls == 2 and params.certfile == "/client.crt")
        msys.tls_params.set(params, "ca", "")
        assert(params.ca == nil)
        """,
    )
    assert TlsParameters(2, 1, "/client.crt", "/client.key", "", "HIGH") == MADE


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ('msys.tls_params.set(params, "use_tls", "2")', "is none of certfile"),
        ('params.use_tls = "yes"', "use_tls is a number"),
        ("params.tls_verify = true", "tls_verify is a number"),
    ],
)
def test_what_cannot_be_is_told(wrong: str, said: str) -> None:
    script = f'require("msys.tls_params") local params = test.tls_params.made() {wrong}'
    with pytest.raises(ScriptError, match=said):
        run(script)


def verified(answer: object) -> tuple[object, bool]:
    event = OutboundVerify(False, "mx.a.test", "a.test", "", "")
    return Callout(OutboundVerify).verdict(event, answer, ()), event.good


def test_a_certificate_is_good_by_1() -> None:
    assert verified(1) == (DONE, True)
    assert verified(0) == (DONE, False)
    assert verified(None) == (CONT, False)
    for wrong in (True, 2, b"1"):
        with pytest.raises(NoAnswerError):
            verified(wrong)


def test_ciphers_are_the_answer() -> None:
    event = OutboundCiphers(mail())
    assert Callout(OutboundCiphers).verdict(event, b"HIGH", ()) is DONE
    assert event.ciphers == "HIGH"
    assert Callout(OutboundCiphers).verdict(event, None, ()) is CONT
    with pytest.raises(NoAnswerError):
        Callout(OutboundCiphers).verdict(event, 1, ())
