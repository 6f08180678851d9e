"""The console lets a command wait, and a server that was started again still knows of it."""

from pathlib import Path

import pytest

from helpers.operators import operator
from helpers.world import World


@pytest.mark.slow
async def test_jobs_are_done_and_outlive_the_server(tmp_path: Path) -> None:
    config = f'sched {{ backing_store = "{tmp_path}/sched.db" }}\nretry_interval = 1\n'
    for round_ in (1, 2):
        async with World(tmp_path, config=config) as world, operator(world.state) as admin:
            if round_ == 1:
                await admin.say("sched at 4000000000 config set retry_interval 99")
            await admin.say("sched in 0 config set retry_interval 77")
            said = ""
            while "77" not in said:
                said = await admin.say("config eval retry_interval")
            lines = (await admin.say("sched list")).splitlines()
            assert [line.split("\t")[1] for line in lines[1:]] == ["4000000000"]
