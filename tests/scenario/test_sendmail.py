"""Programs call sendmail while the server is up, down, and up again: each mail arrives once."""

import asyncio
import os
import sys
from pathlib import Path

from angarium.run.submission.settings import VARIABLE
from helpers.world import World

ZONE = "x.test MX 10 mx.x.test\nmx.x.test A 127.0.0.1\n"


class Machine:
    """A machine whose programs send by the server of a world."""

    def __init__(self, folder: Path, port: int) -> None:
        self.drop = folder / "drop"
        self.drop.mkdir()
        self._settings = folder / "sendmail.conf"
        self._settings.write_text(
            f"server = 127.0.0.1:{port}\nmaildrop = {self.drop}\nhostname = h.test\n"
        )

    async def sendmail(self, *words: str, said: bytes = b"") -> int:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "angarium.run.programs.sendmail", *words),
            stdin=asyncio.subprocess.PIPE,
            env=os.environ | {VARIABLE: str(self._settings)},
        )
        await process.communicate(said)
        assert process.returncode is not None
        return process.returncode


async def test_mail_of_programs_survives_a_server_which_is_down(tmp_path: Path) -> None:
    async with World(tmp_path, zone=ZONE) as world:
        machine = Machine(tmp_path, world.port)
        said = "To: jürgen@x.test\nSubject: ü\n\n.\n..dots\nlast line".encode()
        assert await machine.sendmail("-t", "-i", said=said) == 0
        mail = await world.arrived("jürgen@x.test")
        assert mail.content is not None
        assert mail.content.endswith(b"\r\n\r\n.\r\n..dots\r\nlast line\r\n")
        assert await world.stop() == 0
        for number in range(3):
            assert await machine.sendmail(f"u{number}@x.test", said=b"hello\n") == 0
        assert len(list(machine.drop.iterdir())) == 3
        assert await machine.sendmail("-q") == 75
        await world.start()
        assert await machine.sendmail("-q") == 0
        for number in range(3):
            await world.arrived(f"u{number}@x.test")
        assert list(machine.drop.iterdir()) == []
        ends = await world.settled()
    assert ends["delivered"] == 4
