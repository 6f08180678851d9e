"""Contexts of servers, each tried by a handshake in memory with a client which has its own mind."""

import base64
import contextlib
import datetime
import ssl
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.x509.oid import NameOID

from angarium.config.held import NOTHING, Held
from angarium.config.load import load_text
from angarium.net.options.tls import Certificates, InboundTls, TlsLibrary
from angarium.net.tls.contexts import Connection, Context, ContextError, Contexts, end_point
from angarium.net.tls.facts import EXTRA, Facts, facts
from helpers.certificates import NOW, Authority, Pair, authority, client_context, server

V12, V13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3


def contexts(folder: Path, options: str = "", top: str = "") -> tuple[Contexts, Any]:
    certificate, key = server().write(folder, "own")
    text = f"""
    {top}
    esmtp_listener {{
      listen "127.0.0.1:25" {{
        tls_certificate = "{certificate}"
        tls_key = "{key}"
        {options}
      }}
    }}
    """
    made = load_text(text)
    place = {"listener": "esmtp_listener", "listen": "127.0.0.1:25", "peer": "192.0.2.1"}
    return Contexts(made.top(TlsLibrary)), (
        made.at(Certificates, **place),
        made.at(InboundTls, **place),
    )


def context(folder: Path, options: str = "", top: str = "") -> Context:
    made, place = contexts(folder, options, top)
    found = made.context(*place)
    assert found is not None
    return found


def shake(
    ours: ssl.SSLContext, theirs: ssl.SSLContext, name: str = "mx.example.com"
) -> tuple[Facts, Facts, ssl.SSLObject]:
    """Make a handshake; return what the server knows, and the client, and the server's end."""
    upward, downward = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = theirs.wrap_bio(downward, upward, server_hostname=name)
    end = ours.wrap_bio(upward, downward, server_side=True)
    for side in (client, end, client, end):
        try:
            side.do_handshake()
        except ssl.SSLWantReadError:
            continue
    return facts(end), facts(client), end


def client(version: ssl.TLSVersion | None = None, **values: Any) -> ssl.SSLContext:
    made = client_context()
    if version is not None:
        made.minimum_version = made.maximum_version = version
    if "ciphers" in values:
        made.set_ciphers(values["ciphers"])
    return made


@pytest.mark.effect("tls_protocols")
def test_only_the_versions_of_tls_protocols_are_spoken(tmp_path: Path) -> None:
    old = context(tmp_path, 'tls_protocols = "+ALL:-TLSv1.3"')
    new = context(tmp_path, 'tls_protocols = "+TLSv1.3"')
    both = context(tmp_path, 'tls_protocols = "+ALL:-SSLv3:-TLSv1.0"')
    assert shake(old, client())[0].version == "TLSv1.2"
    assert shake(both, client(V12))[0].version == "TLSv1.2"
    assert shake(both, client())[0].version == "TLSv1.3"
    assert shake(new, client())[0].version == "TLSv1.3"
    with pytest.raises(ssl.SSLError, match="PROTOCOL"):
        shake(new, client(V12))
    with pytest.raises(ContextError, match="tls_protocols"):
        context(tmp_path, 'tls_protocols = "+TLSv1.0:+TLSv1.1"')


@pytest.mark.effect("tls_ciphers")
def test_ciphers_up_to_tls_1_2_are_those_of_tls_ciphers(tmp_path: Path) -> None:
    made = context(tmp_path, 'tls_ciphers = "ECDHE+CHACHA20"')
    assert "CHACHA20" in shake(made, client(V12))[0].cipher
    with pytest.raises(ssl.SSLError, match="NO_SHARED_CIPHER"):
        shake(made, client(V12, ciphers="ECDHE+AESGCM"))
    with pytest.raises(ContextError, match="tls_ciphers"):
        context(tmp_path, 'tls_ciphers = "NORMAL"')


@pytest.mark.effect("tlsv13_ciphersuites")
def test_suites_of_tls_1_3_are_those_of_tlsv13_ciphersuites(tmp_path: Path) -> None:
    for suite in ("TLS_AES_128_GCM_SHA256", "TLS_CHACHA20_POLY1305_SHA256"):
        made = context(tmp_path, f'tlsv13_ciphersuites = "{suite}"')
        assert shake(made, client())[0].cipher == suite


@pytest.mark.effect("tls_ec_curve_names")
def test_groups_are_those_of_tls_ec_curve_names(tmp_path: Path) -> None:
    made = context(tmp_path, top='tls_ec_curve_names = "P-384"')
    theirs = client()
    theirs.set_ecdh_curve("prime256v1")
    with pytest.raises(ssl.SSLError):
        shake(made, theirs)
    theirs.set_ecdh_curve("secp384r1")
    assert shake(made, theirs)[0].version == "TLSv1.3"
    with pytest.raises(ContextError, match="tls_ec_curve_names"):
        context(tmp_path, top='tls_ec_curve_names = "X25519:nonsense"')


def by_diffie_hellman(folder: Path, top: str) -> ssl.SSLContext:
    """Return a context with a key of RSA, as there are no such ciphers for others."""
    pair = authority().signed("mx.example.com", old=True)
    certificate, key = pair.write(folder, "rsa")
    return context(folder, f'tls_certificate = "{certificate}"\ntls_key = "{key}"', top)


@pytest.mark.effect("tls_enable_dhe_ciphers")
def test_diffie_hellman_is_there_unless_it_is_switched_off(tmp_path: Path) -> None:
    theirs = client(V12, ciphers="kDHE+AESGCM")
    assert shake(by_diffie_hellman(tmp_path, ""), theirs)[0].cipher.startswith("DHE-RSA-")
    without = by_diffie_hellman(tmp_path, "tls_enable_dhe_ciphers = false")
    assert not any(str(each["name"]).startswith("DHE-") for each in without.get_ciphers())
    with pytest.raises(ssl.SSLError, match="NO_SHARED_CIPHER"):
        shake(without, theirs)


def der(*numbers: int) -> bytes:
    """Return a SEQUENCE of INTEGERs."""
    body = b"".join(b"\x02" + sized(each.to_bytes(each.bit_length() // 8 + 1)) for each in numbers)
    return b"\x30" + sized(body)


def sized(content: bytes) -> bytes:
    size = len(content)
    head = bytes([size]) if size < 128 else b"\x82" + size.to_bytes(2)
    return head + content


@pytest.mark.effect("tls_dhparams_file")
def test_parameters_of_diffie_hellman_are_read_from_their_file(tmp_path: Path) -> None:
    path = tmp_path / "dh.pem"
    encoded = base64.encodebytes(der(_SAFE_PRIME, 2)).decode()
    path.write_text(f"-----BEGIN DH PARAMETERS-----\n{encoded}-----END DH PARAMETERS-----\n")
    made = by_diffie_hellman(tmp_path, f'tls_dhparams_file = "{path}"')
    cipher = shake(made, client(V12, ciphers="kDHE+AESGCM"))[0].cipher
    assert cipher.startswith("DHE-RSA-")
    path.write_text("nothing")
    with pytest.raises(ContextError, match="no parameters"):
        context(tmp_path, top=f'tls_dhparams_file = "{path}"')


# The 2048-bit group of RFC 3526 section 3.
_SAFE_PRIME = int(
    "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74"
    "020BBEA63B139B22514A08798E3404DDEF9519B3CD3A431B302B0A6DF25F1437"
    "4FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7ED"
    "EE386BFB5A899FA5AE9F24117C4B1FE649286651ECE45B3DC2007CB8A163BF05"
    "98DA48361C55D39A69163FA8FD24CF5F83655D23DCA3AD961C62F356208552BB"
    "9ED529077096966D670C354E4ABC9804F1746C08CA18217C32905E462E36CE3B"
    "E39E772C180E86039B2783A2EC07A28FB5C55DF06F4C52C9DE2BCBF695581718"
    "3995497CEA956AE515D2261898FA051015728E5A8AACAA68FFFFFFFFFFFFFFFF",
    16,
)


@pytest.mark.effect("tls_sni_certificates")
def test_who_calls_us_by_another_name_sees_its_certificate(tmp_path: Path) -> None:
    other, wild = authority().signed("other.example"), authority().signed("*.wild.example")
    (tmp_path / "other.pem").write_bytes(other.whole)
    (tmp_path / "wild.pem").write_bytes(wild.whole)
    names = f'"other.example" = "{tmp_path}/other.pem", "*.wild.example" = "{tmp_path}/wild.pem"'
    made = context(tmp_path, f"tls_sni_certificates = [ {names} ]")
    for name, pair in {
        "other.example": other,
        "OTHER.example": other,
        "a.wild.example": wild,
        "localhost": server(),
        "mx.example.com": server(),
    }.items():
        ours, theirs, _ = shake(made, client(), name)
        assert theirs.certificate == pair.der
        assert ours.asked == name.lower()


def test_a_login_is_bound_to_the_certificate_which_was_shown(tmp_path: Path) -> None:
    other = authority().signed("other.example")
    (tmp_path / "other.pem").write_bytes(other.whole)
    made = context(tmp_path, f'tls_sni_certificates = [ "other.example" = "{tmp_path}/other.pem" ]')
    points = []
    for name in ("localhost", "other.example"):
        _, _, end = shake(made, client(), name)
        found = EXTRA["channel_bindings"](end)
        assert isinstance(found, dict)
        points.append(found["tls-server-end-point"])
    assert len(set(points)) == 2
    assert all(len(each) == 32 for each in points)


@pytest.mark.parametrize(
    ("algorithm", "length"),
    [(hashes.SHA256(), 32), (hashes.SHA512(), 64), (None, 0)],
)
def test_the_hash_is_that_of_the_signature_and_ed25519_has_none(
    algorithm: hashes.SHA256 | hashes.SHA512 | None, length: int
) -> None:
    """RFC 5929 section 4.1."""
    key: Any = ec.generate_private_key(ec.SECP256R1())
    if algorithm is None:
        key = ed25519.Ed25519PrivateKey.generate()
    now = NOW
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mx.example")])
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(1).not_valid_before(now).not_valid_after(now + datetime.timedelta(days=1))
    )  # fmt: skip
    assert len(end_point(made.sign(key, algorithm))) == length


def test_a_client_is_verified_by_whom_it_is_signed(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_bytes(authority().pem)
    made = context(tmp_path, f'tls_client_ca = "{tmp_path}/ca.pem"')
    good, bad = authority().signed("a.example"), Authority("Nobody").signed("a.example")

    def seen(pair: Pair | None) -> tuple[Facts, ssl.SSLObject]:
        theirs = client()
        if pair is not None:
            theirs.load_cert_chain(*pair.write(tmp_path, "client"))
        known, _, end = shake(made, theirs)
        return known, end

    known, end = seen(good)
    assert (known.verified, known.verdict, known.certificate) == (True, 0, good.der)
    peer = EXTRA["verified_peer"](end)
    assert isinstance(peer, dict)
    assert peer["subjectAltName"] == (("DNS", "a.example"),)
    known, end = seen(bad)
    assert (known.verified, known.certificate) == (False, bad.der)
    assert known.verdict > 0
    assert EXTRA["verified_peer"](end) is None
    known, end = seen(None)
    assert (known.verified, known.certificate, known.chain) == (False, b"", ())


GOOD = "good", True, 0
UNKNOWN = "of an unknown authority", False, 20  # X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY
OUTDATED = "outdated", False, 10  # X509_V_ERR_CERT_HAS_EXPIRED


@pytest.mark.parametrize("size", [1, 7, 300])
@pytest.mark.parametrize("version", [V12, V13])
@pytest.mark.parametrize(("which", "verified", "verdict"), [GOOD, UNKNOWN, OUTDATED])
def test_a_client_is_judged_wherever_its_octets_are_cut(
    tmp_path: Path, which: str, verified: bool, verdict: int, version: ssl.TLSVersion, size: int
) -> None:
    """A step which waits for more may have judged: what it said must not be lost with it."""
    (tmp_path / "ca.pem").write_bytes(authority().pem)
    made = context(tmp_path, f'tls_client_ca = "{tmp_path}/ca.pem"')
    pair = {
        "good": authority().signed("a.example"),
        "outdated": authority().signed("a.example", ends=NOW - datetime.timedelta(days=1)),
    }.get(which) or Authority("Nobody").signed("a.example")
    theirs = client(version)
    theirs.load_cert_chain(*pair.write(tmp_path, "client"))
    from_client, to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO(), ssl.MemoryBIO()
    one = theirs.wrap_bio(to_client, from_client, server_hostname="localhost")
    end = made.wrap_bio(to_server, to_client, server_side=True)
    done = False
    while not done:
        with contextlib.suppress(ssl.SSLWantReadError):
            one.do_handshake()
        to_server.write(from_client.read(size))
        with contextlib.suppress(ssl.SSLWantReadError):
            end.do_handshake()
            done = True
    found = facts(end)
    assert (found.certificate, found.version) == (pair.der, version.name.replace("v1_", "v1."))
    assert (found.verified, found.verdict) == (verified, verdict)
    assert (EXTRA["verified_peer"](end) is not None) is verified


@pytest.mark.parametrize("version", [V12, V13])
def test_what_was_only_judged_is_not_resumed(tmp_path: Path, version: ssl.TLSVersion) -> None:
    """A resumed session is not judged again, so a bad certificate would look good."""
    (tmp_path / "ca.pem").write_bytes(authority().pem)
    made = context(tmp_path, f'tls_client_ca = "{tmp_path}/ca.pem"')
    theirs = client(version)
    theirs.load_cert_chain(*Authority("Nobody").signed("a.example").write(tmp_path, "client"))
    session: ssl.SSLSession | None = None
    for _ in range(2):
        upward, downward = ssl.MemoryBIO(), ssl.MemoryBIO()
        one = theirs.wrap_bio(downward, upward, server_hostname="localhost", session=session)
        end = made.wrap_bio(upward, downward, server_side=True)
        for side in (one, end, one, end):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
        end.write(b"hello")
        assert one.read(5) == b"hello"
        assert not end.session_reused
        assert not facts(end).verified
        session = one.session


def test_equal_options_share_a_context_and_a_generation_reads_the_files_again(
    tmp_path: Path,
) -> None:
    made, place = contexts(tmp_path)
    assert made.context(*place) is made.context(*place)
    newer = authority().signed("mx.example.com")
    newer.write(tmp_path, "own")
    again = Contexts(made.shared).context(*place)
    assert again is not None
    assert shake(again, client())[1].certificate == newer.der
    before = made.context(*place)
    assert before is not None
    assert shake(before, client())[1].certificate == server().der


def test_without_a_certificate_there_is_no_context(tmp_path: Path) -> None:
    made, place = contexts(tmp_path, 'tls_certificate = "none"')
    assert made.context(*place) is None


def test_what_cannot_be_made_is_told_and_mail_goes_on_without_it(tmp_path: Path) -> None:
    made, place = contexts(tmp_path)
    told: list[str] = []
    made.tell = told.append
    (tmp_path / "own.key").unlink()
    assert made.usable(*place) is None
    [text] = told
    assert "own.key" in text


def test_renegotiation_is_refused(tmp_path: Path) -> None:
    assert context(tmp_path).options & ssl.OP_NO_RENEGOTIATION


def test_a_connection_says_whom_it_was_asked_for(tmp_path: Path) -> None:
    _, _, end = shake(context(tmp_path), client(), "localhost")
    assert isinstance(end, Connection)
    assert end.asked == "localhost"


def test_a_certificate_which_is_to_come_is_missed_by_nobody(tmp_path: Path) -> None:
    coming = tmp_path / "own.crt"
    made, place = contexts(tmp_path, f'tls_sni_certificates = [ "b.example" = "{coming}" ]')
    made.awaited = frozenset([str(coming)])
    coming.unlink()
    assert made.context(*place) is None
    coming.write_bytes(server().whole)
    found = made.context(*place)
    assert found is not None
    assert facts_of(found) == server().der


def test_one_of_a_name_which_is_to_come_leaves_the_others(tmp_path: Path) -> None:
    coming = tmp_path / "other.pem"
    made, place = contexts(tmp_path, f'tls_sni_certificates = [ "b.example" = "{coming}" ]')
    made.awaited = frozenset([str(coming)])
    found = made.context(*place)
    assert found is not None
    other = authority().signed("b.example")
    coming.write_bytes(other.whole)
    assert facts_of(found, "b.example") == server().der
    assert made.renew() == (1, [])
    renewed = made.context(*place)
    assert renewed is not None
    assert facts_of(renewed, "b.example") == other.der


def facts_of(context: ssl.SSLContext, name: str = "mx.example.com") -> bytes | None:
    """Return the certificate which a client sees that looks at no name."""
    client = client_context()
    client.check_hostname = False
    _, theirs, _ = shake(context, client, name)
    return theirs.certificate


def test_what_could_be_read_at_the_start_only_is_used_all_the_same(tmp_path: Path) -> None:
    made, place = contexts(tmp_path, f'tls_client_ca = "{tmp_path}/ca.pem"')
    (tmp_path / "ca.pem").write_bytes(authority().pem)
    files = ("own.crt", "own.key", "ca.pem")
    made.held = Held.of([str(tmp_path / each) for each in files])
    for each in files:
        (tmp_path / each).unlink()
    found = made.context(*place)
    assert found is not None
    theirs = client()
    theirs.load_cert_chain(*authority().signed("scraper.example").write(tmp_path, "client"))
    known, shown, _ = shake(found, theirs)
    assert (known.verified, shown.certificate) == (True, server().der)
    assert made.renew() == (1, [])
    made.held = NOTHING
    [(_, kept)] = made.made()
    assert made.renew()[0] == 0
    assert made.made()[0][1].context is kept.context
