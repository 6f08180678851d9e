"""seedlist on a real server: once a campaign, with several workers, a restart and a database."""

import asyncio
import sqlite3
from pathlib import Path

import pytest

from helpers.world import World

pytestmark = pytest.mark.slow

EXAMPLE = Path(__file__).parent.parent.parent / "examples/seedlist"
ZONE = "* A 127.0.0.1"
CONTENT = b"Subject: hello\r\n\r\nbody\r\n"


def seeds(world: World) -> list[str]:
    """Return the recipients of all copies which have come to the other side."""
    return sorted(
        each
        for mail in world.sink.accepted
        for each in mail.recipients
        if each.endswith("@seeds.example.net")
    )


async def test_the_example_sends_one_copy_of_each_campaign_whatever_worker_takes_it(
    tmp_path: Path,
) -> None:
    config = (EXAMPLE / "seedlist.conf").read_text().replace("/etc/angarium", str(EXAMPLE))
    async with World(tmp_path, config, ZONE, workers=2) as world:
        many = [
            world.send(f"bounces-5-{each}@news.example.com", [f"r{each}@a.test"], CONTENT)
            for each in range(20)
        ]
        await asyncio.gather(*many)
        mail = await world.arrived("seed-1@seeds.example.net")
        assert mail.sender == "seeds@news.example.com"
        assert b"X-Seed-Campaign: 5\r\n" in (mail.content or b"")
        await world.settled()
        assert seeds(world) == ["seed-1@seeds.example.net", "seed-2@seeds.example.net"]
        assert await world.stop() == 0
        await world.start()
        await world.send("bounces-5-x@news.example.com", ["again@a.test"], CONTENT)
        await world.send("bounces-6-x@news.example.com", ["again@a.test"], CONTENT)
        await world.settled()
        assert len(seeds(world)) == 4


async def test_a_campaign_which_the_database_knows_is_not_new(tmp_path: Path) -> None:
    path = tmp_path / "campaigns.db"
    database = sqlite3.connect(path)
    database.execute("CREATE TABLE campaigns (seedlist, campaign, UNIQUE (seedlist, campaign))")
    database.execute("INSERT INTO campaigns VALUES ('s', '1')")
    database.commit()
    config = (
        f'datasource "ecdb" {{ uri = ( "sqlite:{path}" ) }}\n'
        f'seedlist "s" {{ seedlist_file = "{EXAMPLE}/seeds" schema_name = "main"\n'
        '  match_verp = ( "-(?P<campaignid>[0-9]+)@" ) }\n'
    )
    async with World(tmp_path, config, ZONE) as world:
        await world.send("b-1@x.test", ["r@a.test"], CONTENT)
        await world.send("b-2@x.test", ["r@a.test"], CONTENT)
        await world.send("b-2@x.test", ["r@a.test"], CONTENT)
        await world.settled()
        assert len(seeds(world)) == 2
    known = database.execute(
        "SELECT seedlist, campaign FROM campaigns ORDER BY campaign"
    ).fetchall()
    database.close()
    assert known == [("s", "1"), ("s", "2")]


async def test_a_large_message_goes_to_reader_and_seeds_whole(tmp_path: Path) -> None:
    config = (
        "large_message_threshold = 100000\n"
        f'seedlist "s" {{ seedlist_file = "{EXAMPLE}/seeds"\n'
        '  match_verp = ( "-(?P<campaignid>[0-9]+)@" ) }\n'
    )
    body = b"".join(b"line %07d of a large message\r\n" % number for number in range(50_000))
    async with World(tmp_path, config, ZONE) as world:
        await world.send("b-1@x.test", ["r@a.test"], CONTENT + body)
        for recipient in ("r@a.test", "seed-1@seeds.example.net", "seed-2@seeds.example.net"):
            mail = await world.arrived(recipient)
            assert (mail.content or b"").endswith(b"body\r\n" + body)
        await world.settled()
