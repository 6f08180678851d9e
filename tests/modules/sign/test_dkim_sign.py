"""dkim_sign: as opendkim, by the options of version 3."""

from pathlib import Path

import pytest

from angarium.core.errors import Error
from helpers.departing import KEYS, LETTER, Signing

OTHER = LETTER.replace(b"@example.com", b"@example.net")


def server(folder: Path, options: str = "", more: str = "") -> Signing:
    made = Signing(
        folder, f'dkim_sign {{ key = "KEYS/%{{d}}/%{{s}}.key" selector = "s1" {options} }} {more}'
    )
    made.keep("example.com/s1.key", KEYS["s1"])
    return made


@pytest.mark.effect("dkim_sign.key", "dkim_sign.selector")
async def test_a_message_is_signed_for_the_domain_of_its_author(tmp_path: Path) -> None:
    [known] = await server(tmp_path).signed()
    assert (known[b"d"], known[b"s"], known[b"c"]) == (b"example.com", b"s1", b"simple/simple")
    assert await server(tmp_path).signed(OTHER) == []
    for lacking in ('key = "KEYS/x"', 'selector = "s1"'):
        assert await Signing(tmp_path, f"dkim_sign {{ {lacking} }}").signed() == []


@pytest.mark.effect("dkim")
async def test_bindings_and_domains_may_be_left_out(tmp_path: Path) -> None:
    here = server(tmp_path, more='dkim = true binding "plain" { dkim = "disabled" }')
    assert len(await here.signed()) == 1
    assert await here.signed(binding="plain") == []
    off = server(tmp_path, more='dkim = "disabled" domain "but.example" { dkim = "enabled" }')
    assert await off.signed() == []
    assert len(await off.signed(domain="but.example")) == 1


@pytest.mark.effect(
    "dkim_sign.header_canon", "dkim_sign.body_canon", "dkim_sign.digest", "dkim_sign.headerlist",
    "dkim_sign.body_length_limit", "dkim_sign.copy_headers", "dkim_sign.lifetime",
    "dkim_sign.identity",
)  # fmt: skip
async def test_signatures_are_as_told(tmp_path: Path) -> None:
    options = (
        'header_canon = "relaxed" body_canon = "relaxed" digest = "rsa-sha1" lifetime = 2'
        ' headerlist = "From:Subject?:X-No?:Date" identity = "joe@example.com"'
        " body_length_limit = true copy_headers = true"
    )
    [known] = await server(tmp_path, options).signed()
    assert (known[b"c"], known[b"a"]) == (b"relaxed/relaxed", b"rsa-sha1")
    assert known[b"h"] == b"from:subject:date"
    assert known[b"i"] == b"joe@example.com"
    assert int(known[b"x"]) == int(known[b"t"]) + 7200
    assert {b"l", b"z"} <= known.keys()


@pytest.mark.effect(
    "dkim_sign.dk_domain.header_canon", "dkim_sign.dk_domain.body_canon",
    "dkim_sign.dk_domain.digest", "dkim_sign.dk_domain.headerlist",
    "dkim_sign.dk_domain.body_length_limit", "dkim_sign.dk_domain.copy_headers",
    "dkim_sign.dk_domain.lifetime", "dkim_sign.dk_domain.identity",
    "dkim_sign.dk_domain.base_domain", "dkim_sign.dk_domain.selector",
    "dkim_sign.dk_domain.key",
)  # fmt: skip
async def test_a_domain_may_differ_in_all(tmp_path: Path) -> None:
    own = (
        'header_canon = "relaxed" body_canon = "relaxed" digest = "rsa-sha1" lifetime = 1'
        ' headerlist = "From:To" identity = "@mail.example.net" body_length_limit = true'
        ' copy_headers = true base_domain = "example.net" selector = "s2" key = "KEYS/own"'
    )
    here = server(tmp_path, f'dk_domain "sub.example.net" {{ {own} }}')
    here.keep("own", KEYS["s2"])
    [known] = await here.signed(OTHER.replace(b"@", b"@sub."))
    assert (known[b"d"], known[b"s"], known[b"i"]) == (
        b"example.net", b"s2", b"@mail.example.net",
    )  # fmt: skip
    assert (known[b"c"], known[b"a"], known[b"h"]) == (b"relaxed/relaxed", b"rsa-sha1", b"from:to")
    assert {b"l", b"z", b"x"} <= known.keys()
    [plain] = await here.signed()
    assert (plain[b"d"], plain[b"c"]) == (b"example.com", b"simple/simple")


@pytest.mark.effect("dkim_sign.sign_condition", "dkim_sign.dk_domain.sign_condition")
async def test_a_condition_is_a_variable(tmp_path: Path) -> None:
    general = server(tmp_path, 'sign_condition = "can_relay"')
    own = server(tmp_path, 'dk_domain "example.com" { sign_condition = "can_relay" }')
    for here in (general, own):
        assert await here.signed() == []
        assert len(await here.signed(variables={"can_relay": "true"})) == 1


@pytest.mark.effect(
    "dkim_sign.keycache_size", "dkim_sign.pos_keycache_ttl", "dkim_sign.neg_keycache_ttl",
    "dkim_sign.dk_domain.keycache_size", "dkim_sign.dk_domain.pos_keycache_ttl",
    "dkim_sign.dk_domain.neg_keycache_ttl",
)  # fmt: skip
@pytest.mark.parametrize("own", [False, True])
async def test_keys_are_kept_as_told(tmp_path: Path, own: bool) -> None:
    cache = "keycache_size = 1 pos_keycache_ttl = 10 neg_keycache_ttl = 5"
    domains = "".join(
        f'dk_domain "{each}" {{ {cache} }} ' for each in ("example.com", "example.net")
    )
    here = server(tmp_path, domains if own else cache)
    here.keep("example.net/s1.key", KEYS["s1"])
    clock = here.way.place.clock
    for letter in (LETTER, OTHER):
        assert len(await here.signed(letter)) == 1
    # Each domain has a place of its own for one key, or both share one.
    count = 2 if own else 1
    assert await here.console("dkim_sign flush keycache") == f"{count} keys forgotten\n"
    assert len(await here.signed()) == 1
    (tmp_path / "example.com" / "s1.key").unlink()
    clock.advance(9)
    assert len(await here.signed()) == 1
    clock.advance(2)
    assert await here.signed() == []
    here.keep("example.com/s1.key", KEYS["s1"])
    clock.advance(4)
    assert await here.signed() == []
    clock.advance(2)
    assert len(await here.signed()) == 1


async def test_a_domain_which_says_nothing_of_keys_shares_those_of_all(tmp_path: Path) -> None:
    here = server(tmp_path, 'pos_keycache_ttl = 10 dk_domain "example.com" { lifetime = 1 }')
    assert len(await here.signed()) == 1
    (tmp_path / "example.com" / "s1.key").unlink()
    here.way.place.clock.advance(11)
    assert await here.signed() == []
    partly = 'dk_domain "example.com" { neg_keycache_ttl = 1 }'
    there = server(tmp_path, f"pos_keycache_ttl = 10 {partly}")
    assert len(await there.signed()) == 1
    (tmp_path / "example.com" / "s1.key").unlink()
    there.way.place.clock.advance(11)
    assert await there.signed() == []


@pytest.mark.effect("dkim_sign.enabled")
async def test_off_it_signs_nothing_by_itself(tmp_path: Path) -> None:
    assert await server(tmp_path, "enabled = false").signed() == []


@pytest.mark.effect("dkim_sign.debug_level")
async def test_it_tells_of_missing_keys_who_wants_to_know(tmp_path: Path) -> None:
    quiet, talking = server(tmp_path), server(tmp_path, 'debug_level = "WARNING"')
    for each in (quiet, talking):
        await each.send(OTHER)
    assert not quiet.told
    assert len(talking.told) == 1


async def test_a_list_of_fields_which_is_none_refuses_the_configuration(tmp_path: Path) -> None:
    with pytest.raises(Error, match="no list of fields"):
        server(tmp_path, 'headerlist = "From:To?*"').way  # noqa: B018
