"""Contexts of clients: what they are made of, whom they trust, and the sessions they go on with."""

import datetime
import ssl
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from angarium.net.options.tls import Certificates, OutboundTls, TlsLibrary
from angarium.net.tls import clients, library
from angarium.net.tls.clients import Clients, HostConnection, Recipe, Seen, Trust, called, recipe
from angarium.net.tls.contexts import ContextError
from helpers.certificates import NOW, Authority, Pair, authority, server, server_context
from helpers.clock import FakeClock

PLACE = ("mx.example.com", "192.0.2.1", 25)
HOSTNAME_MISMATCH, SELF_SIGNED_LEAF, NO_ISSUER, EXPIRED = 62, 18, 20, 10


def made(clock: FakeClock | None = None) -> Clients:
    return Clients(TlsLibrary.make(), clock or FakeClock())


@pytest.fixture
def authorities(tmp_path: Path) -> str:
    path = tmp_path / "authorities.pem"
    path.write_bytes(authority().pem)
    return str(path)


class Pipe:
    """A handshake in memory between a client's context and a server's, cut at each octet or not."""

    def __init__(
        self, client: ssl.SSLContext, server: ssl.SSLContext, session: Any = None, cut: int = 0
    ) -> None:
        self.to_client, self.to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._from_client, self._from_server = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.client = client.wrap_bio(
            self.to_client, self._from_client, False, "mx.example.com", session
        )
        self.server = server.wrap_bio(self.to_server, self._from_server, True)
        self._cut = cut

    def shake(self) -> None:
        done: set[ssl.SSLObject] = set()
        for _ in range(20000):
            for side, source, target in (
                (self.client, self._from_server, self.to_client),
                (self.server, self._from_client, self.to_server),
            ):
                if source.pending:
                    target.write(source.read(self._cut) if self._cut else source.read())
                try:
                    side.do_handshake()
                    done.add(side)
                except ssl.SSLWantReadError:
                    pass
            if len(done) == 2:
                break
        # The tickets of TLS 1.3 come with the first octets.
        self.server.write(b"x")
        self.to_client.write(self._from_server.read())
        assert self.client.read(1) == b"x"


def test_equal_recipes_share_a_context_and_not_too_many_are_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(clients, "MOST_CONTEXTS", 2)
    known = made()
    first = known.context(Recipe())
    assert known.context(Recipe()) is first
    known.context(Recipe(ciphers="HIGH"))
    assert known.context(Recipe()) is first
    known.context(Recipe(protocols="+TLSv1.3"))
    assert known.sizes[0] == (2, 2)
    assert known.context(Recipe()) is first  # The one which was asked for last stays.


@pytest.mark.effect("tls_ca", "tls_certificate", "tls_key")
def test_a_recipe_is_what_the_options_say() -> None:
    outbound = OutboundTls.make(tls_ca="/ca.pem")
    found = recipe(outbound, Certificates.make(tls_certificate="/a.crt", tls_key="/a.key"))
    assert (found.authorities, found.certificate, found.key) == ("/ca.pem", "/a.crt", "/a.key")
    assert recipe(OutboundTls.make(), Certificates.make(tls_certificate="none")) == Recipe()


@pytest.mark.parametrize(
    ("wanted", "option"),
    [
        (Recipe(authorities="/nowhere", trust=Trust.NEEDED), "tls_ca"),
        (Recipe(certificate="/nowhere"), "tls_certificate"),
        (Recipe(protocols="-TLSv1.2:-TLSv1.3"), "tls_protocols"),
        (Recipe(ciphers="nonsense"), "tls_ciphers"),
    ],
)
def test_what_cannot_be_is_blamed_on_its_option(wanted: Recipe, option: str) -> None:
    with pytest.raises(ContextError) as caught:
        made().context(wanted)
    assert caught.value.option == option


def test_a_file_without_certificates_is_blamed(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("nothing")
    with pytest.raises(ContextError, match="no certificate in PEM"):
        made().context(Recipe(authorities=str(tmp_path / "ca.pem"), trust=Trust.NEEDED))


def foreign() -> Pair:
    return Authority("Nobody").signed("mx.example.com")


def expired() -> Pair:
    return authority().signed("mx.example.com", ends=NOW - datetime.timedelta(days=1))


@pytest.mark.parametrize("cut", [0, 1], ids=["whole", "octet by octet"])
@pytest.mark.parametrize("version", ["+TLSv1.2", "+TLSv1.3"])
@pytest.mark.parametrize(
    ("show", "wrong"), [(server, ()), (foreign, (NO_ISSUER, 21)), (expired, (EXPIRED,))]
)
def test_a_certificate_is_judged_wherever_the_handshake_is_cut(
    tmp_path: Path, authorities: str, show: Any, wrong: tuple[int, ...], version: str, cut: int
) -> None:
    context = made().context(Recipe(authorities=authorities, protocols=version, trust=Trust.JUDGED))
    pipe = Pipe(context, server_context(tmp_path, show()), cut=cut)
    pipe.shake()
    assert clients.wrong_with(pipe.client, context) == wrong


@pytest.mark.parametrize("show", [foreign, expired])
def test_a_certificate_which_is_needed_and_wrong_ends_the_handshake(
    tmp_path: Path, authorities: str, show: Any
) -> None:
    context = made().context(Recipe(authorities=authorities, trust=Trust.NEEDED))
    with pytest.raises(ssl.SSLCertVerificationError):
        Pipe(context, server_context(tmp_path, show())).shake()


def test_where_nobody_looks_anything_does(tmp_path: Path) -> None:
    context = made().context(Recipe())
    pipe = Pipe(context, server_context(tmp_path, foreign()))
    pipe.shake()
    assert isinstance(pipe.client, HostConnection)
    assert clients.wrong_with(pipe.client, context) == (clients.NOT_JUDGED,)


def test_without_the_library_a_certificate_counts_as_not_judged(
    tmp_path: Path, authorities: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(_context: ssl.SSLContext) -> None:
        raise library.UnsupportedError("not here")

    monkeypatch.setattr(library, "judge_host", none)
    context = made().context(Recipe(authorities=authorities, trust=Trust.JUDGED))
    pipe = Pipe(context, server_context(tmp_path))
    pipe.shake()
    assert clients.wrong_with(pipe.client, context) == (clients.NOT_JUDGED,)


@pytest.mark.parametrize("version", ["+TLSv1.2", "+TLSv1.3"])
@pytest.mark.parametrize("trust", list(Trust))
def test_a_kept_session_is_gone_on_with(
    tmp_path: Path, authorities: str, version: str, trust: Trust
) -> None:
    clock = FakeClock()
    known = made(clock)
    context = known.context(Recipe(authorities=authorities, protocols=version, trust=trust))
    theirs = server_context(tmp_path)
    first = Pipe(context, theirs)
    first.shake()
    assert first.client.session is not None
    known.keep(context, PLACE, first.client.session, Seen((7,)))
    kept = known.kept(context, PLACE)
    assert kept is not None
    assert kept.seen.wrong == (7,)
    second = Pipe(context, theirs, kept.session)
    second.shake()
    assert second.client.session_reused
    assert known.kept(context, ("other", "192.0.2.1", 25)) is None
    clock.advance(clients.SESSION_SECONDS - 1)
    assert known.kept(context, PLACE) is kept
    clock.advance(1)
    assert known.kept(context, PLACE) is None


def test_sessions_are_bounded_and_go_with_their_context(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clients, "MOST_SESSIONS", 2)
    monkeypatch.setattr(clients, "MOST_CONTEXTS", 1)
    known = made()
    context = known.context(Recipe())
    pipe = Pipe(context, server_context(tmp_path))
    pipe.shake()
    session = pipe.client.session
    assert session is not None
    for number in range(3):
        known.keep(context, ("mx", f"192.0.2.{number}", 25), session, Seen())
    assert [n for n, _ in known.sizes] == [1, 2]
    assert known.kept(context, ("mx", "192.0.2.0", 25)) is None
    known.forget(context, ("mx", "192.0.2.1", 25))
    assert [n for n, _ in known.sizes] == [1, 1]
    known.context(Recipe(ciphers="HIGH"))
    assert [n for n, _ in known.sizes] == [1, 0]
    known.flush()
    assert [n for n, _ in known.sizes] == [0, 0]


def test_a_session_nobody_can_go_on_with_is_not_kept() -> None:
    known = made()
    context = known.context(Recipe())
    for ticket, ident, kept in ((False, b"", False), (True, b"", True), (False, b"1", True)):
        session = cast(ssl.SSLSession, SimpleNamespace(has_ticket=ticket, id=ident))
        known.keep(context, PLACE, session, Seen())
        assert (known.kept(context, PLACE) is not None) is kept
        known.forget(context, PLACE)


@pytest.mark.parametrize(
    ("names", "asked", "is_theirs"),
    [
        (("mx.example.com",), "mx.example.com", True),
        (("mx.example.com",), "MX.example.com.", True),
        (("*.example.com",), "mx.example.com", True),
        (("*.example.com",), "a.mx.example.com", False),
        (("*.example.com",), "example.com", False),
        (("mx.example.com",), "example.com", False),
        (("192.0.2.1",), "192.0.2.1", True),
        (("192.0.2.1",), "192.0.2.2", False),
        (("mx.example.com",), "192.0.2.1", False),
    ],
)
def test_a_certificate_is_for_the_names_it_bears(
    names: tuple[str, ...], asked: str, is_theirs: bool
) -> None:
    certificate = authority().signed(*names).der
    assert called(certificate, [asked]) is is_theirs
    assert called(certificate, ["elsewhere.test", asked]) is is_theirs
    assert not called(certificate, [])


def test_the_common_name_counts_only_where_there_is_no_other(tmp_path: Path) -> None:
    assert not called(authority().signed("a.test", "b.test").der, ["c.test"])
    common = ssl.PEM_cert_to_DER_cert(Authority("mx.example.com").pem.decode())
    assert called(common, ["mx.example.com"])
    assert not called(common, ["other.example.com"])
    assert not called(common, ["192.0.2.1"])
    assert not called(b"no certificate", ["mx.example.com"])


def test_a_certificate_of_ours_which_is_to_come_is_shown_when_it_has(tmp_path: Path) -> None:
    path = tmp_path / "own.pem"
    known = Clients(TlsLibrary.make(), FakeClock(), frozenset([str(path)]))
    wanted = Recipe(certificate=str(path))
    before = known.context(wanted)
    path.write_bytes(server().whole)
    assert (known.context(wanted) is before, before.end_point) == (True, b"")
    known.flush()
    assert known.context(wanted) is not before
    path.write_bytes(b"")
    known.flush()
    with pytest.raises(ContextError, match="no certificate in PEM"):
        known.context(wanted)
