"""The commands which tell of the systems of clients, all workers together."""

from pathlib import Path
from types import SimpleNamespace

from angarium.inbound.systems import System, Systems
from helpers.consoles import FakeServer, Talk


def server(folder: Path, *several: Systems | None) -> FakeServer:
    made = FakeServer(folder, "")
    for number, systems in enumerate(several):
        counts = SimpleNamespace(systems=systems)
        made.node.parts[f"worker {number}"] = SimpleNamespace(
            services=SimpleNamespace(counts=counts)
        )
    return made


async def test_workers_are_added_up(tmp_path: Path) -> None:
    one, other = Systems(100), Systems(100)
    for each, detail in ((one, "2.6"), (other, "2.6"), (other, "4.20 and later")):
        each.learn("a", System("Linux", detail, 3), 0.0)
        each.received("a")
        each.rejected("a")
    other.rejected("a")
    talk = Talk(server(tmp_path, one, other))
    assert await talk.say("fingerprint cache summary") == "2 of 200 clients"
    lines = (await talk.say("fingerprint rejection summary")).splitlines()
    assert [each.split() for each in lines] == [
        ["GENRE", "DETAIL", "RECEPTIONS", "REJECTIONS"],
        ["Linux", "2.6", "2", "2"],
        ["Linux", "4.20", "and", "later", "1", "2"],
    ]


async def test_without_the_module_it_is_said(tmp_path: Path) -> None:
    talk = Talk(server(tmp_path, None))
    assert await talk.say("fingerprint cache summary") == "no module fingerprint is configured"
    assert await talk.say("fingerprint rejection summary") == "nothing was counted"
