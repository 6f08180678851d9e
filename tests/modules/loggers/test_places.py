"""From a destination to what writes there."""

from pathlib import Path

import pytest

from angarium.core.errors import Error
from angarium.events.jlog import Jlog
from angarium.events.jlog import Place as Mark
from angarium.modules.loggers.jlogfile import JlogLog
from angarium.modules.loggers.logfile import LogFile
from angarium.modules.loggers.pipe import PipeLog
from angarium.modules.loggers.places import Places
from angarium.modules.loggers.syslog import Syslog, SyslogLog


def test_each_kind_has_what_writes_there(tmp_path: Path) -> None:
    places = Places(tmp_path)
    kinds = {
        "log": (LogFile, False, tmp_path),
        f"file://{tmp_path}/x/log": (LogFile, False, tmp_path / "x"),
        f"jlog://{tmp_path}/queue": (JlogLog, False, tmp_path),
        "pipe:///bin/cat": (PipeLog, True, None),
        "syslog://": (SyslogLog, True, None),
    }
    for destination, (kind, slow, folder) in kinds.items():
        log = places.log(destination)
        assert (type(log), log.slow, log.folder) == (kind, slow, folder)


def test_who_writes_for_himself_may_have_all_but_a_program(tmp_path: Path) -> None:
    places = Places(tmp_path)
    assert places.sink("log") is None
    assert places.path("file://log") == tmp_path / "log"
    assert isinstance(places.sink("syslog://"), Syslog)
    sink = places.sink(f"jlog://{tmp_path}/queue=>me", 0o600)
    assert sink is not None
    sink.append(b"up\n")
    sink.close()
    jlog = Jlog(tmp_path / "queue")
    assert [message for _, message in jlog.read(Mark(0, 0))] == [b"up\n"]
    assert list(jlog.subscribers()) == ["me"]
    with pytest.raises(Error, match="none to a program"):
        places.sink("pipe:///bin/cat")


def test_what_is_no_destination_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Error, match="no such log destination"):
        Places(tmp_path).log("ftp:///x")
