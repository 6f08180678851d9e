import asyncio
import json
import sys
from asyncio.subprocess import PIPE
from pathlib import Path

import pytest
from click.testing import CliRunner

from angarium.lab.sink import Sink
from angarium.run.programs.send import command

pytestmark = pytest.mark.slow


async def send(sink: Sink, *options: str, text: bytes = b"") -> tuple[int, str]:
    """Run the command in a process of its own; return exit code and output."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", "from angarium.run.programs.send import command; command()"),
        *("--server", f"127.0.0.1:{sink.port}", *options),
        stdin=PIPE,
        stdout=PIPE,
    )
    out, _ = await process.communicate(text)
    return process.returncode or 0, out.decode()


async def test_one_message_is_sent() -> None:
    async with Sink() as sink:
        said = await send(sink, "--to", "b@y", "--from", "a@x", "--subject", "Hi")
    assert said == (0, "accepted: 250 2.0.0 accepted\n")
    assert b"\r\nSubject: Hi\r\n" in (sink.accepted[0].content or b"")


async def test_a_message_comes_from_standard_input() -> None:
    async with Sink() as sink:
        code, out = await send(sink, "--to", "b@y", "--file", "-", "--json", text=b"X: y\n\nz\n")
    assert (code, json.loads(out)["accepted"]) == (0, True)
    assert sink.accepted[0].content == b"X: y\r\n\r\nz\r\n"


async def test_a_refused_recipient_is_said_and_is_no_success() -> None:
    async with Sink("at rcpt to c@* reply 550 5.1.1 no") as sink:
        code, out = await send(sink, "--to", "b@y", "--to", "c@y")
    assert code == 1
    assert out == "<c@y> refused: 550 5.1.1 no\naccepted: 250 2.0.0 accepted\n"


async def test_a_load_says_what_was_acknowledged(tmp_path: Path) -> None:
    acknowledged = tmp_path / "acknowledged"
    options = ["--count", "20", "--connections", "2", "--sizes", "1k", "--domains", "2", "--json"]
    async with Sink("at dot nth 3 reply 451 4.3.0 no") as sink:
        code, out = await send(sink, *options, "--acknowledged", str(acknowledged))
    assert code == 1
    report = json.loads(out)
    assert (report["acknowledged"], report["refused"]) == (19, {"dot 451": 1})
    arrived = {each for message in sink.accepted for each in message.recipients}
    assert set(acknowledged.read_text().split()) == arrived
    assert {each.partition("@")[2] for each in arrived} == {"d1.sink.test", "d2.sink.test"}


async def test_a_load_is_summed_up_for_people() -> None:
    async with Sink() as sink:
        code, out = await send(sink, "--rate", "500", "--count", "5", "--idle", "2")
    assert code == 0
    assert out.startswith("5 of 5 messages acknowledged in ")
    assert "idle connections: 2 open, 0 cut\n" in out
    assert "ms to 250, from due: mean " in out


async def test_no_server_is_said() -> None:
    async with Sink() as sink:
        pass
    code, _ = await send(sink, "--to", "b@y")
    assert code == 3


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ([], "give --to"),
        (["--server", "x"], "has no port"),
        (["--count", "1", "--sizes", "big"], "no size"),
        (["--count", "1", "--domains", ","], "names no domain"),
        (["--rate", "fast"], "no rate"),
        (["--rate", "5/0"], "no rate"),
    ],
)
def test_wrong_usage_is_said(
    options: list[str], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANGARIUM_LOOP", "asyncio")  # The loop of the tests stays what it is.
    result = CliRunner().invoke(command, options)
    assert result.exit_code == 2
    assert said in result.output
