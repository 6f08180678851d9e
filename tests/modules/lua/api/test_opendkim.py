"""msys.validate.opendkim: messages are signed as scripts say, and signatures looked at."""

import threading
from pathlib import Path

import pytest

from angarium.mail.auth.sign import Unsigned
from helpers.departing import KEYS, LETTER, Signing
from helpers.luamail import receiving, said, scripted

FINAL = "core_final_validation"
RELAXED = 'header_canon = "relaxed", body_canon = "relaxed"'
ZONE = f"""
s1._domainkey.example.com TXT {KEYS["s1"].record().decode()}
e1._domainkey.example.com TXT {KEYS["e1"].record().decode()}; t=y:s
s2._domainkey.example.com TIMEOUT
old._domainkey.example.com TXT v=DKIM1; p=
"""


def sign(options: str) -> str:
    return f"return msys.validate.opendkim.sign(msg, vctx, {{ {options} }})"


async def test_a_message_is_signed_as_a_script_says(tmp_path: Path) -> None:
    options = (
        f'signing_domain = "example.com", selector = "s1", keyfile = "KEYS/%{{d}}/%{{s}}.key",'
        f' {RELAXED}, headerlist = "From:Subject", identity = "@a.example.com",'
        " body_length_limit = 1"
    )
    server = scripted(tmp_path, FINAL, sign(options))
    mail, came = await server.leaves()
    [known] = server.tags(mail)
    assert came == ["true"]
    assert (known[b"d"], known[b"s"], known[b"c"]) == (b"example.com", b"s1", b"relaxed/relaxed")
    assert (known[b"h"], known[b"i"]) == (b"from:subject", b"@a.example.com")
    assert b"l" in known
    again, _ = await server.leaves()
    assert server.tags(again)


async def test_what_it_does_not_say_is_as_in_the_stanza(tmp_path: Path) -> None:
    stanza = (
        'opendkim { enabled = false key = "KEYS/%{d}/%{s}.key" selector = "s1"'
        ' header_canon = "relaxed" headerlist = ( From )'
        ' dkim_domain "example.com" { selector = "s2" } }'
    )
    server = scripted(tmp_path, FINAL, sign('body_canon = "relaxed"'), stanza)
    mail, _ = await server.leaves()
    [known] = server.tags(mail)
    assert (known[b"s"], known[b"c"], known[b"h"]) == (b"s2", b"relaxed/relaxed", b"from")
    bare = scripted(tmp_path, FINAL, "return msys.validate.opendkim.sign(msg)", stanza)
    mail, _ = await bare.leaves()
    [known] = bare.tags(mail)
    assert known[b"c"] == b"relaxed/simple"


async def test_a_key_may_come_with_the_order(tmp_path: Path) -> None:
    lines = KEYS["s1"].pem().decode().splitlines()
    line = "".join(each for each in lines if "-----" not in each)
    options = f'selector = "s1", keybuf = "{line}", headerlist = {{ "From", "To" }}'
    server = scripted(tmp_path, FINAL, sign(options))
    mail, came = await server.leaves()
    [known] = server.tags(mail)
    assert (came, known[b"h"]) == (["true"], b"from:to")


@pytest.mark.parametrize(
    ("options", "letter", "reason"),
    [
        ('selector = "s1"', LETTER, "there is no key"),
        ('keyfile = "KEYS/x"', LETTER, "there is no selector"),
        ('selector = "s1", keyfile = "KEYS/x"', LETTER, "/x has no key"),
        ('selector = "s1", keybuf = "AAAA"', LETTER, "this is no private key"),
        ('selector = "a b", keyfile = "KEYS/x"', LETTER, "the tag s= is no name"),
        ('selector = "s1", keyfile = "KEYS/x"', b"Subject: a\r\n\r\n", "who signs?"),
        ('selector = "s1", keybuf = "AAAA", headerlist = "a b\\1"', LETTER, "no name of a field"),
    ],
)
async def test_what_cannot_be_signed_is_told(
    tmp_path: Path, options: str, letter: bytes, reason: str
) -> None:
    server = scripted(tmp_path, FINAL, sign(options))
    mail, came = await server.leaves(letter)
    assert came[0] == "false"
    assert reason in came[1]
    assert reason in server.told[0]
    assert b"dkim-signature" not in mail.draft.names


async def test_rsa_is_computed_in_a_thread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    threads: list[bool] = []
    compute = Unsigned.sign

    def noted(work: Unsigned) -> bytes:
        threads.append(threading.current_thread() is threading.main_thread())
        return compute(work)

    monkeypatch.setattr(Unsigned, "sign", noted)
    options = 'keyfile = "KEYS/%{d}/%{s}.key", selector = '
    await scripted(tmp_path, FINAL, sign(options + '"s1"')).leaves()
    await scripted(tmp_path, FINAL, sign(options + '"e1"')).leaves()
    assert threads == [False, True]


async def test_keys_are_kept_and_forgotten_with_those_of_the_stanza(tmp_path: Path) -> None:
    stanza = 'opendkim { enabled = false key = "KEYS/%{d}/%{s}.key" selector = "s1" }'
    server = scripted(tmp_path, FINAL, sign(""), stanza)
    assert (await server.leaves())[1] == ["true"]
    (tmp_path / "example.com" / "s1.key").unlink()
    assert (await server.leaves())[1] == ["true"]
    server.way.place.clock.advance(301)
    assert (await server.leaves())[1][0] == "false"


async def signed(folder: Path, *selectors: str) -> list[str]:
    """Return the lines of a message with these signatures, the last one on top."""
    server = Signing(folder, "".join(
        f'opendkim "{each}" {{ key = "KEYS/{each}" selector = "{each}" header_canon = "relaxed" }}'
        for each in selectors
    ))  # fmt: skip
    for each in selectors:
        server.keep(each, KEYS[each])
    [mail] = await server.send()
    octets = mail.draft.whole().replace(b"Received: by us\r\n", b"")
    return octets.decode().removesuffix("\r\n").split("\r\n")


LOOK = """
local o, dkim, stat = msys.validate.opendkim, msys.validate.opendkim.verify(msg)
local found = { stat, (o.get_num_sigs(dkim)) }
for i = 0, o.get_num_sigs(dkim) - 1 do
  local sig = o.get_sig(dkim, i)
  for _, name in ipairs({ "domain", "selector", "signalg", "keysize", "flags", "errorstr" }) do
    found[#found + 1] = (o["get_sig_" .. name](sig))
  end
  local header, _, body = o.get_sig_canons(sig)
  found[#found + 1] = header .. "/" .. body
  found[#found + 1] = (o.get_sig_identity(dkim, sig))
  found[#found + 1] = tostring(o.get_sig_hdrsigned(sig, "Subject"))
  found[#found + 1] = tostring(o.get_sig_hdrsigned(sig, "X-Other"))
end
return unpack(found)
"""


async def test_each_signature_can_be_looked_at(tmp_path: Path) -> None:
    server = receiving(tmp_path, "validate_data", LOOK, zone=ZONE)
    await server.whole("joe@example.com", *await signed(tmp_path, "s1", "e1"))
    assert said(server.mail) == [
        "0", "2",
        "example.com", "e1", "ed25519-sha256", "256", str(2 + 4 + 8 + 16 + 32), "",
        "relaxed/simple", "@example.com", "true", "false",
        "example.com", "s1", "rsa-sha256", "1024", str(2 + 4 + 32), "",
        "relaxed/simple", "@example.com", "true", "false",
    ]  # fmt: skip


VERIFY = """
local o, dkim, stat = msys.validate.opendkim, msys.validate.opendkim.verify(msg)
local sig = o.get_sig(dkim)
if not sig then return stat end
local size, sized = o.get_sig_keysize(sig)
return stat, (o.get_sig_signalg(sig)), (o.get_sig_errorstr(sig)), size, sized,
  (o.get_sig_flags(sig))
"""


@pytest.mark.parametrize(
    ("old", "new", "stat", "rest"),
    [
        ("Hello", "Hallo", "1", ["rsa-sha256", "the body was changed", "0", "1", "0"]),
        ("s=s1", "s=none", "3", ["rsa-sha256", "there is no key", "0", "3", "0"]),
        ("s=s1", "s=old", "8", ["rsa-sha256", "the key is revoked", "0", "8", "0"]),
        ("s=s1", "s=s2", "11", ["rsa-sha256", "the key cannot be had now", "0", "11", "0"]),
        ("v=1", "v=2", "5", ["unknown", "the version is unknown", "0", "5", "0"]),
        (
            "a=rsa-sha256",
            "a=rsa-sha1",
            "4",
            ["unknown", "sha1 is not safe any more", "0", "4", "1"],
        ),
        ("DKIM-Sig", "X-Sig", "2", []),
    ],
)
async def test_what_is_wrong_has_a_number_and_a_reason(
    tmp_path: Path, old: str, new: str, stat: str, rest: list[str]
) -> None:
    lines = [each.replace(old, new) for each in await signed(tmp_path, "s1")]
    server = receiving(tmp_path, "validate_data", VERIFY, zone=ZONE)
    await server.whole("joe@example.com", *lines)
    assert said(server.mail) == [stat, *rest]


async def test_numbers_have_the_names_of_the_library(tmp_path: Path) -> None:
    body = """
    local d = opendkim.dkim
    local sig, stat = msys.validate.opendkim.get_sig(msys.validate.opendkim.verify(msg), 5)
    return sig, stat == d.DKIM_STAT_INVALID, d.DKIM_STAT_OK, d.DKIM_STAT_BADSIG, d.DKIM_STAT_NOSIG,
      d.DKIM_STAT_REVOKED, d.DKIM_STAT_KEYFAIL, d.DKIM_STAT_CBTRYAGAIN, d.DKIM_STAT_CBERROR,
      d.DKIM_SIGFLAG_IGNORE, d.DKIM_SIGFLAG_PASSED, d.DKIM_SIGFLAG_TESTKEY
    """
    server = receiving(tmp_path, "validate_data", body, zone=ZONE)
    await server.whole("joe@example.com", *await signed(tmp_path, "s1"))
    assert said(server.mail) == "nil true 0 1 2 8 11 14 15 1 4 8".split()
