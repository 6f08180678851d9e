"""What is known of a connection; with a handshake in memory."""

import ssl
from pathlib import Path

from angarium.net.tls.facts import Facts, facts
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
