"""Mail with signatures comes in, is judged, and is handed on through two servers in a row.

A list (`ours.test`) changes what its authors have signed, so DKIM fails where it goes. By ARC the
next server knows that it was good, and believes this list.
"""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from angarium.lab.received import Received
from helpers.outlook import Outlook
from helpers.proving import KEYS, ZONE, handed_on, keep, oracle
from helpers.world import World

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.slow]

STRANGERS = 'relay_hosts = ( "192.0.2.0/24" )\nrelay_domains = ( "*.test" )\n'
LISTENER = '  smtp_extensions = ( "CHUNKING" )'
AUTHOR = b"From: Ann <ann@author.test>\r\nTo: list@ours.test\r\nSubject: news\r\n\r\nHello.\r\n"
EXAMPLE = Path(__file__).parents[2] / "examples/authentication/forwarding.conf"
# The list changes the subject, when all have checked and before anybody seals.
SCRIPT = """
require("msys.core")
require("msys.extended.message")
local mod = {}
function mod:validate_data_spool_each_rcpt(msg, accept, vctx)
  msg:header("Subject", "[list] " .. msg:header("Subject")[1])
  return msys.core.VALIDATE_CONT
end
msys.registerModule("list", mod)
"""


def signed(octets: bytes = AUTHOR, domain: bytes = b"author.test") -> bytes:
    """Return a message as its author's server sends it, signed by dkimpy."""
    field = oracle.sign(
        octets, b"rsa", domain, KEYS["rsa"].pem(), canonicalize=(b"relaxed", b"relaxed")
    )
    return bytes(field) + octets


def header(letter: Received) -> str:
    octets = (letter.content or b"").partition(b"\r\n\r\n")[0].replace(b"\r\n\t", b" ")
    return octets.decode()


def checks(folder: Path, domain: str, selector: str, trusted: str = "lists.example") -> str:
    """Return the example, with other names."""
    text = EXAMPLE.read_text()
    for name, ours in (
        ("/etc/angarium/keys/%{d}/%{s}.key", f"{folder}/%{{d}}/%{{s}}.key"),
        ('"s2026"', f'"{selector}"'),
        ('"example.com"', f'"{domain}"'),
        ("lists.example", trusted),
    ):
        assert name in text
        text = text.replace(name, ours)
    return STRANGERS + "large_message_threshold = 65536\n" + text


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def judging(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Outlook]:
    folder = tmp_path_factory.mktemp("judging")
    keep(folder / "mx.node.test", ("next",))
    text = checks(folder, "mx.node.test", "next", "ours.test")
    async with Outlook(folder, text, ZONE, listener=LISTENER) as world:
        yield world


async def test_what_dkimpy_signed_is_good_and_proves_its_author(judging: Outlook) -> None:
    await judging.mail("one@plain.test", sender="x@other.test", content=signed())
    [letter] = await judging.came("one@plain.test")
    found = header(letter)
    assert "dkim=pass (1024-bit key) header.d=author.test" in found
    assert "dmarc=pass (p=reject dis=none) header.from=author.test" in found
    assert "spf=none" in found
    assert handed_on(letter) == ["mx.node.test"]
    # The set repeats what was found, as the next one is to believe it.
    [aar] = [line for line in found.split("\r\n") if line.startswith("ARC-Authentication-")]
    assert "dkim=pass" in aar
    assert "dmarc=pass" in aar
    assert aar.startswith("ARC-Authentication-Results: i=1; mx.node.test;")


@pytest.mark.parametrize("size", [10, 400_000])
async def test_a_large_message_is_judged_as_a_small_one(judging: Outlook, size: int) -> None:
    content = signed(AUTHOR + b"a line \t of text\r\n" * (size // 18))
    await judging.mail(f"size{size}@plain.test", sender="x@other.test", content=content)
    [letter] = await judging.came(f"size{size}@plain.test")
    assert "dkim=pass" in header(letter)
    assert handed_on(letter) == ["mx.node.test"]


async def test_it_comes_in_chunks_and_is_judged_as_it_is(judging: Outlook) -> None:
    content = signed(AUTHOR + b".\r\n")
    async with judging.call() as caller:
        assert (await caller.envelope("x@other.test", "chunks@plain.test")).startswith("250")
        said = await caller.finish(b"BDAT 100\r\n" + content[:100])
        assert said.startswith("250"), said
        said = await caller.finish(b"BDAT %d LAST\r\n" % len(content[100:]) + content[100:])
        assert said.startswith("250"), said
    [letter] = await judging.came("chunks@plain.test")
    assert "dkim=pass" in header(letter)
    assert handed_on(letter) == ["mx.node.test"]


async def test_what_was_changed_is_refused_or_marked_as_its_author_wants(judging: Outlook) -> None:
    changed = signed().replace(b"Hello.", b"Hullo.")
    said = await judging.send("x@other.test", ["two@plain.test"], changed)
    assert said == "550 5.7.1 the DMARC policy of author.test does not allow this message"
    soft = AUTHOR.replace(b"author.test", b"soft.test")
    await judging.mail("three@plain.test", sender="x@other.test", content=soft)
    [letter] = await judging.came("three@plain.test")
    assert "X-Quarantine: DMARC: neither SPF nor DKIM proves soft.test" in header(letter)


async def test_through_two_servers_a_list_is_believed_and_a_crash_changes_nothing(
    judging: Outlook, tmp_path: Path
) -> None:
    keep(tmp_path / "ours.test")
    (tmp_path / "list.lua").write_text(SCRIPT)
    lists = checks(tmp_path, "ours.test", "rsa") + (
        f'scriptlet "scriptlet" {{ script "list" {{ source = "{tmp_path}/list.lua" }} }}\n'
    )
    closed = 'gateway = "127.0.0.4"\n'
    onward = f'gateway = "127.0.0.1"\nremote_smtp_port = {judging.port}\n'
    async with Outlook(tmp_path, lists + closed, ZONE, listener=LISTENER) as world:
        await world.mail("four@plain.test", sender="x@other.test", content=signed())
        await world.records("mainlog", "T")  # Nobody listens there.
        world.kill()
        await world.ended()
        world.configure(lists + onward)
        await world.start()
        [letter] = await judging.came("four@plain.test")
    found = header(letter)
    assert "Subject: [list] news" in found
    assert "dkim=fail" in found
    assert "dmarc=fail (p=reject dis=none arc=pass sealer=ours.test)" in found
    assert handed_on(letter) == ["ours.test", "mx.node.test"]


async def test_a_stranger_is_not_believed(judging: Outlook) -> None:
    """It begins a chain which says what it likes, and seals it with a key of its own."""
    forged = b"Authentication-Results: evil.test; dmarc=pass header.from=author.test\r\n" + AUTHOR
    fields = oracle.arc_sign(
        forged, b"next", b"mx.node.test", KEYS["next"].pem(), b"evil.test",
        include_headers=[b"from", b"subject"],
    )  # fmt: skip
    said = await judging.send("x@other.test", ["five@plain.test"], b"".join(fields) + forged)
    assert said.startswith("550 5.7.1 the DMARC policy"), said


async def test_without_a_configuration_for_it_nothing_is_changed(tmp_path: Path) -> None:
    async with World(tmp_path, "openarc { }", ZONE) as world:
        assert (await world.send("x@other.test", ["six@plain.test"], signed())).startswith("250")
        letter = await world.arrived("six@plain.test")
        assert "ARC-" not in header(letter)
        assert "Authentication-Results" not in header(letter)
