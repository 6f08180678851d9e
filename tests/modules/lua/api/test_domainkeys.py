"""msys.validate.dk: signatures of DomainKeys."""

from pathlib import Path

from angarium.mail.auth import tags
from angarium.mail.auth.asking import at_once
from angarium.mail.auth.domainkeys import SIGNATURE, Check, Status
from angarium.mail.auth.fields import Fields, opened
from angarium.policy.mail import Mail
from helpers.departing import KEYS, LETTER, ask
from helpers.luamail import receiving, said, scripted

FINAL = "core_final_validation"


def known(mail: Mail) -> dict[bytes, bytes]:
    """Return the tags of the signature of a message, which holds."""
    header, pieces = opened([mail.draft.whole()])
    fields = Fields(header)
    check = Check.of(fields)
    for piece in pieces:
        check.feed(piece)
    assert at_once(check.judged(ask())) is Status.GOOD
    return tags.parsed(fields.value(fields.rows(SIGNATURE)[0]))


def sign(options: str) -> str:
    return f"return msys.validate.dk.sign(msg, vctx, {{ {options} }})"


async def test_a_message_is_signed_as_a_script_says(tmp_path: Path) -> None:
    options = 'base_domain = "example.com", selector = "s1", keyfile = "KEYS/%{d}/%{s}.key"'
    mail, came = await scripted(tmp_path, FINAL, sign(options)).leaves()
    found = known(mail)
    assert (came, found[b"d"], found[b"s"]) == (["true"], b"example.com", b"s1")
    assert found[b"c"] == b"nofws"


async def test_what_it_does_not_say_is_as_in_the_stanza(tmp_path: Path) -> None:
    stanza = (
        'dk_sign { enabled = false key = "KEYS/%{d}/%{s}.key" selector = "s1" canon = "simple"'
        " headerlist = ( From ) }"
    )
    server = scripted(tmp_path, FINAL, sign('selector = "s2"'), stanza)
    mail, _ = await server.leaves()
    found = known(mail)
    assert (found[b"s"], found[b"c"], found[b"h"]) == (b"s2", b"simple", b"from")
    again, _ = await server.leaves()
    assert known(again)


async def test_a_key_which_will_not_do_is_told(tmp_path: Path) -> None:
    line = KEYS["e1"].pem().decode().splitlines()[1]
    options = f'selector = "s1", keybuf = "{line}"'
    server = scripted(tmp_path, FINAL, sign(options))
    _, came = await server.leaves()
    assert came == ["false", "DomainKeys has RSA only"]
    assert server.told == ["not signed: DomainKeys has RSA only"]


async def test_who_is_responsible_can_be_asked(tmp_path: Path) -> None:
    body = """
    return msys.validate.dk.get_responsible_domain(msg, vctx),
      msys.validate.dkim.get_responsible_domain()
    """
    server = receiving(tmp_path, "validate_data_spool", body)
    lines = LETTER.decode().removesuffix("\r\n").split("\r\n")
    await server.whole("joe@example.com", "Sender: x@Sub.example.net", *lines)
    assert said(server.mail) == ["sub.example.net", "sub.example.net"]
