"""opendkim: which messages are signed, for whom and how."""

from pathlib import Path

import pytest

from angarium.core.errors import Error
from helpers.departing import KEYS, LETTER, Signing

RELAXED = 'header_canon = "relaxed" body_canon = "relaxed"'


def server(folder: Path, options: str = "", more: str = "") -> Signing:
    """Return one which has the key s1 of example.com, and may be told more."""
    made = Signing(
        folder, f'opendkim {{ key = "KEYS/%{{d}}/%{{s}}.key" selector = "s1" {options} }} {more}'
    )
    made.keep("example.com/s1.key", KEYS["s1"])
    return made


@pytest.mark.effect("opendkim.key", "opendkim.selector")
async def test_a_message_is_signed_for_the_domain_of_its_author(tmp_path: Path) -> None:
    [known] = await server(tmp_path).signed()
    assert (known[b"d"], known[b"s"], known[b"a"]) == (b"example.com", b"s1", b"rsa-sha256")
    assert known[b"c"] == b"simple/simple"
    assert b"x" not in known
    assert b"l" not in known
    for lacking in ('key = "KEYS/x"', 'selector = "s1"'):
        assert await Signing(tmp_path, f"opendkim {{ {lacking} }}").signed() == []


async def test_sender_comes_before_from(tmp_path: Path) -> None:
    here = server(tmp_path)
    assert len(await here.signed(b"Sender: x@example.com\r\n" + LETTER)) == 1
    assert await here.signed(b"Sender: x@example.net\r\n" + LETTER) == []


@pytest.mark.parametrize("author", [b"", b"joe", b"joe@[192.0.2.1]", b"joe@../../etc", b"j@a/b"])
async def test_for_an_author_without_a_domain_nobody_signs(tmp_path: Path, author: bytes) -> None:
    here = server(tmp_path)
    assert await here.signed(LETTER.replace(b"joe@example.com", author)) == []
    assert not here.told
    assert "no_domain: 1" in await here.console("opendkim stats")


@pytest.mark.effect("opendkim_sign")
async def test_bindings_and_domains_may_be_left_out(tmp_path: Path) -> None:
    more = """
        binding "plain" { opendkim_sign = false domain "but.example" { opendkim_sign = true } }
        domain "not.example" { opendkim_sign = false }
    """
    here = server(tmp_path, more=more)
    assert len(await here.signed()) == 1
    assert await here.signed(domain="not.example") == []
    assert await here.signed(binding="plain") == []
    assert len(await here.signed(binding="plain", domain="but.example")) == 1
    off = server(tmp_path, more="opendkim_sign = false")
    assert await off.signed() == []


@pytest.mark.effect("opendkim.header_canon", "opendkim.body_canon", "opendkim.digest")
async def test_forms_and_algorithms_are_as_told(tmp_path: Path) -> None:
    [known] = await server(tmp_path, RELAXED + ' digest = "rsa-sha1"').signed()
    assert (known[b"c"], known[b"a"]) == (b"relaxed/relaxed", b"rsa-sha1")


@pytest.mark.effect(
    "opendkim.headerlist", "opendkim.oversign_headerlist", "opendkim.skip_headerlist"
)
async def test_fields_are_as_listed(tmp_path: Path) -> None:
    lists = "headerlist = ( From To Subject ) oversign_headerlist = ( From )"
    [known] = await server(tmp_path, f"{lists} skip_headerlist = ( To )").signed()
    assert known[b"h"] == b"from:subject:from"
    [known] = await server(tmp_path, "skip_headerlist = ( To )").signed()
    assert known[b"h"] == b"from:subject"


@pytest.mark.effect(
    "opendkim.body_length_limit", "opendkim.copy_headers", "opendkim.lifetime", "opendkim.identity"
)
async def test_tags_are_added_as_told(tmp_path: Path) -> None:
    options = (
        'body_length_limit = true copy_headers = true lifetime = 2 identity = "@mail.example.com"'
    )
    [known] = await server(tmp_path, options).signed()
    assert known[b"l"] == b"20"
    assert b"From:Joe=20" in known[b"z"]
    assert int(known[b"x"]) == int(known[b"t"]) + 7200
    assert known[b"i"] == b"@mail.example.com"


async def test_an_identity_of_another_domain_is_left_out(tmp_path: Path) -> None:
    [known] = await server(tmp_path, 'identity = "@example.net"').signed()
    assert b"i" not in known


@pytest.mark.effect("opendkim.sign_condition")
async def test_a_condition_may_be_a_variable_of_message_or_connection(tmp_path: Path) -> None:
    here = server(tmp_path, 'sign_condition = "can_relay"')
    assert await here.signed() == []
    assert len(await here.signed(variables={"can_relay": "true"})) == 1
    here.way.session.variables["can_relay"] = "true"
    assert len(await here.signed()) == 1
    assert await here.console("opendkim stats") == (
        "signed: 2\nno_domain: 0\nno_key: 0\ncondition: 1\n"
    )


@pytest.mark.effect(
    "opendkim.dkim_domain.selector",
    "opendkim.dkim_domain.base_domain",
    "opendkim.dkim_domain.key",
    "opendkim.dkim_domain.sign_condition",
    "opendkim.dkim_domain.header_canon",
    "opendkim.dkim_domain.body_canon",
    "opendkim.dkim_domain.digest",
    "opendkim.dkim_domain.body_length_limit",
)
async def test_a_domain_may_differ_from_the_others(tmp_path: Path) -> None:
    here = server(
        tmp_path,
        'dkim_domain "sub.example.com" { base_domain = "example.com" selector = "s2" }'
        ' dkim_domain "*.example.net" { key = "KEYS/wild" base_domain = "example.net"'
        '   header_canon = "relaxed" body_canon = "relaxed" digest = "rsa-sha1"'
        '   body_length_limit = true sign_condition = "yes" }',
    )
    here.keep("example.com/s2.key", KEYS["s2"])
    here.keep("wild", KEYS["s1"])
    [plain] = await here.signed()
    [above] = await here.signed(LETTER.replace(b"@example.com", b"@Sub.Example.com"))
    assert (plain[b"s"], above[b"s"], above[b"d"]) == (b"s1", b"s2", b"example.com")
    below = LETTER.replace(b"@example.com", b"@a.b.example.net")
    assert await here.signed(below) == []
    [wild] = await here.signed(below, variables={"yes": ""})
    assert (wild[b"d"], wild[b"c"], wild[b"a"]) == (b"example.net", b"relaxed/relaxed", b"rsa-sha1")
    assert b"l" in wild
    assert await here.signed(LETTER.replace(b"@example.com", b"@example.net")) == []


async def test_two_stanzas_are_two_signatures(tmp_path: Path) -> None:
    here = Signing(
        tmp_path,
        'opendkim "rsa" { key = "KEYS/rsa" selector = "s1" }'
        ' opendkim "curve" { key = "KEYS/curve" selector = "e1" digest = "rsa-sha1" }',
    )
    here.keep("rsa", KEYS["s1"])
    here.keep("curve", KEYS["e1"])
    curve, rsa = await here.signed()
    assert (rsa[b"a"], curve[b"a"]) == (b"rsa-sha256", b"ed25519-sha256")
    assert await here.console("opendkim:rsa stats") != ""


@pytest.mark.effect("opendkim.neg_keycache_ttl", "opendkim.pos_keycache_ttl")
async def test_keys_are_looked_for_again_after_their_time(tmp_path: Path) -> None:
    here = server(tmp_path, 'pos_keycache_ttl = 10 neg_keycache_ttl = 20 debug_level = "WARNING"')
    clock = here.way.place.clock
    other = LETTER.replace(b"@example.com", b"@example.net")
    assert await here.signed(other) == []
    assert len(here.told) == 1
    assert "No such file" in here.told[0]
    here.keep("example.net/s1.key", KEYS["s1"])
    clock.advance(19)
    assert await here.signed(other) == []
    clock.advance(2)
    assert len(await here.signed(other)) == 1
    (tmp_path / "example.net" / "s1.key").unlink()
    clock.advance(9)
    assert len(await here.signed(other)) == 1
    clock.advance(2)
    assert await here.signed(other) == []


@pytest.mark.effect(
    "opendkim.keycache_size",
    "opendkim.dkim_domain.key_cache_size",
    "opendkim.dkim_domain.pos_keycache_ttl",
    "opendkim.dkim_domain.neg_keycache_ttl",
)
async def test_as_many_keys_are_kept_as_told(tmp_path: Path) -> None:
    own = "key_cache_size = 4 pos_keycache_ttl = 5 neg_keycache_ttl = 1"
    here = server(tmp_path, f'keycache_size = 1 dkim_domain "example.com" {{ {own} }}')
    for name in ("sub.example.com", "example.net"):
        here.keep(f"{name}/s1.key", KEYS["s1"])
        assert len(await here.signed(LETTER.replace(b"example.com", name.encode()))) == 1
    assert len(await here.signed()) == 1
    # Of those two which share a place for one key, one is left, beside that of example.com.
    assert await here.console("opendkim flush keycache") == "2 keys forgotten\n"
    (tmp_path / "example.com" / "s1.key").unlink()
    assert await here.signed() == []
    here.keep("example.com/s1.key", KEYS["s1"])
    here.way.place.clock.advance(2)
    assert len(await here.signed()) == 1
    (tmp_path / "example.com" / "s1.key").unlink()
    here.way.place.clock.advance(6)
    assert await here.signed() == []


@pytest.mark.effect("opendkim.testing", "opendkim.dkim_domain.testing")
async def test_keys_can_be_compared_with_dns(tmp_path: Path) -> None:
    record = KEYS["s1"].record().decode()
    good = f"s1._domainkey.example.com TXT {record}"
    wrong = f"s1._domainkey.example.com TXT {KEYS['s2'].record().decode()}"
    for zone, count in ((good, 0), (wrong, 1), ("", 1)):
        here = Signing(
            tmp_path,
            'opendkim { key = "KEYS/example.com/s1.key" selector = "s1" testing = true'
            ' debug_level = "WARNING" }',
            zone,
        )
        here.keep("example.com/s1.key", KEYS["s1"])
        [mail] = await here.send()
        assert b"dkim-signature" in mail.draft.names
        assert len(here.told) == count
    own = 'debug_level = "WARNING" dkim_domain "example.com" { testing = true }'
    there = server(tmp_path, own)
    await there.send()
    assert there.told == ["s1._domainkey.example.com: there is no key"]


async def test_a_list_of_fields_which_is_none_refuses_the_configuration(tmp_path: Path) -> None:
    with pytest.raises(Error):
        server(tmp_path, "headerlist = ( From: )").way  # noqa: B018


@pytest.mark.effect("opendkim.enabled")
async def test_off_it_signs_nothing_by_itself(tmp_path: Path) -> None:
    assert await server(tmp_path, "enabled = false").signed() == []


@pytest.mark.effect("opendkim.debug_level")
async def test_it_tells_of_missing_keys_who_wants_to_know(tmp_path: Path) -> None:
    other = LETTER.replace(b"@example.com", b"@example.net")
    quiet, talking = server(tmp_path), server(tmp_path, 'debug_level = "WARNING"')
    for each in (quiet, talking):
        await each.send(other)
    assert not quiet.told
    assert talking.told == [f"{tmp_path}/example.net/s1.key: No such file or directory"]
