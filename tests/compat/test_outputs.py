"""Every documented field of a command's answer is printed, or it is said why it is not.

`outputs.json` has for each command lines which are given to a real server, in this order, the
fields which the manuals show with what they look like here, and those which are left out, with the
reason. A command whose answer no page shows has no fields; one without a line is only listed.
"""

import json
import re
from pathlib import Path
from typing import Any, Final

import pytest

from angarium.console.command import declarations, find
from angarium.console.errors import CommandError
from helpers.commands import CLIENT, FACTS, sample
from helpers.operators import Operator, operator
from helpers.world import World

OUTPUTS: Final[list[dict[str, Any]]] = json.loads(
    Path(__file__).with_name("outputs.json").read_text(encoding="utf-8")
)
# What modules add stands with them; what is asked of a module of ours is no fact about mail.
MODULES: Final = frozenset({"module hooks"})
CONFIG: Final = """
retry_interval = 600
idle_timeout = 120
connect_timeout = 2
domain "held.test" { suspend_delivery = true }
"""
ZONE: Final = """
example.com MX 10 mx.example.com
other.test MX 20 mx.example.com
mx.example.com A 127.0.0.1
dead.test MX 10 mx.dead.test
mx.dead.test A 127.0.0.9
"""
SINK: Final = """
at rcpt to later@example.com reply 451 4.7.1 later
at rcpt to never@example.com reply 550 5.1.1 never
"""
CONTENT: Final = b"Subject: x\r\n\r\nhello\r\n"


def test_every_command_which_is_here_is_listed() -> None:
    declarations()
    listed = {each["command"] for each in OUTPUTS} | MODULES
    here = set()
    for fact in FACTS:
        line = sample(fact["syntax"])
        if fact["module"] or fact["client"] or line in CLIENT:
            continue
        try:
            here.add(find(line)[0].name)
        except CommandError:
            continue
    assert here - listed == set()


def test_what_is_left_out_has_a_reason() -> None:
    for each in OUTPUTS:
        assert all(len(reason) > 10 for reason in each["missing"].values()), each


@pytest.mark.slow
async def test_each_documented_field_is_printed(tmp_path: Path) -> None:
    async with (
        World(tmp_path, CONFIG, ZONE, SINK, workers=1) as world,
        operator(world.state) as admin,
        world.call(),
    ):
        for recipient in (
            "never@example.com",
            "u@held.test",
            "u@other.test",
            "d@dead.test",
            "u@example.com",
        ):
            await world.send("s@a.test", [recipient], CONTENT)
        await world.send("s@a.test", ["later@example.com"], CONTENT)
        await world.logged("mainlog", "@T@example.com@", 1)
        await world.logged("mainlog", "@T@dead.test@", 1)
        [first, *_] = (await admin.say("showqueue example.com")).splitlines()
        places: dict[str, Any] = {"folder": tmp_path / "drop", "id": first.split()[1]}
        places["folder"].mkdir()
        lacking = [line for each in OUTPUTS async for line in lacks(admin, each, places)]
        assert not lacking, "\n".join(lacking)


async def lacks(admin: Operator, output: dict[str, Any], places: dict[str, Any]) -> Any:
    """Yield the fields which the answer to a line has not."""
    if output["line"] is None:
        return
    line = output["line"].format(**places)
    said, _ = await admin.ask(line)
    for name, pattern in output["fields"].items():
        if re.search(pattern, said, re.MULTILINE) is None:
            yield f"{line}: {name} is not in: {said}"
