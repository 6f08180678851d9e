"""What is known of a connection; with a handshake in memory."""

import contextlib
import hashlib
import ssl
from pathlib import Path

import pytest
from cryptography import x509

from angarium.net.tls.facts import EXTRA, Facts, _end_point, facts
from helpers.certificates import client_context, server, server_context


def shaken(folder: Path) -> tuple[ssl.SSLObject, ssl.SSLObject]:
    """Return both ends after a handshake."""
    upward, downward = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = client_context().wrap_bio(downward, upward, server_hostname="localhost")
    other = server_context(folder).wrap_bio(upward, downward, server_side=True)
    for side in (client, other, client, other):
        try:
            side.do_handshake()
        except ssl.SSLWantReadError:
            continue
    return client, other


def test_before_the_handshake_nothing_is_known() -> None:
    tls = client_context().wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname="localhost")
    assert facts(tls) == Facts()


def test_each_end_knows_whom_it_has_seen(tmp_path: Path) -> None:
    client, other = (facts(each) for each in shaken(tmp_path))
    assert client.certificate == server().der
    assert client.chain == (server().der,)
    assert (other.certificate, other.chain) == (b"", ())
    assert client.cipher == other.cipher != ""
    assert client.bits == other.bits >= 128
    assert client.version == other.version == "TLSv1.3"
    assert not client.resumed


def test_both_ends_bind_a_login_to_the_certificate_of_the_server(tmp_path: Path) -> None:
    client, other = shaken(tmp_path)
    ours = point_of_server()
    assert EXTRA["channel_bindings"](client) == {"tls-server-end-point": ours}
    # A context which is not ours knows no certificate of its own.
    assert EXTRA["channel_bindings"](other) == {}


def point_of_server() -> bytes:
    """Return what RFC 5929 section 4.1 has for the certificate, which is signed by SHA-256."""
    assert x509.load_der_x509_certificate(server().der).signature_hash_algorithm is not None
    return hashlib.sha256(server().der).digest()


def test_a_certificate_which_is_none_binds_nothing() -> None:
    assert _end_point(b"") == _end_point(b"x") == b""


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_session_which_goes_on_is_bound_as_the_first_one(
    tmp_path: Path, version: ssl.TLSVersion
) -> None:
    context, other = client_context(), server_context(tmp_path)
    context.maximum_version = version
    session = None
    for resumed in (False, True):
        upward, downward = ssl.MemoryBIO(), ssl.MemoryBIO()
        client = context.wrap_bio(downward, upward, server_hostname="localhost", session=session)
        end = other.wrap_bio(upward, downward, server_side=True)
        for side in (client, end, client, end):
            with contextlib.suppress(ssl.SSLWantReadError):
                side.do_handshake()
        end.write(b"a ticket comes before it")
        assert client.read(24)
        assert client.session_reused is resumed
        assert EXTRA["channel_bindings"](client) == {"tls-server-end-point": point_of_server()}
        session = client.session
