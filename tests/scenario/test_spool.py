"""What is on the disk: damage put aside and kept, room used again, formats told apart."""

from pathlib import Path

import pytest

from helpers.formats import make_newer
from helpers.world import World

ZONE = "* A 127.0.0.1"
HELD = 'domain "later.test" { suspend_delivery = true }\n'
# Segments of the smallest size, so that there are many of them.
SMALL = "spool_segment_size = 1M\nspool_reserve = 1M\ncheckpoint_interval = 1\n"


def content(mark: str, octets: int = 2000) -> bytes:
    lines = octets // 80
    return f"Subject: {mark}\r\n\r\n".encode() + (b"y" * 78 + b"\r\n") * lines


def segments(world: World, log: str = "data") -> list[Path]:
    return sorted((world.state / "spool" / "000" / log).glob("*.seg"))


def spoil(paths: list[Path], mark: bytes, offset: int = 0) -> None:
    """Change the octet at `offset` behind the first place where `mark` stands."""
    for path in paths:
        octets = path.read_bytes()
        if (at := octets.find(mark)) >= 0:
            with path.open("r+b") as file:
                file.seek(at + offset)
                file.write(bytes([octets[at + offset] ^ 1]))
            return
    raise AssertionError(f"{mark!r} is nowhere")


# Damage.


@pytest.mark.parametrize(
    ("mark", "octets"),
    [
        (b"Subject: bad", 2000),  # the content
        (b"bad@later.test", 2000),  # the recipient
        (b"bad@sender.test", 2000),  # the envelope
        (b"Subject: bad", 300_000),  # a body in a file of its own
    ],
)
async def test_what_is_damaged_is_put_aside_and_the_rest_delivered(
    tmp_path: Path, mark: bytes, octets: int
) -> None:
    async with World(tmp_path, HELD, ZONE) as world:
        for name in ("one", "bad", "two"):
            reply = await world.send(
                f"{name}@sender.test", [f"{name}@later.test"], content(name, octets)
            )
            assert reply.startswith("250 ")
        assert await world.stop() == 0
        spool = world.state / "spool" / "000"
        spoil([*segments(world), *(spool / "large").glob("*")], mark, len(mark) - 1)
        world.configure("")
        await world.start()
        for name in ("one", "two"):
            await world.arrived(f"{name}@later.test")
        await world.logged("paniclog", "damage|aside|read")
        ends = await world.settled(sound=False)
        assert (ends["accepted"], ends["delivered"], ends["quarantined"]) == (3, 2, 1)
        assert not [each for each in world.sink.messages if "bad@later.test" in each.recipients]
        # It is kept, and still known, after another start.
        world.kill()
        await world.ended()
        await world.start()
        assert (await world.send("a@sender.test", ["last@x.test"], content("last")))[:4] == "250 "
        await world.arrived("last@x.test")
        ends = await world.settled(sound=False)
        assert (ends["accepted"], ends["delivered"], ends["quarantined"]) == (4, 3, 1)


async def test_a_disk_of_another_version_is_not_touched(tmp_path: Path) -> None:
    async with World(tmp_path, HELD, ZONE) as world:
        assert (await world.send("a@sender.test", ["b@later.test"], content("x")))[:4] == "250 "
        assert await world.stop() == 0
        [path, *_] = segments(world)
        make_newer(path)
        before = {each: each.read_bytes() for each in segments(world)}
        world.configure("")
        with pytest.raises(RuntimeError, match="did not start, exit 3") as refused:
            await world.start()
        assert "written by a newer Angarium" in str(refused.value)
        assert f"file='{path}' version=99" in str(refused.value)
        assert {each: each.read_bytes() for each in segments(world)} == before


# Room.


async def test_room_of_what_is_delivered_is_used_again(tmp_path: Path) -> None:
    """Ten megabytes go through; what lies on the disk stays near two segments and the spares."""
    async with World(tmp_path, SMALL, ZONE) as world, world.call() as caller:
        for number in range(100):
            reply = await caller.deliver(content("x", 100_000), f"{number}@x.test")
            assert reply.startswith("250 ")
        await world.delivered(100)
        await world.until(lambda: len(segments(world)) <= 3, "segments to be given up")


async def test_a_few_old_messages_do_not_keep_whole_segments(tmp_path: Path) -> None:
    async with World(tmp_path, HELD + SMALL, ZONE) as world:
        held = [f"{number}@later.test" for number in range(5)]
        async with world.call() as caller:
            for name in held:
                assert (await caller.deliver(content(name), name)).startswith("250 ")
                for number in range(12):
                    to = f"{number}.{name.replace('@', '.')}@x.test"
                    reply = await caller.deliver(content(to, 100_000), to)
                    assert reply.startswith("250 "), reply
        await world.delivered(60)
        await world.until(lambda: len(segments(world)) <= 3, "compaction")
        world.kill()
        await world.ended()
        world.configure(SMALL)
        await world.start()
        for name in held:
            got = await world.arrived(name)
            assert (got.content or b"").endswith(content(name))
        ends = await world.settled()
        assert ends["accepted"] == ends["delivered"] == 65


# Options.


@pytest.mark.effect("spool_mode", "spool_segment_size", "spool_reserve")
async def test_files_of_the_spool_are_as_the_options_say(tmp_path: Path) -> None:
    config = "spool_mode = 0600\nspool_segment_size = 2M\nspool_reserve = 3M\n"
    async with World(tmp_path, HELD + config, ZONE) as world:
        shard = world.state / "spool" / "000"
        assert (await world.send("a@b.test", ["b@later.test"], content("x"))).startswith("250")
        files = [each for each in shard.rglob("*") if each.is_file()]
        assert {each.stat().st_mode & 0o777 for each in files} == {0o600}
        assert {each.stat().st_size for each in segments(world)} == {2 << 20}
        assert sum(each.stat().st_size for each in shard.rglob("reserve")) == 3 << 20


@pytest.mark.effect("unlink_on_spool_in_failure")
async def test_what_cannot_be_read_ends_where_an_operator_wants_it_so(tmp_path: Path) -> None:
    async with World(tmp_path, HELD, ZONE) as world:
        assert (await world.send("a@b.test", ["b@later.test"], content("bad"))).startswith("250")
        assert await world.stop() == 0
        spoil(segments(world), b"Subject: bad")
        world.configure("unlink_on_spool_in_failure = true\n")
        await world.start()
        [line] = await world.logged("mainlog", "@P@later[.]test@")
        assert line.endswith("550 5.3.0 [internal] message body missing")
        assert (await world.settled())["discarded"] == 1
