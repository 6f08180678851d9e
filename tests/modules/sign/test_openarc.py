"""openarc: chains are checked on the way in and sealed on the way out, if options ask for it."""

from pathlib import Path

import pytest

from angarium.core.errors import Error
from angarium.core.message import Recipient
from angarium.mail.auth.arc import verify
from angarium.mail.auth.asking import at_once
from angarium.mail.auth.fields import Fields, opened
from angarium.mail.auth.keys import PrivateKey
from angarium.mail.auth.signature import Outcome
from angarium.mail.auth.tags import parsed
from angarium.modules.sign.found import found_of
from angarium.modules.sign.openarc import CHECKED, SEALING
from angarium.policy import hooks
from angarium.policy.context import Which
from angarium.policy.mail import Mail
from helpers.authentic import Way
from helpers.departing import KEYS, LETTER, ask

LINES = LETTER.decode().removesuffix("\r\n").split("\r\n")
SEALS = 'signing_domain = "example.com" selector = "s1" key = "KEYS/s1"'
NEXT = 'signing_domain = "example.net" selector = "e1" key = "KEYS/e1"'
ZONE = f"""
s1._domainkey.example.com TXT {KEYS["s1"].record().decode()}
e1._domainkey.example.net TXT {KEYS["e1"].record().decode()}
s1._domainkey.slow.example SERVFAIL
"""


def way(folder: Path, options: str = "", more: str = "") -> Way:
    for name in ("s1", "e1"):
        (folder / name).write_bytes(KEYS[name].pem())
    text = f"openarc {{ {options} }} {more}".replace("KEYS", str(folder))
    return Way(folder, text, ZONE)


async def left(here: Way, *lines: str, recipients: int = 1) -> list[Mail]:
    """Return a message as it leaves, for each recipient."""
    await here.whole("joe@example.com", *(lines or LINES))
    here.mail.recipients = [
        Recipient(f"b{number}@mx.example", "mx.example") for number in range(recipients)
    ]
    here.mail.finish()
    mails = list(here.mail.each())
    for each in mails:
        await here.ask(hooks.FinalValidation, each, here.session)
        await here.ask(hooks.PostFinalValidation, each, here.session)
    return mails


def lines(mail: Mail) -> list[str]:
    return mail.draft.whole().decode().removesuffix("\r\n").split("\r\n")


def chain(mail: Mail) -> tuple[Outcome, list[str]]:
    header, pieces = opened([mail.draft.whole()])
    found = at_once(verify(Fields(header), pieces, ask()))
    return found.outcome, found.domains


def tags(mail: Mail, name: str) -> dict[bytes, bytes]:
    return parsed(mail.draft.values(name)[0])


async def sealed(folder: Path, options: str = SEALS) -> list[str]:
    [mail] = await left(way(folder, options))
    return lines(mail)


@pytest.mark.effect("openarc.verify")
async def test_a_chain_is_checked_and_everybody_is_told(tmp_path: Path) -> None:
    octets = await sealed(tmp_path)
    here = way(tmp_path, "verify = true")
    await here.whole("joe@example.com", *octets)
    assert here.variables["arc_cv"] == "pass"
    [told] = here.fields("authentication-results")
    assert told == "mx.node.test;\tarc=pass"
    found = found_of(here.session, here.mail).arc
    assert found is not None
    assert found.domains == ["example.com"]
    silent = way(tmp_path)
    await silent.whole("joe@example.com", *octets)
    assert "arc_cv" not in silent.variables
    assert found_of(silent.session, silent.mail).arc is None


async def test_a_changed_message_breaks_the_chain_and_is_taken(tmp_path: Path) -> None:
    octets = await sealed(tmp_path)
    here = way(tmp_path, 'verify = true debug_level = "INFO"')
    await here.whole("joe@example.com", *octets, "added")
    assert here.variables["arc_cv"] == "fail"
    [told] = here.fields("authentication-results")
    assert "arc=fail" in told
    assert here.refusal is None
    assert "192.0.2.1" in here.place.panics[0][1]
    assert here.place.metrics.cell(CHECKED, "fail").value == 1


@pytest.mark.effect("openarc.add_authentication_results")
async def test_readers_are_told_of_chains_only_and_if_they_may_be(tmp_path: Path) -> None:
    octets = await sealed(tmp_path)
    here = way(tmp_path, "verify = true add_authentication_results = false")
    await here.whole("joe@example.com", *octets)
    assert here.variables["arc_cv"] == "pass"
    assert here.fields("authentication-results") == []
    plain = way(tmp_path, "verify = true")
    await plain.whole("joe@example.com", *LINES)
    assert plain.variables["arc_cv"] == "none"
    assert plain.fields("authentication-results") == []


@pytest.mark.effect("openarc.defer_on_trouble")
async def test_trouble_with_dns_is_taken_or_put_off(tmp_path: Path) -> None:
    octets = [each.replace("example.com; s=s1", "slow.example; s=s1") for each in
              await sealed(tmp_path)]  # fmt: skip
    here = way(tmp_path, "verify = true")
    await here.whole("joe@example.com", *octets)
    assert (here.variables["arc_cv"], here.refusal) == ("fail", None)
    assert here.variables["arc_trouble"]
    other = way(tmp_path, "verify = true defer_on_trouble = true")
    await other.whole("joe@example.com", *octets)
    assert other.refusal is not None
    assert other.refusal.code == 451


async def test_a_chain_nobody_could_check_is_not_sealed_as_a_broken_one(tmp_path: Path) -> None:
    octets = [each.replace("example.com; s=s1", "slow.example; s=s1") for each in
              await sealed(tmp_path)]  # fmt: skip
    here = way(tmp_path, NEXT)
    [mail] = await left(here, *octets)
    assert mail.draft.names.count(b"arc-seal") == 1
    assert here.place.metrics.cell(SEALING, "unknown").value == 1


@pytest.mark.effect("openarc.signing_domain", "openarc.selector", "openarc.key")
async def test_what_came_in_is_sealed_when_it_leaves(tmp_path: Path) -> None:
    here = way(tmp_path, SEALS, "spf_v1 { }")
    [mail] = await left(here)
    assert chain(mail) == (Outcome.PASS, ["example.com"])
    assert mail.draft.names[:3] == [
        b"arc-seal", b"arc-message-signature", b"arc-authentication-results",
    ]  # fmt: skip
    assert tags(mail, "arc-seal")[b"cv"] == b"none"
    [said] = mail.draft.values("arc-authentication-results")
    assert said.startswith(b"i=1; mx.node.test;\tarc=none;\tspf=")
    assert (mail.get(Which.MESSAGE, "arc_seal")) == "ok"
    [plain] = await left(way(tmp_path))
    assert b"arc-seal" not in plain.draft.names


async def test_the_next_host_seals_what_it_found(tmp_path: Path) -> None:
    here = way(tmp_path, NEXT)
    [mail] = await left(here, *await sealed(tmp_path))
    assert chain(mail) == (Outcome.PASS, ["example.com", "example.net"])
    assert tags(mail, "arc-seal")[b"cv"] == b"pass"
    assert tags(mail, "arc-message-signature")[b"a"] == b"ed25519-sha256"
    said = mail.draft.values("arc-authentication-results")[0]
    assert said == b"i=2; mx.node.test;\tarc=pass"


async def test_what_is_changed_here_does_not_break_what_was_found(tmp_path: Path) -> None:
    here = way(tmp_path, NEXT)
    await here.whole("joe@example.com", *await sealed(tmp_path))
    here.mail.recipients = [Recipient("b@mx.example", "mx.example")]
    here.mail.edited.set_body(b"a list added this\r\n")
    here.mail.finish()
    [mail] = here.mail.each()
    await here.ask(hooks.PostFinalValidation, mail, here.session)
    assert tags(mail, "arc-seal")[b"cv"] == b"pass"
    assert chain(mail)[0] is Outcome.PASS


async def test_a_broken_chain_is_ended_once(tmp_path: Path) -> None:
    [mail] = await left(way(tmp_path, NEXT), *await sealed(tmp_path), "added")
    assert tags(mail, "arc-seal")[b"cv"] == b"fail"
    here = way(tmp_path, SEALS)
    [last] = await left(here, *lines(mail))
    assert last.draft.names.count(b"arc-seal") == 2
    assert last.get(Which.MESSAGE, "arc_seal") == "skip"
    assert await here.policing.commands["openarc stats"]([]) == (
        "sealed: 0\nskipped: 1\ncondition: 0\nunknown: 0\nno_key: 0\n"
    )


async def test_signatures_come_before_the_set_and_are_covered_by_it(tmp_path: Path) -> None:
    signs = 'opendkim { key = "KEYS/s1" selector = "s1" }'.replace("KEYS", str(tmp_path))
    [mail] = await left(way(tmp_path, SEALS, signs))
    assert mail.draft.names[3] == b"dkim-signature"
    assert b"dkim-signature" in tags(mail, "arc-message-signature")[b"h"].split(b":")
    assert chain(mail)[0] is Outcome.PASS


async def test_a_result_which_came_with_the_message_is_not_sealed(tmp_path: Path) -> None:
    forged = "Authentication-Results: mx.node.test; dmarc=pass header.from=bank.example"
    [mail] = await left(way(tmp_path, SEALS), forged, *LINES)
    assert b"bank.example" not in mail.draft.whole()


async def test_all_recipients_share_a_set(tmp_path: Path) -> None:
    mails = await left(way(tmp_path, SEALS), recipients=20)
    assert len({each.draft.whole() for each in mails}) == 1
    assert chain(mails[0])[0] is Outcome.PASS


async def test_mail_which_did_not_come_in_is_not_sealed(tmp_path: Path) -> None:
    here = way(tmp_path, SEALS)
    await here.sends()
    here.mail.recipients = [Recipient("b@mx.example", "mx.example")]
    [mail] = here.mail.each()
    await here.ask(hooks.PostFinalValidation, mail, None)
    assert b"arc-seal" not in mail.draft.names


@pytest.mark.effect("openarc.sign_condition")
async def test_only_some_may_be_sealed(tmp_path: Path) -> None:
    here = way(tmp_path, f'{SEALS} sign_condition = "forwarded"')
    [mail] = await left(here)
    assert b"arc-seal" not in mail.draft.names
    here.session.variables["forwarded"] = "1"
    [mail] = await left(here)
    assert b"arc-seal" in mail.draft.names


@pytest.mark.effect(
    "openarc.authservid", "openarc.body_canon", "openarc.headerlist", "openarc.oversign_headerlist"
)
async def test_the_form_of_a_set_is_as_told(tmp_path: Path) -> None:
    form = 'authservid = "other.test" body_canon = "simple" headerlist = ( To Subject )'
    [mail] = await left(way(tmp_path, f"{SEALS} {form} oversign_headerlist = ( To )"))
    assert mail.draft.values("arc-authentication-results") == [b"i=1; other.test;\tarc=none"]
    known = tags(mail, "arc-message-signature")
    assert known[b"c"] == b"relaxed/simple"
    assert known[b"h"] == b"from:to:subject:to"
    assert chain(mail)[0] is Outcome.PASS


@pytest.mark.effect("openarc.pos_keycache_ttl", "openarc.neg_keycache_ttl")
async def test_the_key_is_read_again_after_its_time(tmp_path: Path) -> None:
    here = way(tmp_path, f"{SEALS} pos_keycache_ttl = 10 neg_keycache_ttl = 20")
    clock = here.place.clock
    (tmp_path / "s1").unlink()

    async def seals() -> bool:
        [mail] = await left(here)
        return b"arc-seal" in mail.draft.names

    def keep(which: PrivateKey) -> None:
        (tmp_path / "s1").write_bytes(which.pem())

    assert not await seals()
    keep(KEYS["s1"])
    clock.advance(19)
    assert not await seals()
    clock.advance(2)
    assert await seals()
    (tmp_path / "s1").unlink()
    clock.advance(9)
    assert await seals()
    clock.advance(2)
    assert not await seals()
    keep(KEYS["s2"])
    assert await here.policing.commands["openarc flush keycache"]([]) == "1 keys forgotten\n"
    assert await seals()


@pytest.mark.parametrize(
    "text",
    [
        'openarc { signing_domain = "example.com" }',
        'openarc { selector = "s1" key = "x" }',
        f'openarc "a" {{ {SEALS} }} openarc "b" {{ {NEXT} }}',
    ],
)
async def test_who_seals_must_be_clear(tmp_path: Path, text: str) -> None:
    with pytest.raises(Error, match=r"needed|already"):
        Way(tmp_path, text)


@pytest.mark.effect("openarc.enabled", "openarc.debug_level")
async def test_off_it_does_nothing(tmp_path: Path) -> None:
    octets = await sealed(tmp_path)
    here = way(tmp_path, f"{SEALS} verify = true enabled = false")
    [mail] = await left(here, *octets, "added")
    assert mail.draft.names.count(b"arc-seal") == 1
    assert "arc_cv" not in here.variables
    quiet = way(tmp_path, "verify = true")
    await quiet.whole("joe@example.com", *octets, "added")
    assert quiet.place.panics == []
