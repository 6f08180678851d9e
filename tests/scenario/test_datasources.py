"""A policy asks a datasource while a client waits; the example of it is run as it stands."""

import sqlite3
from pathlib import Path

import pytest

from helpers.operators import operator
from helpers.world import World

EXAMPLE = Path(__file__).parent.parent.parent / "examples" / "datasources"


class Suppressing(World):
    """The server of the example, its ports and places being ours."""

    def configure(self, extra: str) -> None:
        text = (EXAMPLE / "ecelerity.conf").read_text("utf-8")
        text = text.replace("/tmp/datasources", str(self.folder)) + 'eventloop "pool" {'
        text = text.replace("127.0.0.1:2525", f"127.0.0.1:{self.port}")
        self.config.write_text(f"{text} concurrency = 1 }}\n{extra}", encoding="utf-8")
        script = (EXAMPLE / "suppression.py").read_text("utf-8")
        (self.folder / "suppression.py").write_text(script, encoding="utf-8")


@pytest.mark.slow
async def test_who_is_in_the_table_is_refused_and_it_is_asked_once(tmp_path: Path) -> None:
    path = tmp_path / "mail.db"
    with sqlite3.connect(path) as database:
        database.executescript((EXAMPLE / "mail.sql").read_text("utf-8"))
    database.close()
    async with Suppressing(tmp_path) as world, world.call() as caller:
        await caller.say("MAIL FROM:<news@example.com>")
        for _ in range(2):
            reply = await caller.say("RCPT TO:<Gone@example.com>")
            assert reply == "550 5.7.1 this address asked not to be written to"
        assert (await caller.say("RCPT TO:<here@example.com>")).startswith("250 ")
        await caller.say("RSET")

        async with operator(world.state) as admin:
            said = await admin.say("ds_core stats")
            assert "suppression: 2 statements, 0 failed" in said
            assert f"sqlite:{path}" in said
            assert "ds_core:suppression" in await admin.say("cache list")
            await admin.say("config set datasource suppression cache_size 5")
            assert " 5 ds_core:suppression" in await admin.say("cache list capacity")
            assert "flushed 2 entries" in await admin.say("ds_core flush suppression")

        # Without the database nobody is let through unasked, and nobody refused for good.
        with sqlite3.connect(path) as database:
            database.execute("DROP TABLE suppressed")
        database.close()
        await caller.say("MAIL FROM:<news@example.com>")
        assert (await caller.say("RCPT TO:<here@example.com>")).startswith("451 ")
        [panic] = await world.logged("paniclog", "no such table: suppressed")
        assert "datasource='suppression'" in panic
