import asyncio
import json
import signal
import sys
from asyncio.subprocess import PIPE, Process
from pathlib import Path

import pytest
from click.testing import CliRunner

from angarium.run.programs.sink import command
from helpers.certificates import server

MESSAGE = b"EHLO x\r\nMAIL FROM:<a@x>\r\nRCPT TO:<b@y>\r\nDATA\r\nhello\r\n.\r\nQUIT\r\n"


async def started(*options: str) -> tuple[Process, int]:
    """Start a sink of its own process; return it and its port."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", "from angarium.run.programs.sink import command; command()"),
        *("--listen", "127.0.0.1:0", *options),
        stdout=PIPE,
        stderr=PIPE,
    )
    assert process.stderr is not None
    ready = await process.stderr.readline()
    assert b"ready on 127.0.0.1:" in ready
    return process, int(ready.rsplit(b":", 1)[1])


@pytest.mark.slow
async def test_a_sink_records_counts_on_a_signal_and_says_all_at_its_end(tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text("at dot from *@bad.test reply 554 5.7.1 no\n")
    process, port = await started("--script", str(script), "--record", str(tmp_path), "--show")
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(MESSAGE)
    await reader.read()
    writer.close()
    process.send_signal(signal.SIGUSR1)
    assert process.stdout is not None
    assert await process.stdout.readline() == b"<a@x> to <b@y>: 7 octets, said 250\n"
    assert json.loads(await process.stdout.readline())["messages"] == 1
    process.send_signal(signal.SIGTERM)
    assert json.loads(await process.stdout.readline())["messages"] == 1
    assert await process.wait() == 0
    assert (tmp_path / "00000001.eml").read_bytes() == b"hello\r\n"


def test_a_faulty_script_is_named_with_its_place(tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text("\nat rcpt drip\n")
    result = CliRunner().invoke(command, ["--listen", "127.0.0.1:0", "--script", str(script)])
    assert result.exit_code == 1
    assert f"{script}:2:9: " in result.output


def test_an_address_which_is_none_of_ours_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANGARIUM_LOOP", "asyncio")  # The loop of the tests stays what it is.
    result = CliRunner().invoke(command, ["--listen", "192.0.2.1:2525"])
    assert result.exit_code == 3
    assert "cannot start" in result.output


def test_a_key_which_is_none_is_said(tmp_path: Path) -> None:
    (tmp_path / "mx.pem").write_text("no certificate")
    options = ["--listen", "127.0.0.1:0", "--certificate", str(tmp_path / "mx.pem")]
    result = CliRunner().invoke(command, options)
    assert result.exit_code == 1
    assert f"{tmp_path}/mx.pem: " in result.output


@pytest.mark.slow
async def test_with_a_certificate_a_sink_offers_starttls(tmp_path: Path) -> None:
    (tmp_path / "mx.pem").write_bytes(server().whole)
    process, port = await started("--certificate", str(tmp_path / "mx.pem"))
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"EHLO x\r\nQUIT\r\n")
    assert b"250 STARTTLS\r\n" in await reader.read()
    writer.close()
    process.terminate()
    assert await process.wait() == 0
