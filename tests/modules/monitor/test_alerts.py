"""The module alerting: what it hears and sees, and what it remembers."""

import json
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from angarium.config.errors import ConfigError
from angarium.config.load import load_text
from angarium.modules.monitor.alerts import RESULT, TEST, Alerts, ways_of
from helpers.clock import FakeClock

CONFIG = """
alerting {
  gather = 0
  memory_free = 0
  disk_free = 0
  mail "people" { to = "op@example.com" }
}
"""


class Server:
    """What surrounds the module."""

    def __init__(self, state: Path, config: str = CONFIG) -> None:
        (state / "run").mkdir(exist_ok=True)
        self.state = state
        self.clock = FakeClock()
        self.mail: list[str] = []
        self.complaints: list[str] = []
        self.values: dict[str, float] = {}
        self.alerts = Alerts(
            state, self.clock, self.post, lambda: self.values, self.complaints.append
        )
        self.alerts.use(load_text(config), "mx", [str(state)])

    async def post(self, recipients: Sequence[str], content: bytes) -> str:
        line = next(each for each in content.split(b"\r\n") if each.startswith(b"Subject: "))
        self.mail.append(line.decode().removeprefix("Subject: "))
        return ""

    async def pass_(self, seconds: float = 61.0) -> list[str]:
        """Let time pass; return the subjects of the mail since."""
        before = len(self.mail)
        self.clock.advance(seconds)
        self.alerts.second()
        await self.alerts.close()
        return self.mail[before:]


def hear(server: Server, text: str, **fields: str) -> None:
    server.alerts.hear("error", text, fields)


async def test_a_line_of_the_log_becomes_mail(tmp_path: Path) -> None:
    server = Server(tmp_path)
    hear(server, "worker died", worker="1")
    assert await server.pass_(1) == ["[mx] worker: worker died (worker=1)"]


async def test_of_what_is_heard_and_seen_the_last_look_decides(tmp_path: Path) -> None:
    server = Server(tmp_path)
    server.values = {"intake_stopped": 1.0, "delivery_stopped": 0.0}
    hear(server, "no mail is taken in: full", process="worker 0")
    assert len(await server.pass_()) == 1
    server.values = {"intake_stopped": 0.0, "delivery_stopped": 0.0}  # The end was not heard.
    [subject] = await server.pass_()
    assert subject.startswith("[mx] OVER: no mail is taken in")


async def test_a_start_ends_what_lasted_before(tmp_path: Path) -> None:
    server = Server(tmp_path)
    hear(server, "binding bulk is suspended: 192.0.2.1 is not an address of this machine")
    assert len(await server.pass_()) == 1
    server.alerts.hear("info", "Angarium 1.0 started, generation 1", {})
    [subject] = await server.pass_()
    assert "OVER" in subject


async def test_logs_are_behind_as_long_as_there_is_something_to_read(tmp_path: Path) -> None:
    server = Server(tmp_path)
    server.values = {"hose_events": 5.0, "hose_lag_seconds": 400.0, "hose_held": 0.0}
    assert "lag: the logs are 400 s behind" in (await server.pass_())[0]
    server.values["hose_events"] = 9.0
    assert await server.pass_() == []
    assert "OVER" in (await server.pass_())[0]  # Nothing was left to read.


async def test_a_restart_forgets_nothing(tmp_path: Path) -> None:
    server = Server(tmp_path)
    hear(server, "worker died", worker="1")
    assert len(await server.pass_()) == 1
    again = Server(tmp_path)
    hear(again, "worker died", worker="1")
    assert await again.pass_() == []


async def test_what_was_kept_and_is_damaged_is_forgotten_and_told(tmp_path: Path) -> None:
    (tmp_path / "monitor").mkdir()
    (tmp_path / "monitor" / "alerts.json").write_bytes(b"{")
    server = Server(tmp_path)
    assert server.complaints[0].startswith("alerts of before are forgotten")
    hear(server, "worker died", worker="1")
    assert len(await server.pass_()) == 1


@pytest.mark.effect("alerting.enabled")
async def test_off_it_tells_nobody(tmp_path: Path) -> None:
    server = Server(tmp_path, CONFIG.replace("gather = 0", "enabled = false"))
    hear(server, "worker died", worker="1")
    assert await server.pass_() == []


async def test_a_test_is_told_and_its_result_written(tmp_path: Path) -> None:
    server = Server(tmp_path)
    await server.alerts.asked()
    assert server.mail == []
    (tmp_path / "run" / TEST).touch()
    await server.alerts.asked()
    assert server.mail == ["[mx] test: this is a test: nothing is wrong"]
    assert json.loads((tmp_path / "run" / RESULT).read_bytes()) == {"mail people": ""}
    assert not (tmp_path / "run" / TEST).exists()


def test_a_receiver_of_each_kind_is_known_by_kind_and_name() -> None:
    config = """
    alerting {
      mail "a" { to = "x@y.test" }
      webhook "a" { url = "https://y.test/" kinds = ( "disk" ) interval = 5 }
      command "b" { program = ( "/bin/true" ) }
    }
    """
    nobody: Any = None
    ways = ways_of(load_text(config), "mx", nobody)
    assert list(ways) == ["mail a", "webhook a", "command b"]
    assert ways["webhook a"].interval == 5.0
    assert ways["webhook a"].wants("disk")
    assert not ways["webhook a"].wants("spool")
    assert ways_of(load_text(""), "mx", nobody) == {}


@pytest.mark.parametrize(
    "line",
    [
        'webhook "a" { url = "http://example.com/" }',
        'webhook "a" { url = "https://user:pass@example.com/" }',
        'webhook "a" { url = "ftp://example.com/" }',
        'command "a" { program = ( "rm" "-rf" ) }',
        'command "a" { program = [ a = b ] }',
        'mail "a" { to = "nobody" }',
        'mail "a" { to = "a@b c" }',
    ],
)
def test_what_is_not_safe_or_makes_no_sense_is_refused(line: str) -> None:
    with pytest.raises(ConfigError, match=r"ecelerity\.conf:1:"):
        load_text(f"alerting {{ {line} }}")


async def test_a_disk_that_hangs_holds_up_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hangs = threading.Event()
    monkeypatch.setattr("angarium.config.durable.write", lambda *_: hangs.wait(10))
    monkeypatch.setattr("angarium.modules.monitor.alerts.LAST_SECONDS", 0.05)
    server = Server(tmp_path)
    hear(server, "no mail is taken in: the spool can't be written", process="worker 0")
    try:
        assert len(await server.pass_()) == 1
        hear(server, "worker died", worker="1")
        assert len(await server.pass_()) == 1
    finally:
        hangs.set()
