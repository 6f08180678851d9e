"""msys.validate.openarc: chains are checked and added to as scripts say."""

from pathlib import Path

import pytest

from angarium.mail.auth import arc
from angarium.mail.auth.arc import Chain
from angarium.mail.auth.asking import at_once
from angarium.mail.auth.fields import Fields, opened
from angarium.mail.auth.signature import Outcome
from angarium.policy.context import Which
from angarium.policy.mail import Mail
from helpers.departing import KEYS, LETTER, ask
from helpers.luamail import Scripted, receiving, said, scripted

FINAL, POST = "core_final_validation", "core_post_final_validation"
ZONE = f"s1._domainkey.example.com TXT {KEYS['s1'].record().decode()}"
WHO = 'signing_domain = "example.com", selector = "s1", keyfile = "KEYS/%{d}/%{s}.key"'
HOST = "mx.node.test"


def seal(options: str = "", ar: str = "nil", name: str = "sign") -> str:
    return f"return msys.validate.openarc.{name}(msg, {{ {WHO} {options} }}, {ar})"


def chain(mail: Mail) -> Chain:
    header, pieces = opened([mail.draft.whole()])
    return at_once(arc.verify(Fields(header), pieces, ask()))


def results(mail: Mail) -> str:
    """Return what the newest set says was found."""
    return " ".join(mail.draft.values("ARC-Authentication-Results")[0].decode().split())


def variable(mail: Mail, name: str) -> str | None:
    return mail.get(Which.MESSAGE, name)


async def left(folder: Path, body: str, letter: bytes = LETTER, **more: str) -> Mail:
    mail, _ = await scripted(folder, FINAL, body, zone=ZONE).leaves(letter, **more)
    return mail


async def test_a_set_is_added_and_verified_before(tmp_path: Path) -> None:
    server = scripted(tmp_path, POST, seal(', headerlist = "From:Subject"'), zone=ZONE)
    mail, came = await server.leaves()
    found = chain(mail)
    assert (came, found.outcome, found.domains) == (["true"], Outcome.PASS, ["example.com"])
    assert (variable(mail, "arc_cv"), variable(mail, "arc_seal")) == ("none", "ok")
    assert results(mail) == f"i=1; {HOST}; arc=none"
    assert f"{HOST};\r\n\tarc=none" in mail.draft.whole().decode()
    newest = found.sets[0].signed
    assert newest is not None
    assert newest.names == [b"from", b"subject"]
    again, _ = await server.leaves(mail.draft.whole())
    assert chain(again).outcome is Outcome.PASS
    assert len(chain(again).sets) == 2
    assert variable(again, "arc_cv") == "pass"


async def test_seal_is_another_name_of_sign(tmp_path: Path) -> None:
    mail = await left(tmp_path, seal(name="seal"))
    assert chain(mail).outcome is Outcome.PASS


async def test_what_was_found_before_is_what_the_seal_says(tmp_path: Path) -> None:
    mail = await left(tmp_path, seal(), arc_cv="fail")
    assert "cv=fail" in mail.draft.whole().decode()
    assert variable(mail, "arc_seal") == "ok"
    ended = await left(tmp_path, seal(), mail.draft.whole())
    assert variable(ended, "arc_seal") == "skip"
    assert said(ended) == ["false", "the chain had failed before"]
    assert chain(ended).highest == 1


@pytest.mark.parametrize(
    ("ar", "written"),
    [
        ("'spf=pass smtp.mailfrom=a@b.c'", "spf=pass smtp.mailfrom=a@b.c; arc=none"),
        ("'mx.example; dkim=pass'", "dkim=pass; arc=none"),
        ("'arc=pass; spf=fail'", "arc=pass; spf=fail"),
        ("'spf=pass\\r\\nX-Evil: yes'", "spf=pass X-Evil: yes; arc=none"),
        ("''", "arc=none"),
    ],
)
async def test_a_script_may_say_what_was_found(tmp_path: Path, ar: str, written: str) -> None:
    mail = await left(tmp_path, seal(ar=ar))
    assert results(mail) == f"i=1; {HOST}; {written}"
    assert b"x-evil" not in mail.draft.names
    assert chain(mail).outcome is Outcome.PASS


OURS = f"Authentication-Results: {HOST}; spf=pass\r\n".encode()
ADD = f'msg:header("Authentication-Results", "{HOST}; dkim=pass", "prepend")\n'


async def test_of_what_came_in_nothing_is_believed_which_nobody_looked_at(tmp_path: Path) -> None:
    mail = await left(tmp_path, ADD + seal(), OURS + LETTER)
    assert results(mail) == f"i=1; {HOST}; dkim=pass; arc=none"
    verified = await left(tmp_path, ADD + seal(), OURS + LETTER, arc_cv="none")
    assert "spf=pass" in results(verified)


async def test_authentication_results_may_be_left_alone(tmp_path: Path) -> None:
    mail = await left(tmp_path, seal(", skip_ar_header_update = true"))
    assert b"authentication-results" not in mail.draft.names
    said_already = ADD.replace("dkim=pass", "arc=none")
    once = await left(tmp_path, said_already + seal())
    assert once.draft.names.count(b"authentication-results") == 1
    other = await left(tmp_path, seal(', authservid = "other.example"'))
    assert results(other).startswith("i=1; other.example; ")


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ('{ selector = "s1", keyfile = "KEYS/x" }', "there is no signing_domain"),
        ('{ signing_domain = "example.com", selector = "s1" }', "there is no key"),
        ('{ signing_domain = "a b", selector = "s1" }', "the tag d= is no name"),
        (
            '{ signing_domain = "a.example", selector = "s1", keyfile = "KEYS/gone" }',
            "gone has no key",
        ),
    ],
)
async def test_what_cannot_be_sealed_is_told(tmp_path: Path, options: str, reason: str) -> None:
    server = scripted(tmp_path, FINAL, f"return msys.validate.openarc.sign(msg, {options})")
    mail, came = await server.leaves(arc_cv="none", arc_seal="ok")
    assert came[0] == "false"
    assert reason in came[1]
    assert variable(mail, "arc_seal") is None
    assert reason in server.told[0]


VERIFY = "return msys.validate.openarc.verify(msg)"


async def sealed(folder: Path) -> list[str]:
    mail = await left(folder, seal())
    octets = mail.draft.whole().replace(b"Received: by us\r\n", b"")
    return octets.decode().removesuffix("\r\n").split("\r\n")


async def test_a_chain_is_checked_when_a_script_says_so(tmp_path: Path) -> None:
    lines = await sealed(tmp_path)
    server = receiving(tmp_path, "validate_data_spool", VERIFY, zone=ZONE)
    await server.whole("joe@example.com", f"Authentication-Results: {HOST}; arc=pass", *lines)
    assert said(server.mail) == ["pass"]
    assert server.variables["arc_cv"] == "pass"
    assert server.fields("authentication-results") == []
    await server.whole("joe@example.com", *lines, "more")
    assert server.variables["arc_cv"] == "fail"
    assert "the body was changed" in server.place.panics[-1][1]
    await server.whole("joe@example.com", *LETTER.decode().split("\r\n"))
    assert server.variables["arc_cv"] == "none"


async def test_trouble_with_dns_is_noted(tmp_path: Path) -> None:
    lines = await sealed(tmp_path)
    zone = "s1._domainkey.example.com TIMEOUT"
    server = receiving(tmp_path, "validate_data_spool", VERIFY, zone=zone)
    await server.whole("joe@example.com", *lines)
    assert server.variables["arc_cv"] == "fail"
    assert "cannot be had now" in server.variables["arc_trouble"]


async def test_recipients_of_one_message_share_a_set(tmp_path: Path) -> None:
    server: Scripted = scripted(tmp_path, FINAL, seal(), zone=ZONE)
    mails = await server.send(recipients=2)
    seals = {mail.draft.values("ARC-Seal")[0] for mail in mails}
    assert len(seals) == 1
