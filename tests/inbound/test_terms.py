"""What the options say of TLS to one client."""

import ssl

from angarium.config.load import load_text
from angarium.inbound.terms import CLEAR, terms
from angarium.net.options.tls import InboundTls
from angarium.net.tls.contexts import Context


def options(text: str) -> InboundTls:
    made = load_text(f'esmtp_listener {{ listen "127.0.0.1:25" {{ {text} }} }}')
    return made.at(InboundTls, listener="esmtp_listener", listen="127.0.0.1:25", peer="192.0.2.1")


def test_starttls_is_offered_where_there_is_a_certificate_and_no_tls_yet() -> None:
    context = Context(ssl.PROTOCOL_TLS_SERVER)
    assert terms(options(""), context).offered
    assert not terms(options(""), None).offered
    assert not CLEAR.offered


def test_what_is_injected_is_refused_unless_it_is_to_be_forgotten() -> None:
    assert terms(options(""), None).rejects_injected
    for word in ("ignore", "allow"):
        assert not terms(options(f"starttls_injection_policy = {word}"), None).rejects_injected
