"""Receivers which are not ours: Postfix's smtp-sink in its good and bad moods, and aiosmtpd."""

import asyncio
import os
from asyncio.subprocess import DEVNULL
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import SMTP

from helpers.outlook import Outlook

Find = Callable[[str], str]
ZONE = "\n".join(f"d{number}.test A 127.0.3.{number}" for number in range(1, 20))
CONFIG = """
generate_bounces = false
max_retry_interval = 1
host_failure_retry = 0
dead_destination_delay = 1
domain "d9.test" { delivery_method = LMTP  lmtp_port = {sink} }
"""
BODY = b".\r\n..two\r\n" + b"x" * 900 + b"\r\n.\r\nthe end\r\n"
CONTENT = b"Subject: dots\r\n\r\n" + BODY


@asynccontextmanager
async def smtp_sink(
    path: str, folder: Path, number: int, port: int, *options: str
) -> AsyncIterator[Path]:
    """Run Postfix's smtp-sink at 127.0.3.number; gives the file its messages go to."""
    dump = folder / f"dump{number}{''.join(options)}"
    user = ["-u", "root"] if os.geteuid() == 0 else []
    where = ["-D", str(dump), f"inet:127.0.3.{number}:{port}", "100"]
    process = await asyncio.create_subprocess_exec(
        path, *user, *options, *where, stdout=DEVNULL, stderr=DEVNULL
    )
    try:
        yield dump
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


def count(dump: Path, wanted: bytes) -> int:
    """Return how often the octets, line ends apart, are in a dump."""
    return dump.read_bytes().count(wanted.replace(b"\r\n", b"\n")) if dump.exists() else 0


@pytest.mark.peer
async def test_smtp_sink_gets_each_message_once_in_each_of_its_moods(
    tmp_path: Path, program: Find
) -> None:
    path = program("smtp-sink")
    moods = {
        1: (),
        2: ("-p",),
        3: ("-e",),
        4: ("-8", "-N"),
        5: ("-w", "1"),
        6: ("-m", "1"),
        9: ("-L",),
    }
    async with Outlook(tmp_path, CONFIG, ZONE) as world, AsyncExitStack() as stack:
        dumps = {
            number: await stack.enter_async_context(
                smtp_sink(path, tmp_path, number, world.sink.port, *options)
            )
            for number, options in moods.items()
        }
        for number in moods:
            await world.mail(f"b@d{number}.test", f"c@d{number}.test", content=CONTENT)
            await world.mails(2, f"d@d{number}.test", CONTENT)
        await world.records("mainlog", "D", count=4 * len(moods))
        assert {number: count(dump, BODY) for number, dump in dumps.items()} == dict.fromkeys(
            moods, 3
        )
        assert world.rows("mainlog", "P") == []


@pytest.mark.peer
@pytest.mark.slow
async def test_what_smtp_sink_refuses_or_breaks_off_is_delivered_when_it_is_well_again(
    tmp_path: Path, program: Find
) -> None:
    path = program("smtp-sink")
    moods = {
        1: ("-r", "RCPT"),
        2: ("-r", "DATA"),
        3: ("-r", "."),
        4: ("-q", "MAIL"),
        5: ("-q", "DATA"),
        6: ("-q", "."),
        7: ("-r", "CONNECT"),
        8: ("-r", "EHLO,HELO"),
    }
    stages = {1: "5", 2: "7", 3: "9", 4: "3", 5: "7", 6: "9", 7: "12", 8: "11"}
    async with Outlook(tmp_path, CONFIG, ZONE) as world:
        port = world.sink.port
        async with AsyncExitStack() as stack:
            for number, options in moods.items():
                await stack.enter_async_context(smtp_sink(path, tmp_path, number, port, *options))
            for number in moods:
                await world.mails(2, f"b@d{number}.test", CONTENT)
            for number, stage in stages.items():
                deferred = await world.records("mainlog", "T", f"d{number}.test")
                assert stage in {row[9] for row in deferred}, (moods[number], deferred)
        async with AsyncExitStack() as stack:
            dumps = [
                await stack.enter_async_context(smtp_sink(path, tmp_path, number, port))
                for number in moods
            ]
            await world.records("mainlog", "D", count=2 * len(moods))
            assert [count(dump, BODY) for dump in dumps] == [2] * len(moods)


class Heard:
    """What an aiosmtpd server got."""

    def __init__(self) -> None:
        self.messages: list[tuple[list[str], bytes]] = []

    async def handle_DATA(  # noqa: N802 - aiosmtpd looks for this name
        self, server: object, session: object, envelope: object
    ) -> str:
        recipients: list[str] = getattr(envelope, "rcpt_tos", [])
        self.messages.append((list(recipients), getattr(envelope, "content", b"")))
        return "250 taken"


@asynccontextmanager
async def aiosmtpd(kind: type[SMTP], number: int, port: int) -> AsyncIterator[Heard]:
    """Run an aiosmtpd server at 127.0.3.number."""
    heard = Heard()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: kind(heard, hostname="aiosmtpd.test", loop=loop, enable_SMTPUTF8=True),
        f"127.0.3.{number}",
        port,
    )
    try:
        yield heard
    finally:
        server.close()
        await server.wait_closed()


async def test_aiosmtpd_gets_mail_by_smtp_and_lmtp(tmp_path: Path) -> None:
    async with Outlook(tmp_path, CONFIG, ZONE) as world:
        port = world.sink.port
        async with (
            aiosmtpd(SMTP, 8, port) as smtp,
            aiosmtpd(LMTP, 9, port) as lmtp,
        ):
            await world.mail("b@d8.test", "c@d8.test", content=CONTENT)
            await world.mail("\u00e4@d8.test", content=CONTENT, parameters="SMTPUTF8")
            # To more than one recipient aiosmtpd answers once, where RFC 2033 wants an answer each.
            await world.mails(2, "b@d9.test", CONTENT)
            await world.records("mainlog", "D", count=5)
        assert [recipients for recipients, _ in smtp.messages] == [
            ["b@d8.test", "c@d8.test"],
            ["\u00e4@d8.test"],
        ]
        assert [recipients for recipients, _ in lmtp.messages] == [["b@d9.test"]] * 2
        contents = [content for heard in (smtp, lmtp) for _, content in heard.messages]
        assert all(content.endswith(b"\r\n\r\n" + BODY) for content in contents)
