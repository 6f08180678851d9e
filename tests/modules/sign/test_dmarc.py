"""dmarc: what it finds, and what becomes of the message."""

import time
from base64 import b64encode
from pathlib import Path

import dkim
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from angarium.core.errors import Error
from angarium.mail.auth.arc import Chain
from angarium.mail.auth.digest import hashed
from angarium.mail.auth.fields import Fields
from angarium.mail.auth.results import Result
from angarium.mail.auth.seal import Sealer
from angarium.modules.sign.dmarc import VOUCHED
from angarium.modules.sign.found import found_of
from helpers.authentic import Way
from helpers.signing import NOW, key

ZONE = """
a.example          TXT v=spf1 ip4:192.0.2.1 -all
_dmarc.a.example   TXT v=DMARC1; p=reject; sp=quarantine
b.example          TXT v=spf1 ip4:192.0.2.1 -all
_dmarc.none.example TXT v=DMARC1; p=none
_dmarc.half.example TXT v=DMARC1; p=reject; pct=0
_dmarc.slow.example SERVFAIL
silent.example     SERVFAIL
_dmarc.silent.example TXT v=DMARC1; p=reject
s._domainkey.a.example SERVFAIL
s._domainkey.none.example SERVFAIL
"""
EMPTY_HASH = "frcCV1k9oG9oKj3dpUqdJg1PxRT2RSN/XKdLCPjaYaY="  # of an empty body, simple
FROM_A = ("From: joe@a.example", "", "text")


def way(folder: Path, options: str = "") -> Way:
    return Way(folder, f"dmarc {{ {options} }}", ZONE)


async def test_the_sender_proves_the_author(tmp_path: Path) -> None:
    here = way(tmp_path, 'action = "reject"')
    await here.whole("bounce@a.example", *FROM_A)
    assert here.variables["dmarc_status"] == "pass"
    assert here.variables["dmarc_domain"] == "a.example"
    assert here.variables["dmarc_policy"] == "reject"
    assert here.variables["dmarc_disposition"] == "none"
    assert here.refusal is None
    [told] = here.fields("authentication-results")
    assert "dmarc=pass (p=reject dis=none)" in told
    assert "header.from=a.example" in told


@pytest.mark.effect("dmarc.action")
@pytest.mark.parametrize(
    ("action", "author", "disposition"),
    [
        ("mark", "a.example", "none"),
        ("quarantine", "a.example", "quarantine"),
        ("reject", "a.example", "reject"),
        ("reject", "x.a.example", "quarantine"),
        ("quarantine", "x.a.example", "quarantine"),
        ("reject", "none.example", "none"),
        ("reject", "half.example", "quarantine"),
        ("quarantine", "half.example", "quarantine"),
        ("mark", "half.example", "none"),
    ],
)
async def test_the_wish_of_a_domain_is_followed_as_far_as_told(
    tmp_path: Path, action: str, author: str, disposition: str
) -> None:
    here = way(tmp_path, f'action = "{action}"')
    await here.whole("joe@b.example", f"From: joe@{author}", "", "text")
    assert here.variables["dmarc_status"] == "fail"
    assert here.variables["dmarc_disposition"] == disposition
    assert (here.refusal is not None) is (disposition == "reject")
    marked = here.fields("x-quarantine")
    assert marked == (
        [f"DMARC: neither SPF nor DKIM proves {author}"] if disposition == "quarantine" else []
    )


@pytest.mark.effect("dmarc.reply")
async def test_who_is_refused_is_told_why(tmp_path: Path) -> None:
    here = way(tmp_path, 'action = "reject"')
    await here.whole("joe@b.example", *FROM_A)
    expected = "550 5.7.1 the DMARC policy of a.example does not allow this message"
    assert str(here.refusal) == expected
    other = way(tmp_path, 'action = "reject" reply = "554 5.7.26 no, says %d"')
    await other.whole("joe@b.example", *FROM_A)
    assert str(other.refusal) == "554 5.7.26 no, says a.example"
    with pytest.raises(Error, match="refuses for good"):
        way(tmp_path, 'reply = "250 yes"')


@pytest.mark.effect("dmarc.quarantine_header")
async def test_the_field_for_quarantine_can_be_chosen(tmp_path: Path) -> None:
    here = way(tmp_path, 'action = "quarantine" quarantine_header = "X-Spam"')
    await here.whole("joe@b.example", *FROM_A)
    assert len(here.fields("x-spam")) == 1
    none = way(tmp_path, 'action = "quarantine" quarantine_header = ""')
    await none.whole("joe@b.example", *FROM_A)
    assert none.mail.draft.names == [b"authentication-results", b"received", b"from"]


@pytest.mark.effect("dmarc.defer_on_trouble")
async def test_what_nobody_can_tell_about_is_taken_or_put_off(tmp_path: Path) -> None:
    here = way(tmp_path)
    await here.whole("joe@b.example", "From: joe@slow.example", "", "text")
    assert here.variables["dmarc_status"] == "temperror"
    assert here.refusal is None
    other = way(tmp_path, "defer_on_trouble = true")
    await other.whole("joe@b.example", "From: joe@slow.example", "", "text")
    assert other.refusal is not None
    assert other.refusal.code == 451


@pytest.mark.effect("dmarc.exempt")
async def test_some_are_left_alone(tmp_path: Path) -> None:
    here = way(tmp_path, 'exempt = ( "192.0.2.0/24" )')
    await here.whole("joe@b.example", *FROM_A)
    assert "dmarc_status" not in here.variables
    trusted = way(tmp_path, 'action = "reject"')
    trusted.session.variables["can_relay"] = "true"
    await trusted.whole("joe@b.example", *FROM_A)
    assert trusted.refusal is None


@pytest.mark.effect("dmarc.context_variable", "dmarc.add_authentication_results", "dmarc.enabled")
async def test_scripts_and_readers_are_told(tmp_path: Path) -> None:
    here = way(tmp_path, 'context_variable = "x" add_authentication_results = false')
    await here.whole("joe@a.example", *FROM_A)
    assert here.variables["x"] == "pass"
    assert not here.fields("authentication-results")
    off = way(tmp_path, "enabled = false")
    await off.whole("joe@a.example", *FROM_A)
    assert "dmarc_status" not in off.variables


async def test_what_other_modules_found_is_not_looked_for_again(tmp_path: Path) -> None:
    here = Way(tmp_path, "spf_v1 { } dmarc { }", ZONE)
    await here.sends("joe@b.example")
    found_of(here.session).signatures = [
        Result("dkim", "fail", {"header.d": "other.example"}),
        Result("dkim", "pass", {"header.d": "Mail.A.example", "header.s": "s"}),
    ]
    asked = len(here.dns.asked)
    await here.content(*FROM_A)
    assert here.variables["dmarc_status"] == "pass"
    assert [name for name, _ in here.dns.asked[asked:]] == ["_dmarc.a.example"]
    assert "spf=pass" in " ".join(here.fields("authentication-results"))


@pytest.mark.parametrize("size", [10, 2 << 20])
async def test_a_signature_is_checked_where_nobody_has(tmp_path: Path, size: int) -> None:
    key = rsa.generate_private_key(65537, 2048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    record = f"s._domainkey.a.example TXT v=DKIM1; p={b64encode(public).decode()}"
    lines = ["From: joe@a.example", "", *["x" * 70] * (size // 72 + 1)]
    octets = "".join(f"{each}\r\n" for each in lines).encode()
    field = dkim.sign(octets, b"s", b"a.example", pem, include_headers=[b"from"])
    now = time.time()  # dkimpy's, which does not ask ours
    here = Way(tmp_path, "dmarc { }", f"{ZONE}\n{record}")
    here.place.clock.advance(now - here.place.clock.time())
    await here.whole("joe@b.example", *field.decode().splitlines(), *lines)
    assert here.variables["dmarc_status"] == "pass"
    signatures = found_of(here.session).signatures
    assert signatures is not None
    assert [each.result for each in signatures] == ["pass"]
    other = Way(tmp_path, "dmarc { }", f"{ZONE}\n{record}")
    other.place.clock.advance(now - other.place.clock.time())
    await other.whole("joe@b.example", *field.decode().splitlines(), *lines, "more")
    assert other.variables["dmarc_status"] == "fail"


@pytest.mark.parametrize("lines", [("Subject: x",), ("From: joe",), ("From: joe@[192.0.2.1]",)])
async def test_a_message_which_does_not_say_who_wrote_it_is_an_error(
    tmp_path: Path, lines: tuple[str, ...]
) -> None:
    here = way(tmp_path, 'action = "reject"')
    await here.whole("joe@b.example", *lines, "", "text")
    assert here.variables["dmarc_status"] == "permerror"
    assert here.refusal is None


async def test_of_two_authors_the_one_who_fails_counts(tmp_path: Path) -> None:
    here = way(tmp_path, 'action = "reject"')
    await here.whole("joe@b.example", "From: joe@b.example, joe@a.example", "", "text")
    assert here.refusal is not None
    assert here.variables["dmarc_domain"] == "a.example"


@pytest.mark.effect("dmarc.debug_level")
async def test_it_tells_whom_it_refused_if_asked_to(tmp_path: Path) -> None:
    here = way(tmp_path, 'action = "reject" debug_level = "INFO"')
    await here.whole("joe@b.example", *FROM_A)
    assert here.place.panics == [("dmarc", "192.0.2.1: neither SPF nor DKIM proves a.example")]


@pytest.mark.parametrize("about", ["spf", "dkim"])
async def test_who_cannot_know_now_does_not_refuse_for_good(tmp_path: Path, about: str) -> None:
    """DNS knows the policy, but not whether SPF passes, or has no key for a signature just now."""
    author, signature = "silent.example", list[str]()
    if about == "dkim":
        author = "a.example"
        start = f"DKIM-Signature: v=1; a=rsa-sha256; d={author}; s=s; h=from;"
        signature.append(f"{start} bh={EMPTY_HASH}; b=eA==")
    here = way(tmp_path, 'action = "reject"')
    sender = f"joe@{author}" if about == "spf" else "joe@b.example"
    await here.whole(sender, *signature, f"From: joe@{author}", "")
    assert here.variables["dmarc_status"] == "temperror"
    assert here.refusal is None
    other = way(tmp_path, 'action = "reject" defer_on_trouble = true')
    await other.whole(sender, *signature, f"From: joe@{author}", "")
    assert other.refusal is not None
    assert other.refusal.code == 451


async def test_what_would_make_no_difference_is_not_put_off(tmp_path: Path) -> None:
    here = way(tmp_path, "defer_on_trouble = true")
    signature = f"DKIM-Signature: v=1; a=rsa-sha256; d=none.example; s=s; h=from; bh={EMPTY_HASH}"
    await here.whole("joe@b.example", f"{signature}; b=eA==", "From: joe@none.example", "")
    assert (here.variables["dmarc_status"], here.refusal) == ("temperror", None)


def handed_on(found: bytes, domain: str = "lists.example") -> list[str]:
    """Return the lines of a message which a list has sealed, with what it found."""
    sealer = Sealer(domain, "s", key("ed25519"), "mx.lists.example")
    fields = Fields(b"From: joe@a.example\r\n")
    hashes = hashed({sealer.want}, [b"text\r\n"])
    work = sealer.prepare(fields, hashes, Chain(), found, NOW)
    assert work is not None
    return [*work.sign().decode().splitlines(), *FROM_A]


SAW = b"dmarc=pass header.from=a.example"
LISTS = f"{ZONE}s._domainkey.lists.example TXT {key('ed25519').record().decode()}"


@pytest.mark.effect("dmarc.arc_trusted")
async def test_a_list_we_believe_vouches_for_the_author(tmp_path: Path) -> None:
    believes = 'action = "reject" reports = true arc_trusted = ( "lists.example" )'
    here = Way(tmp_path, f"dmarc {{ {believes} }}", LISTS)
    await here.whole("list@b.example", *handed_on(SAW))
    assert here.refusal is None
    assert here.variables["dmarc_status"] == "fail"
    assert here.variables["dmarc_disposition"] == "none"
    assert here.variables["dmarc_arc_sealer"] == "lists.example"
    told = " ".join(here.fields("authentication-results"))
    assert "dmarc=fail (p=reject dis=none arc=pass sealer=lists.example)" in told
    assert here.place.metrics.cell(VOUCHED).value == 1
    [module] = here.means.modules["dmarc"]
    [(_, _, _, row)] = module._seen._rows
    assert row.reasons == (("local_policy", "arc=pass as[1].d=lists.example as[1].s=s"),)
    strangers = Way(tmp_path, 'dmarc { action = "reject" }', LISTS)
    await strangers.whole("list@b.example", *handed_on(SAW))
    assert strangers.refusal is not None
    honest = Way(tmp_path, f"dmarc {{ {believes} }}", LISTS)
    await honest.whole("list@b.example", *handed_on(b"dmarc=fail header.from=a.example"))
    assert honest.refusal is not None


async def test_a_chain_is_looked_at_only_where_it_makes_a_difference(tmp_path: Path) -> None:
    here = Way(
        tmp_path, 'openarc { verify = true } dmarc { arc_trusted = ( "lists.example" ) }', LISTS
    )
    await here.sends("list@b.example")
    asked = len(here.dns.asked)
    await here.content(*handed_on(SAW))
    keys = [name for name, _ in here.dns.asked[asked:] if "_domainkey" in name]
    assert set(keys) == {"s._domainkey.lists.example"}
    assert here.variables["dmarc_status"] == "fail"
    # By now there is more before the message than when its chain was checked.
    assert here.variables["dmarc_arc_sealer"] == "lists.example"
    alone = Way(tmp_path, 'dmarc { arc_trusted = ( "lists.example" ) }', LISTS)
    await alone.whole("joe@a.example", *handed_on(SAW))
    assert not [name for name, _ in alone.dns.asked if "_domainkey" in name]
