"""A real server on a damaged state directory, on a copy of one, and beside `angarium spool`."""

import asyncio
import json
import random
import re
import shutil
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from helpers.world import World

RECORD = b"\xa7Rec"
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


def spoil(path: Path, chance: random.Random) -> str:
    """Flip a bit, zero a block, or cut the file; say what was done."""
    octets = bytearray(path.read_bytes())
    at = chance.randrange(len(octets.rstrip(b"\0")) or 1)
    match chance.randrange(3):
        case 0:
            octets[at] ^= 1 << chance.randrange(8)
            done = f"a bit at {at}"
        case 1:
            at = at // 4096 * 4096
            octets[at : at + 4096] = bytes(4096)
            done = f"zeros at {at}"
        case _:
            del octets[at:]
            done = f"the end from {at} on"
    path.write_bytes(octets)
    return f"{path}: {done}"


class Kept:
    """What stood where on the disk, found by the octets each record begins with and no more.

    Args:
        sent: what was sent to whom.
    """

    def __init__(self, state: Path, sent: dict[str, bytes]) -> None:
        paths = [path for path in sorted(state.rglob("*")) if path.is_file()]
        self.before = {path: path.read_bytes() for path in paths}
        self.needed: dict[str, list[tuple[Path, int, int]]] = {name: [] for name in sent}
        self.content: dict[str, tuple[Path, int]] = {}
        for path in paths:
            if path.parent.name in {"data", "large"}:
                self._search(path, sent)

    def _search(self, path: Path, sent: dict[str, bytes]) -> None:
        octets = self.before[path]
        begins = [found.start() for found in re.finditer(RECORD, octets)]
        for begin, end in pairwise([0, *begins, len(octets.rstrip(b"\0"))]):
            for address in set(re.findall(rb"r\d+@later\.test(?:\.gone)?", octets[begin:end])):
                name = address.decode()
                self.needed[name].append((path, begin, end))
                if (at := octets.find(sent[name], begin, end)) >= 0:
                    self.content[name] = path, at

    def whole(self, name: str) -> bool:
        """Say whether all that a message needs is as it was."""
        after = {path: path.read_bytes() for path, _, _ in self.needed[name]}
        return all(
            after[path][begin:end] == self.before[path][begin:end]
            and self._known(path, after[path])
            for path, begin, end in self.needed[name]
        )

    def _known(self, path: Path, after: bytes) -> bool:
        """Say whether a segment can be known for what it is: by its header, or by the seed."""
        seed = path.parents[1] / "seed"
        return after[:4096] == self.before[path][:4096] or seed.read_bytes() == self.before[seed]

    def hurt(self, name: str) -> str:
        """Flip a bit of the content of a message."""
        path, at = self.content[name]
        octets = bytearray(path.read_bytes())
        octets[at + 100] ^= 1
        path.write_bytes(octets)
        return f"{path}: a bit of {name}"


@pytest.mark.parametrize("seed", range(2))
async def test_a_server_starts_on_whatever_is_left_and_delivers_what_is_whole(
    tmp_path: Path, seed: int
) -> None:
    chance = random.Random(seed)
    names = [f"r{n}@later.test" for n in range(30)]
    sent: dict[str, bytes] = {}
    async with World(tmp_path, HELD + SMALL, ZONE, workers=2) as world:
        for name in names:
            sent[name] = content(name, chance.choice((500, 2000, 40_000)))
            sent[f"{name}.gone"] = content(f"{name}.gone")
            for each in (name, f"{name}.gone"):
                assert (await world.send("s@x.test", [each], sent[each]))[:4] == "250 "
        await world.arrived(f"{names[-1]}.gone")
        world.kill() if seed % 2 else await world.stop()
        await world.ended()
        kept = Kept(world.state, sent)
        assert kept.content.keys() >= set(names)
        files = [path for path, octets in kept.before.items() if octets and path.suffix != ".ec"]
        hurt = [spoil(path, chance) for path in chance.sample(files, 6)]
        hurt += [spoil(path, chance) for path in (world.state / "hose").rglob("*.json")]
        due = {name for name in names if kept.whole(name)}
        # One of them is spoiled where only who reads its content finds it.
        one = chance.choice(sorted(due)) if due else ""
        if one:
            hurt.append(kept.hurt(one))
        world.configure(SMALL)
        await world.start()
        sent["new@later.test"] = content("new")
        assert (await world.send("s@x.test", ["new@later.test"], content("new")))[:4] == "250 "
        due = due - {one} | {"new@later.test"}
        for name in sorted(due):
            await world.arrived(name)
        ends = await world.settled(sound=False)
        assert ends["queued"] == 0
        for mail in world.sink.accepted:
            assert (mail.content or b"").endswith(sent[mail.recipients[0]]), hurt
        arrived = {each for mail in world.sink.accepted for each in mail.recipients}
        assert arrived <= sent.keys()
        if one:
            assert one not in arrived, hurt
            assert world.log("paniclog"), hurt
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
        # The shard they came in is given up when it is empty, and its account with it.
        await world.settled()
        assert len(await world.logged("mainlog", "@D@later.test@", 2)) == 2
