"""`sched`: jobs are made, listed and deleted."""

import os
import time
from pathlib import Path

import pytest

from helpers.consoles import FakeServer, Talk


@pytest.fixture
def talk(tmp_path: Path) -> Talk:
    server = FakeServer(tmp_path, "sched { }")
    server.node.schedule.configured = True
    return Talk(server)


async def test_jobs_are_listed_as_they_were_given(talk: Talk) -> None:
    assert "runs at 1215702990" in await talk.say("sched at 1215702990 config set a 300")
    before = int(time.time())
    await talk.say("sched in 60 summary")
    await talk.say("sched every 90 config  show")
    jobs = await talk.plain("sched list")
    assert [(each["every"], each["command"]) for each in jobs] == [
        (0, "config set a 300"),
        (0, "summary"),
        (90, "config  show"),
    ]
    assert before + 60 <= jobs[1]["next"] <= int(time.time()) + 60
    assert before + 90 <= jobs[2]["next"] <= int(time.time()) + 90
    lines = (await talk.say("sched list")).splitlines()
    assert lines[0] == "JOB ID\tNEXT RUN TIME\tREC\tCOMMAND"
    assert lines[1] == f"{os.uname().nodename}-000000001\t1215702990\t\tconfig set a 300"
    assert lines[3].split("\t")[2] == "y"


async def test_a_job_is_deleted_by_its_id_or_its_number(talk: Talk) -> None:
    await talk.say("sched in 60 summary")
    await talk.say("sched in 61 summary")
    await talk.say(f"sched delete {os.uname().nodename}-000000001")
    await talk.say("sched delete 2")
    assert await talk.plain("sched list") == []
    assert "no job 2" in await talk.fails("sched delete 2")
    assert "is no id" in await talk.fails("sched delete some")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("sched in 60", "no command"),
        ("sched in 60 nonsense", "no such command"),
        ("sched in 60 sched in 1 summary", "cannot schedule jobs"),
        ("sched every 0 summary", "at least 1"),
        ("sched in 99999999999 summary", "too far"),
        ("sched at soon summary", "is no number"),
    ],
)
async def test_what_cannot_be_done_is_told_at_once(talk: Talk, line: str, said: str) -> None:
    assert said in await talk.fails(line)
    assert await talk.plain("sched list") == []
