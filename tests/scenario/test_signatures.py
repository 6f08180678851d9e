"""Mail which a real server signs: what leaves is what was signed, whatever happened to it."""

import json
import time
import zlib
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
import pytest_asyncio

from angarium.lab.received import Received
from angarium.mail.auth.asking import at_once
from angarium.mail.auth.dkim import verify
from angarium.mail.auth.fields import Fields, opened
from angarium.mail.report.dmarc.aggregate import Row
from helpers.operators import operator
from helpers.outlook import Outlook, Watched, second
from helpers.proving import ASK, KEYS, ZONE, keep, proven

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.slow]
SIGNS = """
large_message_threshold = 65536
rfc2822_lone_lf_in_body = fix
opendkim "rsa" {{
  key = "{folder}/%{{s}}.key" selector = "{rsa}" header_canon = "relaxed" body_canon = "relaxed"
  oversign_headerlist = ( From Subject )
}}
opendkim "ed" {{ key = "{folder}/%{{s}}.key" selector = "ed" }}
"""
LISTENER = """
  smtp_extensions = ( "CHUNKING" "BINARYMIME" )
"""
HEAD = b"From: Joe <joe@ours.test>\r\nTo: b@plain.test\r\nSubject: a  signed\r\n\tone\r\n"
MIME = b"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
LONG = b"x" * 70 + b" \t y\r\n"


def config(folder: Path, rsa: str = "rsa") -> str:
    return SIGNS.format(folder=folder, rsa=rsa)


class Signed:
    """A server which signs, and a host without extensions beside its sink."""

    def __init__(self, world: Outlook, bare: Watched) -> None:
        self.world = world
        self.bare = bare

    async def at_bare(self, recipient: str) -> Received:
        def found() -> list[Received]:
            return [each for each in self.bare.accepted if recipient in each.recipients]

        await self.world.until(found, f"mail for {recipient}")
        return found()[0]

    async def by_bdat(self, recipient: str, *chunks: bytes, parameters: str = "") -> Received:
        async with self.world.call() as caller:
            said = await caller.envelope("joe@ours.test", recipient, parameters=parameters)
            assert said.startswith("250"), said
            for number, chunk in enumerate(chunks, 1):
                last = b" LAST" if number == len(chunks) else b""
                said = await caller.finish(b"BDAT %d%b\r\n%b" % (len(chunk), last, chunk))
                assert said.startswith("250"), said
        return (await self.world.came(recipient))[0]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def signed(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Signed]:
    folder = tmp_path_factory.mktemp("signed")
    keep(folder)
    async with Outlook(folder, config(folder), ZONE, listener=LISTENER) as world:
        bare = await second(
            world, "127.0.0.2", "without PIPELINING SIZE 8BITMIME SMTPUTF8 DSN CHUNKING BINARYMIME"
        )
        yield Signed(world, bare)
        await bare.stop()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("usual", HEAD + b"Date: Thu, 26 Nov 2026 04:00:00 +0000\r\n\r\nHello  you. \r\n\r\n\r\n"),
        ("missing", HEAD + b"\r\nneither date nor id\r\n"),
        ("dots", HEAD + b"\r\n.\r\n..\r\n.a\r\n" + b"." * 80 + b"\r\n\r\n.\r\n"),
        ("empty", HEAD + b"\r\n"),
        ("lone", HEAD + b"\r\na line\nand one\nmore\r\n"),
        ("eight", HEAD + MIME + b"Content-Transfer-Encoding: 8bit\r\n\r\nGr\xc3\xbc\xc3\x9fe\r\n"),
        ("blind", b"Bcc: secret@plain.test\r\n" + HEAD + b"\r\nhello\r\n"),
        ("blanks", HEAD + b"X-Odd:\r\n\t \r\n\ta\r\nX-Empty:\r\n\r\n \t \r\n\r\n"),
        ("twice", HEAD + b"Subject: another\r\nReceived: x\r\n\r\nhello\r\n"),
        ("large", HEAD + b"\r\n" + LONG * 4000 + b".\r\n"),
    ],
)
async def test_what_leaves_is_what_was_signed(signed: Signed, name: str, content: bytes) -> None:
    recipient = f"{name}@plain.test"
    await signed.world.mail(recipient, sender="joe@ours.test", content=content)
    [letter] = await signed.world.came(recipient)
    assert proven(letter) == [b"ed", b"rsa"]


@pytest.mark.parametrize("cut", [1, 20, len(HEAD), len(HEAD) + 5])
async def test_what_comes_in_chunks_is_signed_as_it_leaves(signed: Signed, cut: int) -> None:
    content = HEAD + b"\r\n.a line\r\nwithout an end"
    letter = await signed.by_bdat(f"cut{cut}@plain.test", content[:cut], content[cut:])
    assert proven(letter) == [b"ed", b"rsa"]


async def test_binary_content_is_signed_as_it_leaves(signed: Signed) -> None:
    mime = b"MIME-Version: 1.0\r\nContent-Type: application/octet-stream\r\n"
    content = HEAD + mime + b"Content-Transfer-Encoding: binary\r\n\r\n" + bytes(range(256)) * 3
    letter = await signed.by_bdat("binary@plain.test", content, parameters="BODY=BINARYMIME")
    assert letter.command == "BDAT"
    # dkimpy takes a lone LF for a line end; what was signed are the octets.
    header, pieces = opened([letter.content or b""])
    verdicts = at_once(verify(Fields(header), pieces, ASK, letter.at))
    assert [each.reason for each in verdicts] == ["", ""]


async def test_an_international_message_is_signed(signed: Signed) -> None:
    content = "From: J\u00f6rg <j\u00f6rg@ours.test>\r\nSubject: \u00e4\r\n\r\n\u00fc\r\n".encode()
    await signed.world.mail(
        "\u00fc@plain.test", sender="j\u00f6rg@ours.test", content=content, parameters="SMTPUTF8"
    )
    [letter] = await signed.world.came("\u00fc@plain.test")
    assert proven(letter) == [b"ed", b"rsa"]


async def test_a_host_without_extensions_gets_what_was_signed(signed: Signed) -> None:
    content = HEAD + b"\r\n" + LONG * 3 + b".\r\n"
    await signed.world.mail("seven@bare.test", sender="joe@ours.test", content=content)
    assert proven(await signed.at_bare("seven@bare.test")) == [b"ed", b"rsa"]


async def test_recipients_of_a_large_message_get_the_same(signed: Signed) -> None:
    names = [f"many{number}@plain.test" for number in range(5)]
    await signed.world.mail(*names, sender="joe@ours.test", content=HEAD + b"\r\n" + LONG * 20_000)
    for name in names:
        [letter] = await signed.world.came(name)
        assert proven(letter) == [b"ed", b"rsa"]


async def test_reports_of_ours_are_signed_too(signed: Signed) -> None:
    """For the domain of their author, which is this host."""
    await signed.world.mail("nobody@nowhere.test", sender="asks@plain.test", content=HEAD + b"\r\n")
    [letter] = await signed.world.came("asks@plain.test")
    assert b"Content-Type: multipart/report" in (letter.content or b"")
    assert proven(letter, "mx.node.test") == [b"ed", b"rsa"]


REPORTING = """
dmarc { reports = true report_sender = "dmarc@ours.test" }
"""


async def test_the_reports_of_a_day_are_signed(tmp_path: Path) -> None:
    keep(tmp_path)
    folder = tmp_path / "state" / "dmarc"
    folder.mkdir(parents=True)
    day = time.strftime("%Y-%m-%d", time.gmtime(time.time() - 2 * 86400))
    row = Row("192.0.2.1", "none", "fail", "pass", "author.test")
    octets = msgspec.msgpack.encode([("author.test", "v=DMARC1; p=reject", row, 5)])
    frame = len(octets).to_bytes(4, "big") + zlib.crc32(octets).to_bytes(4, "big") + octets
    (folder / f"{day}.7.rows").write_bytes(frame)
    async with Outlook(tmp_path, config(tmp_path) + REPORTING, ZONE) as world:
        [letter] = await world.came("reports@author.test")
        assert b"Subject: Report Domain: author.test" in (letter.content or b"")
        assert proven(letter) == [b"ed", b"rsa"]


async def test_signatures_outlive_a_crash_and_the_next_key_signs_what_comes_then(
    tmp_path: Path,
) -> None:
    keep(tmp_path, ("rsa", "ed", "next"))
    async with Outlook(tmp_path, config(tmp_path), ZONE) as world:
        # Nobody listens there yet, so it waits in the queue.
        await world.mail("one@dead.test", sender="joe@ours.test", content=HEAD + b"\r\nhello\r\n")
        await world.records("mainlog", "T", "dead.test")
        there = await second(world, "127.0.0.3")
        await world.again(kill=True)
        await world.until(lambda: there.accepted, "the message")
        assert proven(there.accepted[0]) == [b"ed", b"rsa"]
        await there.stop()
        await world.reload(config(tmp_path, rsa="next"))
        await world.mail("two@plain.test", sender="joe@ours.test", content=HEAD + b"\r\nhello\r\n")
        [letter] = await world.came("two@plain.test")
        assert proven(letter) == [b"ed", b"next"]


async def test_what_was_signed_is_counted_beyond_a_restart(tmp_path: Path) -> None:
    keep(tmp_path)
    content = HEAD + b"\r\nhello\r\n"

    async def rows(world: Outlook) -> list[tuple[str, str, int]]:
        async with operator(world.state) as admin:
            said, _ = await admin.ask("signing_stats", "json")
        return [
            (each["binding"], each["domain"], each["TotalMessagesSigned"])
            for each in json.loads(said)["rows"]
        ]

    async with Outlook(tmp_path, config(tmp_path), ZONE) as world:
        await world.mail("one@plain.test", sender="joe@ours.test", content=content)
        await world.came("one@plain.test")
        assert await rows(world) == [("default", "plain.test", 2)]
        await world.again()
        assert await rows(world) == [("default", "", 2)]
        await world.reload("signing_stats = off\n" + config(tmp_path))
        await world.mail("two@plain.test", sender="joe@ours.test", content=content)
        await world.came("two@plain.test")
        assert await rows(world) == [("default", "", 2)]


async def test_a_file_with_another_key_is_read_at_a_reload(tmp_path: Path) -> None:
    keep(tmp_path)
    async with Outlook(tmp_path, config(tmp_path), ZONE) as world:
        await world.mail("one@plain.test", sender="joe@ours.test", content=HEAD + b"\r\nhello\r\n")
        assert proven((await world.came("one@plain.test"))[0]) == [b"ed", b"rsa"]
        (tmp_path / "rsa.key").write_bytes(KEYS["next"].pem())
        await world.reload(config(tmp_path))
        await world.mail("two@plain.test", sender="joe@ours.test", content=HEAD + b"\r\nhello\r\n")
        [letter] = await world.came("two@plain.test")
        # DNS still has the old one, so nobody would find this one to be good.
        header, pieces = opened([letter.content or b""])
        verdicts = at_once(verify(Fields(header), pieces, ASK, letter.at))
        assert [each.passed for each in verdicts] == [True, False]
