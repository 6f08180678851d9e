"""Chains which scripts check and add to: what is kept with the message, and who is believed."""

from pathlib import Path

import pytest

from angarium.mail.auth import arc
from angarium.mail.auth.asking import at_once
from angarium.mail.auth.fields import Fields, opened
from angarium.mail.auth.signature import Outcome
from angarium.modules.sign import chains
from angarium.modules.sign.found import found_of
from angarium.modules.sign.orders import Order, OrderError, Orders
from angarium.policy.context import Which
from angarium.policy.mail import Mail
from helpers.departing import KEYS, LETTER, Signing, ask

ORDER = Order(domain="example.com", selector="s1", keybuf=KEYS["s1"].pem().decode())
HOST = "mx.node.test"
ZONE = f"s1._domainkey.example.com TXT {KEYS['s1'].record().decode()}"


async def sealed(
    folder: Path, letter: bytes = LETTER, told: bytes = b"", *, before: str | None = None
) -> tuple[Mail, bool]:
    """Seal a message; `before`: what was found when it came in."""
    server = Signing(folder, "", ZONE)
    [mail] = await server.send(letter)
    if before is not None:
        mail.set(Which.MESSAGE, "arc_cv", before)
    means = server.way.means
    return mail, await chains.seal(mail, means, Orders(means), ORDER, told)


def outcome(mail: Mail) -> Outcome:
    header, pieces = opened([mail.draft.whole()])
    return at_once(arc.verify(Fields(header), pieces, ask())).outcome


async def test_a_chain_grows_as_long_as_it_holds(tmp_path: Path) -> None:
    first, done = await sealed(tmp_path)
    assert (done, outcome(first)) == (True, Outcome.PASS)
    second, done = await sealed(tmp_path, first.draft.whole())
    assert (done, outcome(second)) == (True, Outcome.PASS)
    broken = second.draft.whole().replace(b"Hello", b"Hallo")
    third, done = await sealed(tmp_path, broken)
    assert (done, third.get(Which.MESSAGE, "arc_cv")) == (True, "fail")
    fourth, done = await sealed(tmp_path, third.draft.whole())
    assert (done, fourth.get(Which.MESSAGE, "arc_seal")) == (False, "skip")


@pytest.mark.parametrize("before", ["none", "pass", "fail", "nonsense"])
async def test_what_a_script_made_of_the_result_does_no_harm(tmp_path: Path, before: str) -> None:
    mail, done = await sealed(tmp_path, before=before)
    assert done
    assert outcome(mail) is (Outcome.PASS if before == "none" else Outcome.FAIL)


async def test_octets_of_a_script_end_no_line(tmp_path: Path) -> None:
    mail, _ = await sealed(tmp_path, told=b"mx; spf=pass\r\n\r\nX: \x00\x7f")
    [value] = mail.draft.values("ARC-Authentication-Results")
    assert b" ".join(value.split()) == f"i=1; {HOST}; spf=pass X:; arc=none".encode()
    assert outcome(mail) is Outcome.PASS


async def test_verify_removes_what_claims_to_be_ours_and_tells_modules(tmp_path: Path) -> None:
    server = Signing(tmp_path, "", ZONE)
    forged = f"Authentication-Results: {HOST}; arc=pass\r\n".encode()
    [mail] = await server.send(forged + LETTER)
    session = server.way.session
    session.mail = mail
    chain = await chains.verify(mail, session, server.way.means)
    assert chain.outcome is Outcome.NONE
    assert mail.get(Which.MESSAGE, "arc_cv") == "none"
    assert b"authentication-results" not in mail.draft.names
    assert found_of(session, mail).arc is chain


async def test_what_cannot_be_done_leaves_no_result(tmp_path: Path) -> None:
    server = Signing(tmp_path, "", ZONE)
    [mail] = await server.send()
    mail.set(Which.MESSAGE, "arc_seal", "ok")
    means = server.way.means
    with pytest.raises(OrderError):
        await chains.seal(mail, means, Orders(means), Order(domain="example.com"))
    assert mail.get(Which.MESSAGE, "arc_seal") is None
