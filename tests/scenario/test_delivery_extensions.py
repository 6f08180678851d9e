"""What is sent to a host which lacks an extension: less, something else, or a report instead."""

from collections.abc import AsyncIterator
from email import message_from_bytes

import pytest
import pytest_asyncio

from angarium.lab.received import Received
from helpers.outlook import Outlook, Watched, second

pytestmark = pytest.mark.asyncio(loop_scope="module")

CONFIG = """
generate_bounces = false
domain "declared.test" { send_8bitmime = ifavailable }
domain "asis.test" { transform_8bitmime_content = no }
domain "strict.test" { transform_8bitmime_content = strict }
domain "strip.test" { transform_8bitmime_content = strip }
domain "old.test" { delivery_method = SMTP }
"""
ZONE = """
full.test A 127.0.0.1
declared.test A 127.0.0.1
old.test A 127.0.0.1
bare.test A 127.0.0.2
asis.test A 127.0.0.2
strict.test A 127.0.0.2
strip.test A 127.0.0.2
small.test A 127.0.0.3
text.test A 127.0.0.4
"""
SINKS = {
    "127.0.0.2": "without PIPELINING SIZE 8BITMIME SMTPUTF8 ENHANCEDSTATUSCODES DSN CHUNKING"
    " BINARYMIME",
    "127.0.0.3": "with SIZE 2000",
    "127.0.0.4": "without BINARYMIME",
}
TEXT = "Gr\u00fc\u00dfe aus K\u00f6ln"
EIGHT_BIT = (
    b"Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
    b"Content-Transfer-Encoding: 8bit\r\n\r\n" + TEXT.encode() + b"\r\n"
)
UNLABELLED = "Subject: \u00e4\r\n\r\n".encode() + TEXT.encode() + b"\r\n"
BINARY = (
    b"Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: application/octet-stream\r\n"
    b"Content-Transfer-Encoding: binary\r\n\r\n" + bytes(range(256)) + b"\r.\n"
)
NOT_CONVERTIBLE = (
    b"Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
    b"--b\r\nContent-Type: multipart/signed; boundary=c\r\n\r\n--c\r\n\r\n\0\r\n--c--\r\n--b--\r\n"
)


class Hosts:
    def __init__(self, world: Outlook, sinks: dict[str, Watched]) -> None:
        self.world = world
        self.sinks = sinks

    async def letter(self, address: str, recipient: str) -> Received:
        """Return what a host got for a recipient."""
        sink = self.sinks[address]

        def found() -> list[Received]:
            return [each for each in sink.accepted if recipient in each.recipients]

        await self.world.until(found, f"mail for {recipient}")
        return found()[0]

    async def binary(self, recipient: str, content: bytes) -> None:
        """Send a content by BDAT with BODY=BINARYMIME."""
        async with self.world.call() as caller:
            said = await caller.envelope("a@sender.test", recipient, parameters="BODY=BINARYMIME")
            assert said.startswith("250"), said
            said = await caller.finish(b"BDAT %d LAST\r\n" % len(content) + content)
            assert said.startswith("250"), said

    async def failure(self, domain: str) -> str:
        return (await self.world.records("mainlog", "P", domain))[0][13]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hosts(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Hosts]:
    async with Outlook(tmp_path_factory.mktemp("extensions"), CONFIG, ZONE) as world:
        others = {address: await second(world, address, text) for address, text in SINKS.items()}
        yield Hosts(world, {"127.0.0.1": world.sink, **others})
        for sink in others.values():
            await sink.stop()


async def test_nothing_is_sent_early_to_a_host_without_pipelining(hosts: Hosts) -> None:
    await hosts.world.mails(3, "b@bare.test")
    await hosts.world.mail("c@bare.test NOTIFY=FAILURE", "d@bare.test", parameters="RET=HDRS")
    letter = await hosts.letter("127.0.0.2", "c@bare.test")
    assert (letter.sender_parameters, letter.recipient_parameters) == ("", ["", ""])
    assert hosts.sinks["127.0.0.2"].counts.early == 0


async def test_helo_is_said_where_the_method_is_smtp(hosts: Hosts) -> None:
    await hosts.world.mail("b@old.test NOTIFY=FAILURE")
    letter = await hosts.letter("127.0.0.1", "b@old.test")
    assert hosts.world.session(letter)[0] == "HELO mx.node.test"
    assert letter.recipient_parameters == [""]


async def test_a_message_larger_than_a_host_takes_is_not_offered_to_it(hosts: Hosts) -> None:
    await hosts.world.mail(
        "b@small.test", content=b"Subject: x\r\n\r\n" + b"x" * 70 + b"\r\n" * 1000
    )
    assert await hosts.failure("small.test") == (
        "552 5.3.4 [internal] message exceeds the size the host takes"
    )
    await hosts.world.mail("c@small.test")
    letter = await hosts.letter("127.0.0.3", "c@small.test")
    assert "SIZE=" in letter.sender_parameters
    assert not any("b@small" in line for line in hosts.sinks["127.0.0.3"].sessions[0].commands)


async def test_8_bit_content_goes_as_it_is_where_it_may(hosts: Hosts) -> None:
    await hosts.world.mail("b@full.test", content=EIGHT_BIT, parameters="BODY=8BITMIME")
    letter = await hosts.letter("127.0.0.1", "b@full.test")
    assert TEXT.encode() in (letter.content or b"")
    assert "BODY" not in letter.sender_parameters
    await hosts.world.mail("b@declared.test", content=EIGHT_BIT, parameters="BODY=8BITMIME")
    letter = await hosts.letter("127.0.0.1", "b@declared.test")
    assert "BODY=8BITMIME" in letter.sender_parameters


async def test_8_bit_content_is_encoded_for_a_host_of_7_bit(hosts: Hosts) -> None:
    await hosts.world.mail("e@bare.test", content=EIGHT_BIT)
    content = (await hosts.letter("127.0.0.2", "e@bare.test")).content or b""
    assert content.isascii()
    message = message_from_bytes(content)
    assert message["Content-Transfer-Encoding"] in {"quoted-printable", "base64"}
    assert message.get_payload(decode=True) == TEXT.encode() + b"\r\n"


async def test_8_bit_content_may_be_left_stripped_or_refused_instead(hosts: Hosts) -> None:
    await hosts.world.mail("b@asis.test", content=EIGHT_BIT)
    assert TEXT.encode() in ((await hosts.letter("127.0.0.2", "b@asis.test")).content or b"")
    await hosts.world.mail("b@strip.test", content=EIGHT_BIT)
    stripped = bytes(octet & 127 for octet in TEXT.encode())
    assert stripped in ((await hosts.letter("127.0.0.2", "b@strip.test")).content or b"")
    await hosts.world.mail("b@strict.test", content=UNLABELLED)
    assert await hosts.failure("strict.test") == (
        "554 5.6.3 [internal] host takes no 8-bit content"
    )


async def test_an_international_address_needs_a_host_with_smtputf8(hosts: Hosts) -> None:
    world = hosts.world
    await world.mail("f\u00fc@full.test", sender="\u00e4@sender.test", parameters="SMTPUTF8")
    letter = await hosts.letter("127.0.0.1", "f\u00fc@full.test")
    assert letter.sender == "\u00e4@sender.test"
    assert letter.sender_parameters.endswith("SMTPUTF8")
    await world.mail("b\u00fc@bare.test", sender="\u00e4@sender.test", parameters="SMTPUTF8")
    assert "5.6.7 [internal] host does not take internationalised" in await hosts.failure(
        "bare.test"
    )


async def test_binary_content_goes_by_bdat_where_both_are_offered(hosts: Hosts) -> None:
    await hosts.binary("b2@full.test", BINARY)
    letter = await hosts.letter("127.0.0.1", "b2@full.test")
    assert letter.command == "BDAT"
    assert "BODY=BINARYMIME" in letter.sender_parameters
    assert (letter.content or b"").endswith(BINARY.partition(b"\r\n\r\n")[2])


async def test_binary_content_is_encoded_or_returned_where_it_cannot_go(hosts: Hosts) -> None:
    await hosts.binary("b@text.test", BINARY)
    content = (await hosts.letter("127.0.0.4", "b@text.test")).content or b""
    message = message_from_bytes(content)
    assert message["Content-Transfer-Encoding"] == "base64"
    assert message.get_payload(decode=True) == BINARY.partition(b"\r\n\r\n")[2]
    await hosts.binary("c@text.test", NOT_CONVERTIBLE)
    assert await hosts.failure("text.test") == "554 5.6.1 [internal] host takes no binary content"
