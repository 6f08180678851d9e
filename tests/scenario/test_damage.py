"""A real server on a damaged state directory, on a copy of one, and beside `angarium spool`."""

import asyncio
import json
import random
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from helpers.world import World

ZONE = "* A 127.0.0.1"
HELD = 'domain "later.test" { suspend_delivery = true }\n'
SMALL = """
spool_segment_size = 1M
spool_reserve = 1M
checkpoint_interval = 1
large_message_threshold = "16k"
"""


def content(mark: str, octets: int = 2000) -> bytes:
    return f"Subject: {mark}\r\n\r\n".encode() + (b"y" * 78 + b"\r\n") * (octets // 80)


async def spool(state: Path, *words: str) -> tuple[int, Any]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "angarium.run.programs.cli", "spool", words[0]),
        *("--state", str(state), "--json", *words[1:]),
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate()
    return process.returncode or 0, json.loads(output or b"{}")


def spoil(path: Path, chance: random.Random) -> None:
    """Flip a bit, zero a block, or cut the file."""
    octets = bytearray(path.read_bytes())
    at = chance.randrange(len(octets.rstrip(b"\0")) or 1)
    match chance.randrange(3):
        case 0:
            octets[at] ^= 1 << chance.randrange(8)
        case 1:
            octets[at // 4096 * 4096 : at // 4096 * 4096 + 4096] = bytes(4096)
        case _:
            del octets[at:]
    path.write_bytes(octets)


@pytest.mark.parametrize("seed", range(2))
async def test_a_server_starts_on_whatever_is_left_and_delivers_it(
    tmp_path: Path, seed: int
) -> None:
    chance = random.Random(seed)
    names = [f"r{n}@later.test" for n in range(30)]
    async with World(tmp_path, HELD + SMALL, ZONE, workers=2) as world:
        for name in names:
            octets = chance.choice((500, 2000, 40_000))
            assert (await world.send("s@x.test", [name], content(name, octets)))[:4] == "250 "
            assert (await world.send("s@x.test", [f"{name}.gone"], content(name)))[:4] == "250 "
        await world.arrived(f"{names[-1]}.gone")
        world.kill() if seed % 2 else await world.stop()
        await world.ended()
        files = [
            path
            for path in sorted(world.state.rglob("*"))
            if path.is_file() and path.stat().st_size and path.suffix != ".ec"
        ]
        for path in chance.sample(files, 6):
            spoil(path, chance)
        for path in (world.state / "hose").rglob("*.json"):
            spoil(path, chance)
        world.configure(SMALL)
        await world.start()
        assert (await world.send("s@x.test", ["new@later.test"], content("new")))[:4] == "250 "
        await world.arrived("new@later.test")
        ends = await world.settled(sound=False)
        sent = {each for mail in world.sink.accepted for each in mail.recipients}
        assert sent <= {*names, *(f"{each}.gone" for each in names), "new@later.test"}
        assert all(
            mail.content is not None and mail.content.partition(b"Subject: ")[2]
            for mail in world.sink.accepted
        )
        arrived = [each for each in names if each in sent]
        assert len(arrived) >= len(names) // 2
        assert ends["queued"] == 0
        assert world.log("paniclog")
        await world.stop()
        code, _ = await spool(world.state, "repair")
        assert code in (0, 1)
        code, found = await spool(world.state, "verify")
        for shard in found["shards"].values():
            assert all(each["kept"] or each["entries"] for each in shard["findings"])


async def test_a_state_directory_moves_to_another_machine(tmp_path: Path) -> None:
    """Other inodes, another name, another number of workers; no line of the logs comes twice."""
    (tmp_path / "one").mkdir()
    async with World(tmp_path / "one", HELD, ZONE) as world:
        for name in ("a", "b"):
            assert (await world.send("s@x.test", [f"{name}@later.test"], content(name)))[0] == "2"
        assert (await world.send("s@x.test", ["gone@x.test"], content("x")))[0] == "2"
        await world.logged("mainlog", "@D@x.test@")
        assert await world.stop() == 0
    (tmp_path / "two").mkdir()
    # The socket of the console is no file; whoever copies with cp -a or rsync copies it, too.
    without = shutil.ignore_patterns("control")
    shutil.copytree(tmp_path / "one" / "state", tmp_path / "two" / "state", ignore=without)
    async with World(tmp_path / "two", 'hostname = "other.node.test"\n', ZONE, workers=3) as world:
        for name in ("a", "b"):
            got = await world.arrived(f"{name}@later.test")
            assert (got.content or b"").endswith(content(name))
        ends = await world.settled()
        assert (ends["accepted"], ends["delivered"]) == (3, 3)
        await world.logged("mainlog", "@D@later.test@", 2)
        assert len(await world.logged("mainlog", "@R@", 3)) == 3
        assert len(await world.logged("mainlog", "@D@", 3)) == 3


async def test_mail_leaves_a_running_server_and_comes_to_another(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    archive = tmp_path / "mail.tar.gz"
    async with World(tmp_path / "one", HELD, ZONE) as world:
        for name in ("a", "b"):
            assert (await world.send("s@x.test", [f"{name}@later.test"], content(name)))[0] == "2"
        assert (await spool(world.state, "verify"))[1]["sound"]
        code, found = await spool(world.state, "export", "--to", str(archive))
        assert (code, found["messages"]) == (0, 2)
        assert (await spool(world.state, "repair"))[0] == 3
    async with World(tmp_path / "two", "", ZONE) as world:
        assert await world.stop() == 0
        for brought in (2, 0):
            code, found = await spool(world.state, "import", str(archive))
            assert (code, found["recipients"]) == (0, brought)
        await world.start()
        for name in ("a", "b"):
            got = await world.arrived(f"{name}@later.test")
            assert (got.content or b"").endswith(content(name))
        assert (await world.settled())["delivered"] == 2
