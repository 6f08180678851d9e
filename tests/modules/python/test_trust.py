"""What scripts in Python ask about signatures, and have signed."""

from pathlib import Path

import pytest

from angarium.mail.auth import arc
from angarium.mail.auth.asking import at_once
from angarium.mail.auth.fields import Fields, opened
from angarium.mail.auth.signature import Outcome
from angarium.policy import hooks
from angarium.policy.context import Which
from angarium.policy.mail import Mail
from helpers.authentic import Way
from helpers.departing import KEYS, LETTER, Signing, ask

HEAD = "from angarium.policy.script import Message, Refuse, Server, Session, on\n\n"
ZONE = f"""
s1._domainkey.example.com TXT {KEYS["s1"].record().decode()}
example.com TXT v=spf1 ip4:192.0.2.1 -all
_dmarc.example.com TXT v=DMARC1; p=reject
"""
LINES = LETTER.decode().removesuffix("\r\n").split("\r\n")


def stanza(folder: Path, body: str) -> str:
    (folder / "script.py").write_text(HEAD + body.replace("KEYS", str(folder)))
    return f'python "python" {{ script "s" {{ source = "{folder}/script.py" }} }}\n'


def leaving(folder: Path, body: str, config: str = "") -> Signing:
    made = Signing(folder, stanza(folder, body) + config, ZONE)
    made.keep("example.com/s1.key", KEYS["s1"])
    return made


async def sent(server: Signing) -> Mail:
    [mail] = await server.send()
    await server.way.ask(hooks.PostFinalValidation, mail, server.way.session)
    return mail


SIGN = """
@on.signing
async def sign(message: Message, server: Server) -> None:
    try:
        await server.sign(message, {})
    except ValueError as error:
        message.variables["error"] = str(error)
"""


async def test_a_message_is_signed_as_a_script_says(tmp_path: Path) -> None:
    options = (
        'domain="example.com", selector="s1", key="KEYS/%{d}/%{s}.key", headers=["From", "To"],'
        ' oversign=["From"], identity="@a.example.com"'
    )
    server = leaving(tmp_path, SIGN.format(options))
    [known] = server.tags(await sent(server))
    assert (known[b"d"], known[b"h"]) == (b"example.com", b"from:to:from")
    assert (known[b"c"], known[b"i"]) == (b"relaxed/relaxed", b"@a.example.com")


async def test_what_it_does_not_say_is_as_in_the_stanza(tmp_path: Path) -> None:
    config = 'opendkim { enabled = false key = "KEYS/%{d}/%{s}.key" selector = "s1" }'
    server = leaving(tmp_path, SIGN.format(""), config)
    [known] = server.tags(await sent(server))
    assert known[b"c"] == b"simple/simple"
    other = leaving(tmp_path, SIGN.format('canon="relaxed"'), config)
    [known] = other.tags(await sent(other))
    assert known[b"c"] == b"relaxed/relaxed"


async def test_a_key_may_be_given_itself(tmp_path: Path) -> None:
    server = leaving(tmp_path, SIGN.format('selector="e1", key=KEY'))
    text = f"KEY = {KEYS['e1'].pem().decode()!r}\n" + (tmp_path / "script.py").read_text()
    (tmp_path / "script.py").write_text(text)
    [known] = server.tags(await sent(server))
    assert known[b"a"] == b"ed25519-sha256"


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ("", "there is no selector"),
        ('selector="s1"', "there is no key"),
        ('selector="s1", key="/none"', "/none has no key"),
        ('selector="s1", key="a.key"', "no absolute path"),
        ('canon="loose"', "'loose' is no canonical form"),
    ],
)
async def test_what_cannot_be_signed_is_an_error(tmp_path: Path, options: str, reason: str) -> None:
    mail = await sent(leaving(tmp_path, SIGN.format(options)))
    assert reason in (mail.get(Which.MESSAGE, "error") or "")
    assert b"dkim-signature" not in mail.draft.names


SEAL = """
@on.sealing
async def seal(message: Message, server: Server) -> None:
    try:
        done = await server.seal(message, domain="example.com", selector="s1",
                                 key="KEYS/example.com/{}", results="spf=pass")
    except ValueError as error:
        done = str(error)
    message.variables["done"] = str(done)
"""


async def test_a_set_of_arc_is_added(tmp_path: Path) -> None:
    mail = await sent(leaving(tmp_path, SEAL.format("s1.key")))
    header, pieces = opened([mail.draft.whole()])
    found = at_once(arc.verify(Fields(header), pieces, ask()))
    assert (found.outcome, mail.get(Which.MESSAGE, "done")) == (Outcome.PASS, "True")
    [value] = mail.draft.values("ARC-Authentication-Results")
    assert value.split()[2:] == [b"spf=pass;", b"arc=none"]
    refused = await sent(leaving(tmp_path, SEAL.format("none")))
    assert "has no key" in (refused.get(Which.MESSAGE, "done") or "")


FOUND = """
@on.message
async def look(message: Message, server: Server) -> None:
    found = server.authentication(message)
    signed = [f"{each.result} {each.domain} {each.selector}" for each in found.dkim or ()]
    message.variables["found"] = "|".join([found.spf, found.spf_domain, *signed, found.arc,
        found.dmarc, found.dmarc_domain, found.dmarc_policy, str(found.signed_by("example.com"))])
    now = await server.signatures(message)
    message.variables["now"] = "|".join(
        f"{each.result} {each.algorithm} {each.bits} {each.reason}" for each in now)
"""


async def signed(folder: Path) -> list[str]:
    server = Signing(folder, 'opendkim { key = "KEYS/s1" selector = "s1" }')
    server.keep("s1", KEYS["s1"])
    [mail] = await server.send()
    octets = mail.draft.whole().replace(b"Received: by us\r\n", b"")
    return octets.decode().removesuffix("\r\n").split("\r\n")


async def test_what_modules_have_found_can_be_asked(tmp_path: Path) -> None:
    config = "spf_v1 { }\ndkim_validate { }\nopenarc { verify = true }\ndmarc { }\n"
    server = Way(tmp_path, config + stanza(tmp_path, FOUND), ZONE)
    await server.whole("joe@example.com", *await signed(tmp_path))
    assert server.variables["found"] == (
        "pass|example.com|pass example.com s1|none|pass|example.com|reject|True"
    )
    assert server.variables["now"] == "pass rsa-sha256 1024 "


async def test_without_modules_there_is_nothing(tmp_path: Path) -> None:
    server = Way(tmp_path, stanza(tmp_path, FOUND), ZONE)
    await server.whole("joe@example.com", *LINES)
    assert server.variables["found"] == "||||||False"
    assert server.variables["now"] == ""


async def test_what_dmarc_alone_has_looked_at_is_known_in_short(tmp_path: Path) -> None:
    server = Way(tmp_path, "dmarc { }\n" + stanza(tmp_path, FOUND), ZONE)
    await server.whole("joe@example.com", *await signed(tmp_path))
    assert "|pass example.com s1|" in server.variables["found"]


async def test_a_signature_which_cannot_be_read_is_told(tmp_path: Path) -> None:
    server = Way(tmp_path, stanza(tmp_path, FOUND), ZONE)
    await server.whole("joe@example.com", "DKIM-Signature: v=2", *LINES)
    assert server.variables["now"].startswith("neutral  0 ")


async def test_the_script_of_the_guide_signs_and_refuses(tmp_path: Path) -> None:
    text = Path("docs/guide/policy-python.md").read_text("utf-8")
    section = text.partition("## Where a message is from, and signing it\n")[2]
    block = section.partition("`authentication()`")[0]
    body = "\n".join(line.removeprefix("    ") for line in block.splitlines())
    body = body.replace("/etc/angarium/keys", str(tmp_path)).replace("s2026", "s1")
    server = leaving(tmp_path, body)
    [known] = server.tags(await sent(server))
    assert known[b"s"] == b"s1"
    receives = Way(tmp_path, "dmarc { }\n" + stanza(tmp_path, body), ZONE, address="192.0.2.9")
    await receives.whole("joe@example.com", *LINES)
    assert str(receives.refusal) == "550 5.7.1 nobody stands behind this message"
