"""Something goes wrong, and people hear of it: once, by each way, and once more when it is over."""

import asyncio
import json
import os
import signal
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from angarium.lab.sink import Sink
from angarium.modules.monitor.receivers import signature
from helpers.addresses import free_port
from helpers.netsnmp import ask
from helpers.smalldisk import SmallDisk, small_disk
from helpers.upgrade import upgrade
from helpers.webhooks import Webhooks
from helpers.world import World

ZONE = "* A 127.0.0.1"
ALERTING = """
alerting {{
  gather = 0
  quiet = 3
  check_interval = 1
  memory_free = 0
  {limits}
  mail "people" {{
    to = "op@example.com" from = "alerts@example.com" interval = 1 kinds = ( "{kinds}" ) {mail}
  }}
  webhook "hook" {{ url = "{url}" secret = "s3cret" interval = 1 kinds = ( "{kinds}" ) }}
  command "page" {{
    program = ( "/bin/sh" "-c" "cat >> {file}; env > {file}.env" )
    interval = 1 kinds = ( "{pages}" )
  }}
}}
"""


def configured(
    hooks: Webhooks, file: Path, *, kinds: str, pages: str = "", limits: str = "", mail: str = ""
) -> str:
    return ALERTING.format(
        url=hooks.url, file=file, kinds=kinds, pages=pages or kinds, limits=limits, mail=mail
    )


def states(hooks: Webhooks, kind: str) -> list[str]:
    """Return how often a web service heard of a kind, and what."""
    return [
        each["state"]
        for document in hooks.documents
        for each in document["alerts"]
        if each["kind"] == kind
    ]


def pages(file: Path) -> list[Any]:
    text = file.read_text(encoding="utf-8") if file.exists() else ""
    return [json.loads(each) for each in text.replace("}{", "}\n{").splitlines()]


def paged(file: Path) -> set[str]:
    """Return the kinds which a program was told."""
    return {each["kind"] for page in pages(file) for each in page["alerts"]}


@pytest.mark.effect(
    "alerting.enabled", "alerting.gather", "alerting.quiet", "alerting.mail.to",
    "alerting.mail.from", "alerting.webhook.url", "alerting.webhook.secret",
    "alerting.webhook.kinds", "alerting.webhook.interval", "alerting.mail.interval",
    "alerting.command.interval", "alerting.command.program", "alerting.alerting_cache_ttl",
)  # fmt: skip
async def test_the_death_of_a_worker_is_told_once_by_each_way_and_once_when_it_is_over(
    tmp_path: Path,
) -> None:
    file = tmp_path / "pages"
    async with Webhooks() as hooks:
        config = configured(hooks, file, kinds="work*")
        async with World(tmp_path, config, zone=ZONE, workers=2) as world:
            for _ in range(2):  # The second one is no news: it is the same, within the hour.
                stays, victim = world.worker_pids()  # who stays takes what is told by mail
                os.kill(victim, signal.SIGKILL)
                await world.until(
                    lambda: len(set(world.worker_pids()) - {victim}) == 2,  # noqa: B023
                    "a new worker",
                )
                assert stays in world.worker_pids()
            await world.until(lambda: "over" in states(hooks, "worker"), "the end, at the hook")
            await world.until(lambda: len(pages(file)) == 2, "two pages")
            await world.until(lambda: len(world.sink.accepted) == 2, "two mails")
        assert states(hooks, "worker") == ["raised", "over"]
        headers, payload = hooks.requests[0]
        at = int(headers["x-angarium-signature"].partition(",")[0].removeprefix("t="))
        assert headers["x-angarium-signature"] == signature(b"s3cret", at, payload)
        raised, over = world.sink.accepted
        assert raised.sender == over.sender == ""
        assert raised.recipients == ["op@example.com"]
        content = (raised.content or b"").decode()
        assert "From: Angarium <alerts@example.com>" in content
        assert "worker: worker died" in content
        assert "[mx.node.test] OVER: worker died" in (over.content or b"").decode()
        assert [each["state"] for each in pages(file)] == ["raised", "over"]
        environment = Path(f"{file}.env").read_text().splitlines()
        names = {line.partition("=")[0] for line in environment}
        assert names <= {"PATH", "LANG", "ANGARIUM_ALERT", "PWD", "SHLVL", "_"}


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    with small_disk(tmp_path / "state", 100 << 20) as made:
        yield made


@pytest.mark.effect(
    "alerting.disk_free", "alerting.check_interval", "alerting.mail.relay", "alerting.mail.kinds",
    "alerting.command.kinds",
)  # fmt: skip
async def test_a_disk_that_fills_up_is_told_through_the_relay_and_again_when_there_is_room(
    tmp_path: Path, disk: SmallDisk
) -> None:
    file = tmp_path / "pages"
    limits = """disk_free = 8
    command "never" { program = ( "/bin/false" ) kinds = ( "no*" ) }"""
    spool = (
        "spool_segment_size = 1M\nspool_reserve = 1M\nspool_space_low = 4M\nspool_inodes_low = 0\n"
        "log_space_low = 0\nlog_inodes_low = 0\n"
    )
    async with Webhooks() as hooks, Sink() as relay:
        mail = f'relay = "127.0.0.1:{relay.port}"'
        config = spool + configured(
            hooks, file, kinds="disk", pages="[di]*", limits=limits, mail=mail
        )
        async with World(tmp_path, config, zone=ZONE, logs=tmp_path / "logs") as world:
            disk.fill(leave=2 << 20)
            await world.until(lambda: states(hooks, "disk"), "an alert at the hook")
            await world.until(lambda: relay.accepted, "an alert at the relay")
            await world.until(lambda: {"disk", "intake"} <= paged(file), "both pages")
            disk.free()
            await world.until(lambda: "over" in states(hooks, "disk"), "the end, at the hook")
            await world.until(lambda: len(relay.accepted) == 2, "the end, at the relay")
            paniclog = world.log("paniclog")
        assert states(hooks, "disk") == ["raised", "over"]
        assert world.sink.accepted == []  # Our own queue took no mail.
        assert b"of the disk of" in (relay.accepted[0].content or b"")
        assert not any("never" in line for line in paniclog)


async def test_what_is_known_is_not_told_again_after_the_monitor_died(tmp_path: Path) -> None:
    file = tmp_path / "pages"
    async with Webhooks() as hooks:
        config = configured(hooks, file, kinds="queue", limits="queue_size = 1")
        config += 'domain "slow.test" { suspend_delivery = true }\n'
        async with World(tmp_path, config, zone=ZONE) as world:
            await world.send("a@b.test", ["c@slow.test"], b"Subject: x\r\n\r\nx\r\n")
            await world.until(lambda: states(hooks, "queue"), "an alert")
            kept = world.state / "monitor" / "alerts.json"
            await world.until(lambda: kept.exists() and '"webhook hook": 2' in kept.read_text(), "")
            assert stat.S_IMODE(kept.stat().st_mode) == 0o600
            before = world.monitor_pid()
            os.kill(before, signal.SIGKILL)
            await world.until(lambda: world.monitor_pid() not in (0, before), "another monitor")
            await world.send("a@b.test", ["c@slow.test"], b"Subject: x\r\n\r\nx\r\n")

            def seen() -> bool:
                return bool(json.loads(kept.read_text())[0]["count"] >= 5)

            await world.until(seen, "some more looks")
            assert states(hooks, "queue") == ["raised"]


@pytest.mark.slow
async def test_an_upgrade_and_reloads_are_no_alert_and_the_monitor_follows(tmp_path: Path) -> None:
    file = tmp_path / "pages"
    async with Webhooks() as hooks:
        config = configured(hooks, file, kinds="*")
        async with World(tmp_path, config, zone=ZONE, workers=2) as world:
            await world.until(world.monitor_pid, "a monitor")
            before = world.monitor_pid()
            code, said = await upgrade(world.state)
            assert code == 0, said
            await world.until(lambda: world.monitor_pid() not in (0, before), "a new monitor")
            assert not Path(f"/proc/{before}").exists()  # Somebody has buried it.
            await world.reload("")
            await world.until(lambda: not world.monitor_pid(), "no monitor")
            await world.reload(config)
            await world.until(world.monitor_pid, "a monitor again")
            [worker, *_] = world.worker_pids()
            os.kill(worker, signal.SIGKILL)
            await world.until(lambda: states(hooks, "worker"), "an alert")
            assert hooks.documents[0]["alerts"][0]["kind"] == "worker"  # It is the first one.


class Shown(World):
    """The server of examples/alerts, the ports being ours."""

    hooks: Webhooks
    agent: int

    def configure(self, extra: str) -> None:
        example = Path(__file__).parents[2] / "examples" / "alerts" / "ecelerity.conf"
        text = example.read_text("utf-8").replace(":2525", f":{self.port}")
        text = text.replace(":2526", f":{self.sink.port}").replace(":8162", f":{self.agent}")
        text = text.replace("http://127.0.0.1:2580/angarium", self.hooks.url)
        text = text.replace("pages.json", str(self.folder / "pages.json"))
        self.config.write_text(text + 'eventloop "pool" { concurrency = 1 }\n', encoding="utf-8")


async def test_the_example_tells_everybody_its_test_and_answers_snmp(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Webhooks() as hooks:
        monkeypatch.setattr(Shown, "hooks", hooks, raising=False)
        monkeypatch.setattr(Shown, "agent", free_port(), raising=False)
        async with Shown(tmp_path, zone=ZONE) as world:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "angarium.run.programs.cli"),
                *("alert", "test", "--state", str(world.state)),
                stdout=asyncio.subprocess.PIPE,
            )
            said = (await process.communicate())[0].decode().splitlines()
            assert (process.returncode, said) == (
                0, ["mail people: told", "webhook chat: told", "command pager: told"],
            )  # fmt: skip
            assert [each["state"] for each in hooks.documents] == ["test"]
            assert [each["state"] for each in pages(tmp_path / "pages.json")] == ["test"]
            place = ("-v2c", "-c", "monitoring", f"127.0.0.1:{world.agent}")
            answer = await ask("snmpget", "-On", *place, "1.3.6.1.4.1.19552.1.3.4.2")
            assert answer.endswith('"none/default"')
