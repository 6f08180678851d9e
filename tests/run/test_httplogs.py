"""Where requests by HTTP are noted."""

from pathlib import Path
from typing import Any

import pytest

from angarium.config.load import load_text
from angarium.run import httplogs
from angarium.run.httplogs import HttpLogs
from angarium.web.asked import Asked
from helpers.clock import FakeClock

ASKED = Asked("127.0.0.1", 5, "*:80", "GET", "/status", "1.1", 200, 99, 0.5)
LINE = '127.0.0.1:5 *:80 "GET status HTTP/1.1" 200 99 500.000'


class Yard:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = FakeClock()
        self.told: list[str] = []

    def logs(self, config: str) -> HttpLogs:
        return HttpLogs(load_text(config), self.folder, self.clock, self.told.append)

    def read(self, name: str) -> list[str]:
        path = self.folder / name
        return path.read_text("utf-8").splitlines() if path.exists() else []


@pytest.fixture
def yard(tmp_path: Path) -> Yard:
    return Yard(tmp_path)


@pytest.mark.effect("http_logger.log", "http_logger.enabled")
def test_each_logger_which_is_enabled_has_a_line_by_when_it_was_asked(yard: Yard) -> None:
    logs = yard.logs(
        'http_logger "a" { log = "file://a.ec" } http_logger "b" { log = "b.ec" }\n'
        'http_logger "c" { log = "c.ec" enabled = false }'
    )
    logs.note(ASKED)
    assert yard.read("a.ec") == []  # It is not written before it has to be.
    logs.flush()
    assert yard.read("a.ec") == yard.read("b.ec") == [f"{int(yard.clock.time() - 0.5)} {LINE}"]
    assert yard.read("c.ec") == []
    logs.close()


def test_a_request_is_in_paniclog_where_that_is_wanted(yard: Yard) -> None:
    logs = yard.logs('ec_logger { paniclog = "panic" } http_logger { log = "a.ec" }')
    logs.note(ASKED)
    logs.note_in_paniclog(ASKED)
    logs.close()
    assert yard.read("panic") == [
        f'{int(yard.clock.time())}:127.0.0.1 "GET status HTTP/1.1" 200 99 500.000'
    ]
    assert len(yard.read("a.ec")) == 2


def test_what_was_renamed_is_let_go_of(yard: Yard) -> None:
    logs = yard.logs('http_logger { log = "a.ec" }')
    logs.note(ASKED)
    logs.flush()
    (yard.folder / "a.ec").rename(yard.folder / "a.ec.1")
    logs.reopen()
    logs.note(ASKED)
    logs.close()
    assert len(yard.read("a.ec.1")) == len(yard.read("a.ec")) == 1


def test_another_generation_has_other_logs_and_nothing_is_lost(yard: Yard) -> None:
    logs = yard.logs('http_logger { log = "a.ec" }')
    logs.note(ASKED)
    logs.use(load_text('http_logger { log = "b.ec" }'))
    logs.note(ASKED)
    logs.close()
    assert len(yard.read("a.ec")) == len(yard.read("b.ec")) == 1


def test_a_log_which_cannot_be_written_is_told_and_the_others_go_on(yard: Yard) -> None:
    (yard.folder / "a.ec").mkdir()
    logs = yard.logs('http_logger "a" { log = "a.ec" } http_logger "b" { log = "b.ec" }')
    for _ in range(3):
        logs.note(ASKED)
    logs.flush()
    [said] = yard.told
    assert said.startswith(f"{yard.folder / 'a.ec'} cannot be written, 3 lines are lost: ")
    (yard.folder / "a.ec").rmdir()
    logs.note(ASKED)
    logs.flush()
    assert len(yard.read("a.ec")) == 1
    assert len(yard.read("b.ec")) == 4
    logs.close()


def test_a_log_which_takes_nothing_more_just_now_is_waited_for_within_bounds(
    yard: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(httplogs, "MOST_WAITING", 2)

    def busy(*_: Any) -> int:
        raise BlockingIOError("it takes no more")

    logs = yard.logs('http_logger { log = "a.ec" }')
    [log] = logs._logs
    monkeypatch.setattr(log, "_write", busy)
    for _ in range(2):
        logs.note(ASKED)
    logs.flush()
    assert yard.told == []
    logs.note(ASKED)
    logs.flush()
    [said] = yard.told
    assert "3 lines are lost" in said
    logs.close()
