"""What is shown in examples/ works as it stands: only its ports are changed here."""

import asyncio
import email
import re
import sys
from email.message import Message
from pathlib import Path

import pytest

from angarium.events.jlog import Jlog, Place
from helpers.world import World

EXAMPLES = Path(__file__).parent.parent.parent / "examples"


class Shown(World):
    """The server of an example, its ports being ours."""

    folder_shown = EXAMPLES / "reports"

    def configure(self, extra: str) -> None:
        text = (self.folder_shown / "ecelerity.conf").read_text("utf-8")
        text = text.replace("/tmp/", f"{self.folder}/")
        text = text.replace("127.0.0.1:2525", f"127.0.0.1:{self.port}")
        text = text.replace("127.0.0.1:2526", f"127.0.0.1:{self.sink.port}")
        self.config.write_text(text + 'eventloop "pool" { concurrency = 1 }\n', encoding="utf-8")


def of_report(content: bytes | None) -> dict[str, str]:
    """Return the fields of the machine's part of a report."""
    report = email.message_from_bytes(content or b"")
    assert report.get_content_type() == "multipart/report"
    fields: dict[str, str] = {}
    for block in report.get_payload(1).get_payload():  # type: ignore[union-attr]
        assert isinstance(block, Message)
        fields |= {name: str(value) for name, value in block.items()}
    return fields


@pytest.mark.slow
async def test_reports_come_as_the_example_says(tmp_path: Path) -> None:
    script = (EXAMPLES / "reports/refusing.sink").read_text("utf-8")
    async with Shown(tmp_path, sink=script) as world:
        client = await asyncio.create_subprocess_exec(
            *(sys.executable, str(EXAMPLES / "reports/send.py")),
            *("--server", f"127.0.0.1:{world.port}"),
            stdout=asyncio.subprocess.PIPE,
        )
        said, _ = await client.communicate()
        assert (client.returncode, said[:4]) == (0, b"250 ")
        await world.until(lambda: len(world.sink.accepted) == 3, "the mail and two reports")
        by_sender = sorted(world.sink.accepted, key=lambda each: each.sender, reverse=True)
        mail, *reports = by_sender
        assert mail.sender == "me@example.com"
        assert b"Do you read me?" in (mail.content or b"")
        told = {each["Action"]: each for each in (of_report(one.content) for one in reports)}
        assert set(told) == {"failed", "relayed"}
        assert told["failed"]["Original-Recipient"] == "rfc822; nobody@example.net"
        assert told["failed"]["Status"] == "5.1.1"
        assert told["relayed"]["Original-Recipient"] == "rfc822; you@example.net"
        assert {each["Original-Envelope-Id"] for each in told.values()} == {"example-1"}


class Small(Shown):
    folder_shown = EXAMPLES / "memory"


@pytest.mark.slow
async def test_the_small_server_takes_a_large_message(tmp_path: Path) -> None:
    content = b"Subject: x\r\n\r\n" + b"y" * 70 + b"\r\n" * 50_000
    async with Small(tmp_path) as world:
        assert (await world.send("a@s.test", ["b@example.net"], content)).startswith("250 ")
        mail = await world.arrived("b@example.net")
        assert mail.content is not None
        assert mail.content.endswith(content)


class Logging(Shown):
    folder_shown = EXAMPLES / "loggers"


@pytest.mark.slow
async def test_logs_for_programs_are_as_the_example_says(tmp_path: Path) -> None:
    async with Logging(tmp_path) as world:
        said = await world.send("me@example.com", ["you@example.net"], b"Subject: x\r\n\r\nx\r\n")
        assert said.startswith("250")
        deliveries = world.state / "log/deliveries"
        await world.until(lambda: deliveries.exists() and deliveries.read_text(), "a line")
        assert re.fullmatch(
            r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d \S+ from me@example[.]com to you@example[.]net,"
            r" \d+ octets in \d+[.]\d\d s: 250 .*\n",
            deliveries.read_text(),
        )
        assert "status=sent" in (world.state / "log/maillog").read_text()
        queue = [message for _, message in Jlog(tmp_path / "angarium-queue").read(Place(0, 0))]
        assert [message.split(b"@")[4] for message in queue] == [b"R", b"D"]
