"""How a session becomes secure, and that nothing said in clear survives it (RFC 3207)."""

import pytest

from angarium.core.reply import Reply
from angarium.wire.smtp_asked import Asked
from angarium.wire.smtp_client import SmtpClient
from angarium.wire.smtp_opening import Opening, Tls
from angarium.wire.smtp_transaction import Stage
from helpers.dialogue import Player, transaction

GREETED = """
    S: 220 mx.example ESMTP
    C: EHLO client.example
"""
OFFERED = (
    GREETED
    + """
    S: 250-mx.example
    S: 250-PIPELINING
    S: 250-CHUNKING
    S: 250 STARTTLS
"""
)


@pytest.fixture(params=[0, 1], ids=["in big pieces", "byte by byte"])
def cut(request: pytest.FixtureRequest) -> int:
    assert isinstance(request.param, int)
    return request.param


def played(script: str, tls: Tls, cut: int = 0, hello: str = "EHLO") -> Player:
    player = Player(SmtpClient("client.example", tls=tls, hello=hello), cut)
    player.play(script)
    return player


def test_starttls_is_said_where_it_is_offered(cut: int) -> None:
    player = played(OFFERED + "C: STARTTLS\nS: 220 go ahead\n", Tls.OFFERED, cut)
    client = player.client
    assert (client.shaking, client.stage, client.free) == (True, Stage.TLS, False)
    player.secured()
    player.play("""
        C: EHLO client.example
        S: 250-mx.example
        S: 250 SIZE 1000
    """)
    assert player.client.secure
    assert player.client.free
    peer = player.client.extensions
    assert peer is not None
    assert (peer.size, peer.pipelining, "STARTTLS" in peer.words) == (1000, False, False)


def test_what_was_offered_in_clear_counts_for_nothing_later() -> None:
    player = played(OFFERED + "C: STARTTLS\nS: 220 go ahead\n", Tls.REQUIRED)
    player.secured()
    assert not player.client.free
    player.play("C: EHLO client.example\nS: 250 mx.example\n")
    peer = player.client.extensions
    assert peer is not None
    assert peer.words == frozenset()


def test_without_a_wish_for_it_nobody_says_starttls() -> None:
    player = played(OFFERED, Tls.NO)
    assert player.client.free
    assert not player.client.secure
    assert player.said == []


@pytest.mark.parametrize("tls", [Tls.OFFERED, Tls.STRICT])
def test_where_it_is_not_offered_mail_goes_in_clear(tls: Tls) -> None:
    assert played(GREETED + "S: 250 mx.example\n", tls).client.free


@pytest.mark.parametrize("hello", ["EHLO", "LHLO"])
def test_required_and_not_offered_ends_the_session(hello: str, cut: int) -> None:
    script = (
        GREETED.replace("EHLO", hello)
        + """
        S: 250 mx.example
        !: 451 4.7.6 [internal] STARTTLS required but not advertised [11]
    """
    )
    assert not played(script, Tls.REQUIRED, cut, hello).said


def test_a_host_which_knows_no_ehlo_offers_nothing() -> None:
    script = (
        GREETED
        + """
        S: 502 what
        C: HELO client.example
        S: 250 mx.example
    """
    )
    assert played(script, Tls.OFFERED).client.free
    played(
        script + "!: 451 4.7.6 [internal] STARTTLS required but not advertised [11]",
        Tls.REQUIRED,
    )
    lost = played("S: 220 hi\nC: HELO client.example\nS: 250 x", Tls.REQUIRED, hello="HELO")
    assert lost.client.lost is not None


def test_after_a_refusal_all_goes_on_in_clear_if_that_is_allowed(cut: int) -> None:
    player = played(OFFERED + "C: STARTTLS\nS: 454 4.7.0 not now\n", Tls.OFFERED, cut)
    assert player.client.free
    assert not player.client.secure
    peer = player.client.extensions
    assert peer is not None
    assert peer.pipelining


@pytest.mark.parametrize("tls", [Tls.STRICT, Tls.REQUIRED])
def test_a_refusal_ends_the_session_otherwise(tls: Tls) -> None:
    refused = "!: 451 4.7.5 [internal] no tls go-ahead [16]\n"
    player = played(OFFERED + "C: STARTTLS\nS: 554 5.7.0 never\n" + refused, tls)
    assert player.said == []
    played(
        OFFERED + "C: STARTTLS\nS: 421 4.3.2 busy\n!: 421 4.3.2 busy [16]",
        tls,
    )
    wrong = "!: 451 4.5.0 [internal] protocol error: 354 in reply to STARTTLS [16]"
    played(OFFERED + "C: STARTTLS\nS: 354 go on\n" + wrong, tls)


@pytest.mark.parametrize("more", ["250 injected\r\n", "250-injected\r\n", "250 half", "\x16\x03"])
@pytest.mark.parametrize("together", [True, False])
def test_what_comes_in_clear_after_the_go_ahead_ends_the_session(more: str, together: bool) -> None:
    player = played(OFFERED + "C: STARTTLS\n", Tls.OFFERED)
    octets = [b"220 go ahead\r\n", more.encode()]
    for piece in [b"".join(octets)] if together else octets:
        player.client.receive(piece)
    lost = player.client.lost
    assert lost is not None
    assert lost.stage is Stage.TLS
    assert (str(lost.reply), lost.wrong) == (
        "451 4.5.0 [internal] protocol error: something in clear after STARTTLS",
        True,
    )
    assert player.client.data_to_send() == []


def test_nothing_is_sent_during_the_handshake() -> None:
    player = played(OFFERED + "C: STARTTLS\nS: 220 go ahead\n", Tls.REQUIRED)
    player.client.quit()
    assert player.client.data_to_send() == []
    player.secured()
    player.play("C: EHLO client.example\nS: 250 mx.example\nC: QUIT\n")


def test_over_tls_nobody_falls_back_to_helo() -> None:
    player = played(OFFERED + "C: STARTTLS\nS: 220 go ahead\n", Tls.OFFERED)
    player.secured()
    player.play("C: EHLO client.example\nS: 502 what\n!: 502 what [11]")


def test_only_a_handshake_which_is_due_is_done() -> None:
    with pytest.raises(ValueError, match="due"):
        SmtpClient("client.example").secured()
    opening = Opening("client.example", "EHLO", Tls.OFFERED)
    opening.answered(Asked.BANNER, Reply(220, "hi"))
    with pytest.raises(ValueError, match="due"):
        opening.secured(trusted=False)


@pytest.mark.parametrize("offers", [True, False])
@pytest.mark.parametrize("trusted", [True, False])
def test_a_promise_counts_only_of_who_is_known(offers: bool, trusted: bool) -> None:
    """RFC 8689 section 4.2.1."""
    reply = "S: 250-mx.example\nS: 250 REQUIRETLS\n" if offers else "S: 250 mx.example\n"
    for tls, open_all_the_same in ((Tls.REQUIRED, True), (Tls.STAYING, offers and trusted)):
        player = played(OFFERED + "C: STARTTLS\nS: 220 go ahead\n", tls)
        player.secured(trusted=trusted)
        player.play("C: EHLO client.example\n" + reply)
        peer = player.client.extensions
        assert (peer is not None) is open_all_the_same
        if peer is not None:
            assert peer.requiretls is (offers and trusted)
        else:
            player.play("!: 451 4.7.30 [internal] host does not offer REQUIRETLS [11]")


def test_a_promise_in_clear_counts_for_nothing() -> None:
    player = played(GREETED + "S: 250-mx.example\nS: 250 REQUIRETLS\n", Tls.OFFERED)
    peer = player.client.extensions
    assert peer is not None
    assert not peer.requiretls
    script = (
        GREETED + "S: 250 mx\n!: 451 4.7.6 [internal] STARTTLS required but not advertised [11]"
    )
    played(script, Tls.STAYING)


def test_mail_goes_over_it_as_over_any_session(cut: int) -> None:
    player = played(OFFERED + "C: STARTTLS\nS: 220 go ahead\n", Tls.REQUIRED, cut)
    player.secured()
    player.play("C: EHLO client.example\nS: 250 mx.example\n")
    player.submit(transaction("a@x.example", "b@y.example", b"hi\r\n"))
    player.play("""
        C: MAIL FROM:<a@x.example>
        S: 250 ok
        C: RCPT TO:<b@y.example>
        S: 250 ok
        C: DATA
        S: 354 go on
        C: hi
        C: .
        S: 250 2.0.0 taken
        =: b@y.example 250 2.0.0 taken [9]
    """)
