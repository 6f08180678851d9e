"""`angarium serve` as an operator calls it, also as root who becomes somebody else."""

import asyncio
import os
import shlex
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

PATIENCE = 90.0


class Served:
    """A server which is ready."""

    def __init__(self, process: asyncio.subprocess.Process, said: list[str]) -> None:
        self.pid = process.pid
        self.said = said
        self._process = process

    async def ended(self) -> int:
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            self.said.append(line.decode())
        return await asyncio.wait_for(self._process.wait(), PATIENCE)


@asynccontextmanager
async def serving(
    *words: str,
    python: str = sys.executable,
    before: str = "",
    **environment: str,
) -> AsyncIterator[Served]:
    process = await asyncio.create_subprocess_exec(
        *(*shlex.split(before), python, "-m", "angarium.run.programs.cli", "serve", *words),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
        env=os.environ | environment,
    )
    assert process.stdout is not None
    said: list[str] = []
    try:
        while not said or not said[-1].startswith("ready"):
            line = await asyncio.wait_for(process.stdout.readline(), PATIENCE)
            assert line, said
            said.append(line.decode())
        yield Served(process, said)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def python_for(user: str, environment: dict[str, str]) -> str:
    """Return a Python which this user may run, with our packages in its path."""
    code = "import angarium.run.programs.serve, sys; print(sys.version_info[:2])"
    for python in (sys.executable, "/usr/bin/python3"):
        try:
            told = subprocess.run(
                [python, "-c", code], user=user, env=environment, capture_output=True, check=False
            )
        except OSError:
            continue
        if told.stdout.decode().strip() == str(sys.version_info[:2]):
            return python
    pytest.skip(f"{user} may not run any Python with our packages here")
