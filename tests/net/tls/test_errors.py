"""What a failure of TLS says."""

import asyncio
import ssl

from angarium.net.tls.errors import TlsError, Trouble, explained, peer_of


class Named(asyncio.BaseTransport):
    def __init__(self, name: object) -> None:
        super().__init__({"peername": name})


def test_an_error_shows_peer_and_reason() -> None:
    error = TlsError(Trouble.PROTOCOL, "no shared cipher", "192.0.2.1:25")
    assert str(error).startswith(Trouble.PROTOCOL.value)
    assert "no shared cipher" in str(error)
    assert "192.0.2.1:25" in str(error)


def test_an_error_of_openssl_is_told_in_its_words() -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    incoming.write(b"220 this is no TLS\r\n")
    try:
        context.wrap_bio(incoming, outgoing, server_hostname="localhost").do_handshake()
    except ssl.SSLError as error:
        assert explained(error) == (Trouble.PROTOCOL, "wrong version number", 0)
    assert explained(ssl.SSLError(1, "odd")) == (Trouble.PROTOCOL, "unknown", 0)


def test_a_peer_is_shown_with_its_port_if_it_has_one() -> None:
    assert peer_of(Named(("192.0.2.1", 25))) == "192.0.2.1:25"
    assert peer_of(Named(("2001:db8::1", 25, 0, 0))) == "[2001:db8::1]:25"
    assert peer_of(Named("/run/socket")) == ""
