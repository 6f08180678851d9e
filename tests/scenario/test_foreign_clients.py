"""Clients of other projects find a server as they expect it."""

import asyncio
import smtplib
from collections import Counter
from collections.abc import AsyncIterator, Callable
from email.message import EmailMessage
from pathlib import Path

import pytest
import pytest_asyncio

from helpers.world import World

pytestmark = pytest.mark.asyncio(loop_scope="module")

CONFIG = """
relay_domains = ( "ours.test" )
rfc2822_lone_lf_in_body = "fix"
"""
LISTENER = """
  max_message_size = 20M
  peer "127.0.0.2" { relay_hosts = () }
"""
Program = Callable[[str], str]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    folder = tmp_path_factory.mktemp("world")
    async with World(folder, CONFIG, "* A 127.0.0.1", listener=LISTENER) as world:
        yield world


async def ran(*command: str) -> tuple[int, str]:
    """Run a program; return its exit code and what it said."""
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    output, _ = await process.communicate()
    return process.returncode or 0, output.decode("utf-8", "replace")


def recipients(world: World) -> Counter[str]:
    return Counter(each for message in world.sink.accepted for each in message.recipients)


# swaks


async def swaks(world: World, program: Program, *words: str) -> tuple[int, str]:
    return await ran(
        program("swaks"), "--server", f"127.0.0.1:{world.port}", "--helo", "peer.test", *words
    )


@pytest.mark.peer
@pytest.mark.parametrize("words", [[], ["--pipeline"], ["--protocol", "SMTP"]], ids=str)
async def test_swaks_sends_a_message(world: World, program: Program, words: list[str]) -> None:
    to = f"swaks{len(words)}.{'-'.join(words).strip('-').lower() or 'plain'}@x.test"
    status, said = await swaks(
        world,
        program,
        "--from",
        "a@sender.test",
        "--to",
        to,
        "--body",
        "from swaks\n.\ndot",
        *words,
    )
    assert status == 0, said
    assert "<-  250 2.0.0 OK " in said
    content = (await world.arrived(to)).content or b""
    assert b"from swaks\r\n.\r\ndot\r\n" in content


@pytest.mark.peer
async def test_swaks_sends_attachments_to_several_recipients(
    world: World, program: Program, tmp_path: Path
) -> None:
    (tmp_path / "data.bin").write_bytes(bytes(range(256)) * 2000)
    status, said = await swaks(
        world, program, "--from", "a@sender.test", "--to", "s1@x.test,s2@x.test,s3@y.test",
        "--attach-type", "application/octet-stream", "--attach", f"@{tmp_path / 'data.bin'}",
    )  # fmt: skip
    assert status == 0, said
    for name in ("s1@x.test", "s2@x.test", "s3@y.test"):
        assert b"application/octet-stream" in ((await world.arrived(name)).content or b"")


@pytest.mark.peer
async def test_swaks_is_told_what_is_refused(world: World, program: Program) -> None:
    status, said = await swaks(
        world, program, "--local-interface", "127.0.0.2",
        "--from", "a@sender.test", "--to", "b@theirs.test",
    )  # fmt: skip
    assert status == 24, said  # "no recipient was accepted"
    assert "<** 550 5.7.1 relaying denied" in said


@pytest.mark.peer
@pytest.mark.parametrize("when", ["connect", "helo", "mail", "rcpt", "data"])
async def test_swaks_drops_the_connection_and_nobody_minds(
    world: World, program: Program, when: str
) -> None:
    await swaks(
        world, program, "--from", "a@sender.test", "--to", "dropped@x.test",
        "--drop-after-send" if when == "data" else "--drop-after", when,
    )  # fmt: skip
    status, said = await swaks(
        world, program, "--from", "a@sender.test", "--to", f"after.{when}@x.test"
    )
    assert status == 0, said
    await world.arrived(f"after.{when}@x.test")


# Postfix's smtp-source


async def source(world: World, program: Program, *words: str) -> None:
    status, said = await ran(
        program("smtp-source"), "-f", "a@sender.test", *words, f"127.0.0.1:{world.port}"
    )
    assert status == 0, said


@pytest.mark.peer
async def test_smtp_source_sends_over_many_connections(world: World, program: Program) -> None:
    await source(world, program, "-s", "10", "-m", "200", "-l", "5000", "-N", "-t", "many@p.test")
    await world.until(
        lambda: (
            sum(n for name, n in recipients(world).items() if name.endswith("many@p.test")) == 200
        ),
        "200 messages",
    )


@pytest.mark.peer
async def test_smtp_source_keeps_connections_and_sends_to_many(
    world: World, program: Program
) -> None:
    await source(
        world, program, "-d", "-s", "5", "-m", "50", "-r", "20", "-l", "200000", "-t", "r@q.test"
    )
    await world.until(
        lambda: (
            sum(n for name, n in recipients(world).items() if name.endswith("r@q.test")) == 1000
        ),
        "1000 recipients",
    )


# Python's smtplib


def letter(to: str, text: str = "text\n") -> EmailMessage:
    message = EmailMessage()
    message["From"] = "a@sender.test"
    message["To"] = to
    message["Subject"] = "from smtplib"
    message.set_content(text)
    return message


async def test_smtplib_sends_several_over_one_connection(world: World) -> None:
    def send() -> None:
        with smtplib.SMTP("127.0.0.1", world.port, "peer.test", 30) as client:
            assert client.ehlo()[0] == 250
            assert client.has_extn("smtputf8")
            assert client.esmtp_features["size"] == str(20 << 20)
            for number in range(5):
                assert client.send_message(letter(f"lib{number}@x.test", ".\n..\nend\n")) == {}
            assert client.verify("lib0@x.test")[0] == 252
            assert client.noop()[0] == 250
            assert client.rset()[0] == 250

    await asyncio.to_thread(send)
    for number in range(5):
        content = (await world.arrived(f"lib{number}@x.test")).content or b""
        assert content.endswith(b"\r\n\r\n.\r\n..\r\nend\r\n")


async def test_smtplib_sends_utf8_where_it_is_needed(world: World) -> None:
    def send() -> None:
        with smtplib.SMTP("127.0.0.1", world.port, "peer.test", 30) as client:
            client.send_message(letter("grüße@x.test", "schöne Grüße\n"))

    await asyncio.to_thread(send)
    got = await world.arrived("grüße@x.test")
    assert "SMTPUTF8" in got.sender_parameters


async def test_smtplib_is_told_which_recipients_were_refused(world: World) -> None:
    def send() -> dict[str, tuple[int, bytes]]:
        with smtplib.SMTP("127.0.0.1", world.port, "peer.test", 30, ("127.0.0.2", 0)) as client:
            return client.sendmail(
                "a@sender.test", ["yes@ours.test", "no@theirs.test"], letter("x").as_string()
            )

    refused = await asyncio.to_thread(send)
    assert refused == {"no@theirs.test": (550, b"5.7.1 relaying denied")}
    assert (await world.arrived("yes@ours.test")).recipients == ["yes@ours.test"]
