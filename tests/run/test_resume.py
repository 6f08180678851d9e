"""The new program's first steps: what it takes over, and what it makes of it."""

import os
import socket
from pathlib import Path
from typing import Any

import pytest

from angarium.config.load import snapshot
from angarium.run import handover, log, resume
from angarium.run.handover import KeptSolo
from helpers.handover import given


class FakeSupervisor:
    """Notes with what it was made; its life is short."""

    made: tuple[tuple[Any, ...], dict[str, Any]]

    def __init__(self, *values: Any, **kinds: Any) -> None:
        type(self).made = values, kinds

    async def run(self, announce: object) -> None:
        """It ends at once."""


def test_it_goes_on_with_what_it_was_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resume, "Supervisor", FakeSupervisor)
    monkeypatch.setattr("setproctitle.setproctitle", lambda _: None)
    monkeypatch.setattr("faulthandler.enable", lambda _: None)
    monkeypatch.setattr(log, "setup", lambda *_: None)
    config = tmp_path / "ecelerity.conf"
    config.write_text('esmtp_listener { listen "127.0.0.1:25" { } }\n')
    text = snapshot(str(config))
    config.write_text("this is not what is in force\n")
    listening, lock = socket.create_server(("127.0.0.1", 0)), os.dup(0)
    port = listening.getsockname()[1]
    left = given(
        snapshot=text,
        config_path=str(config),
        state=str(tmp_path),
        lock=lock,
        listening={"esmtp_listener 127.0.0.1:25": listening.detach()},
        ledger=[],
        slots=[],
        hose=KeptSolo(0.0, 0, None),
    )
    resume.main(handover.write(left))
    (plan, sockets, *_), kinds = FakeSupervisor.made
    assert kinds == {"lock": lock, "given": left}
    assert (plan.configuration.generation, plan.state, plan.pidfile) == (3, tmp_path, None)
    [opened] = sockets.open.values()
    assert opened.getsockname()[1] == port
    sockets.close()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.close(lock)  # it was, at the end
