"""dk_sign: as dkim_sign, with the signatures of DomainKeys."""

import threading
from pathlib import Path

import pytest

from angarium.core.body import MemoryBody
from angarium.mail.auth import tags
from angarium.mail.auth.asking import at_once
from angarium.mail.auth.domainkeys import SIGNATURE, Check, Status
from angarium.mail.auth.fields import Fields, opened
from angarium.mail.auth.sign import Unsigned
from angarium.modules.sign.dk_sign import SIGNING
from angarium.modules.sign.signing import LARGE
from angarium.policy.mail import Mail
from helpers.departing import KEYS, LETTER, Signing, ask

OTHER = LETTER.replace(b"@example.com", b"@example.net")


def server(folder: Path, options: str = "", more: str = "") -> Signing:
    made = Signing(
        folder, f'dk_sign {{ key = "KEYS/%{{d}}/%{{s}}.key" selector = "s1" {options} }} {more}'
    )
    made.keep("example.com/s1.key", KEYS["s1"])
    return made


def known(mail: Mail) -> dict[bytes, bytes]:
    """Return the tags of the signature of a message, which must hold; nothing without one."""
    header, pieces = opened([mail.draft.whole()])
    fields = Fields(header)
    check = Check.of(fields)
    for piece in pieces:
        check.feed(piece)
    if at_once(check.judged(ask())) is Status.NONE:
        return {}
    assert check.status is Status.GOOD, check.status
    return tags.parsed(fields.value(fields.rows(SIGNATURE)[0]))


async def signed(here: Signing, letter: bytes = LETTER, **more: str) -> dict[bytes, bytes]:
    [mail] = await here.send(letter, **more)  # type: ignore[arg-type]
    return known(mail)


@pytest.mark.effect("dk_sign.key", "dk_sign.selector")
async def test_a_message_is_signed_for_the_domain_of_its_author(tmp_path: Path) -> None:
    found = await signed(server(tmp_path, 'digest = "rsa-sha1"'))
    assert (found[b"d"], found[b"s"], found[b"a"]) == (b"example.com", b"s1", b"rsa-sha1")
    assert found[b"c"] == b"nofws"
    assert b"received" in found[b"h"]
    assert await signed(server(tmp_path), OTHER) == {}
    for lacking in ('key = "KEYS/x"', 'selector = "s1"'):
        assert await signed(Signing(tmp_path, f"dk_sign {{ {lacking} }}")) == {}


@pytest.mark.effect("domainkeys")
async def test_bindings_and_domains_may_be_left_out(tmp_path: Path) -> None:
    here = server(tmp_path, more='domainkeys = true binding "plain" { domainkeys = "disabled" }')
    assert await signed(here)
    assert await signed(here, binding="plain") == {}
    off = server(
        tmp_path, more='domainkeys = "disabled" domain "but.example" { domainkeys = "enabled" }'
    )
    assert await signed(off) == {}
    assert await signed(off, domain="but.example")


@pytest.mark.effect("dk_sign.canon", "dk_sign.headerlist", "dk_sign.sign_condition")
async def test_signatures_are_as_told(tmp_path: Path) -> None:
    options = 'canon = "simple" headerlist = ( From Subject ) sign_condition = "can_relay"'
    here = server(tmp_path, options)
    assert await signed(here) == {}
    [mail] = await here.send(variables={"can_relay": "true"})
    found = known(mail)
    assert (found[b"c"], found[b"h"]) == (b"simple", b"from:subject")


@pytest.mark.effect(
    "dk_sign.dk_domain.selector", "dk_sign.dk_domain.base_domain", "dk_sign.dk_domain.key",
    "dk_sign.dk_domain.canon", "dk_sign.dk_domain.headerlist",
    "dk_sign.dk_domain.sign_condition",
)  # fmt: skip
async def test_a_domain_may_differ_from_the_others(tmp_path: Path) -> None:
    own = (
        'selector = "s2" base_domain = "example.com" key = "KEYS/two" canon = "simple"'
        ' headerlist = ( From ) digest = "rsa-sha1" sign_condition = "yes"'
    )
    here = server(tmp_path, f'dk_domain "sub.example.com" {{ {own} }}')
    here.keep("two", KEYS["s2"])
    below = LETTER.replace(b"@example.com", b"@sub.example.com")
    assert await signed(here, below) == {}
    [mail] = await here.send(below, variables={"yes": ""})
    found = known(mail)
    assert (found[b"s"], found[b"d"]) == (b"s2", b"example.com")
    assert (found[b"c"], found[b"h"]) == (b"simple", b"from")
    assert (await signed(here))[b"s"] == b"s1"


@pytest.mark.effect(
    "dk_sign.keycache_size", "dk_sign.pos_keycache_ttl", "dk_sign.neg_keycache_ttl",
    "dk_sign.dk_domain.keycache_size", "dk_sign.dk_domain.pos_keycache_ttl",
    "dk_sign.dk_domain.neg_keycache_ttl",
)  # fmt: skip
async def test_keys_are_kept_as_told(tmp_path: Path) -> None:
    own = "keycache_size = 4 pos_keycache_ttl = 5 neg_keycache_ttl = 1"
    here = server(
        tmp_path,
        "keycache_size = 1 pos_keycache_ttl = 10 neg_keycache_ttl = 20"
        f' dk_domain "example.com" {{ {own} }}',
    )
    clock = here.way.place.clock
    assert await signed(here, OTHER) == {}
    here.keep("example.net/s1.key", KEYS["s1"])
    clock.advance(19)
    assert await signed(here, OTHER) == {}
    clock.advance(2)
    assert await signed(here, OTHER)
    here.keep("sub.example.com/s1.key", KEYS["s1"])
    assert await signed(here, LETTER.replace(b"@example.com", b"@sub.example.com"))
    assert await signed(here)
    assert await here.console("dk_sign flush keycache") == "2 keys forgotten\n"
    (tmp_path / "example.com" / "s1.key").unlink()
    assert await signed(here) == {}
    here.keep("example.com/s1.key", KEYS["s1"])
    clock.advance(2)
    assert await signed(here)
    (tmp_path / "example.com" / "s1.key").unlink()
    clock.advance(6)
    assert await signed(here) == {}


async def test_a_key_which_is_not_rsa_signs_nothing_and_is_told(tmp_path: Path) -> None:
    here = server(tmp_path, 'debug_level = "WARNING"')
    here.keep("example.com/s1.key", KEYS["e1"])
    assert await signed(here) == {}
    assert here.told == [f"{tmp_path}/example.com/s1.key: DomainKeys has RSA only"]
    assert "no_key: 1" in await here.console("dk_sign stats")


async def test_the_console_knows_a_stanza_by_its_name(tmp_path: Path) -> None:
    here = Signing(tmp_path, 'dk_sign "one" { key = "KEYS/%{d}/%{s}.key" selector = "s1" }')
    here.keep("example.com/s1.key", KEYS["s1"])
    assert await signed(here)
    assert await here.console("dk_sign:one stats") == (
        "signed: 1\nno_domain: 0\nno_key: 0\ncondition: 0\n"
    )
    assert await here.console("dk_sign:one flush keycache") == "1 keys forgotten\n"
    assert here.way.place.metrics.cell(SIGNING, "signed").value == 1


async def test_recipients_of_one_message_share_its_signature(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[bool] = []
    sign = Unsigned.sign

    def noted(work: Unsigned) -> bytes:
        threads.append(threading.current_thread() is threading.main_thread())
        return sign(work)

    monkeypatch.setattr(Unsigned, "sign", noted)
    mails = await server(tmp_path).send(recipients=3)
    assert threads == [False]
    assert len({mail.draft.header_octets for mail in mails}) == 1
    assert all(known(mail) for mail in mails)


async def test_a_large_body_is_hashed_elsewhere(tmp_path: Path) -> None:
    letter = LETTER + b"x" * LARGE
    [mail] = await server(tmp_path).send(MemoryBody(letter))
    assert known(mail)


async def test_both_kinds_of_signature_go_together(tmp_path: Path) -> None:
    here = server(tmp_path, more='opendkim { key = "KEYS/%{d}/%{s}.key" selector = "s1" }')
    [mail] = await here.send()
    assert len(here.tags(mail)) == 1
    assert known(mail)


@pytest.mark.effect("dk_sign.enabled", "dk_sign.debug_level")
async def test_off_it_signs_nothing_and_it_tells_who_wants_to_know(tmp_path: Path) -> None:
    assert await signed(server(tmp_path, "enabled = false")) == {}
    quiet, talking = server(tmp_path), server(tmp_path, 'debug_level = "WARNING"')
    for each in (quiet, talking):
        await each.send(OTHER)
    assert not quiet.told
    assert len(talking.told) == 1
