"""`angarium upgrade`, as an operator calls it."""

import asyncio
import sys
from pathlib import Path


async def upgrade(state: Path, *words: str) -> tuple[int, list[str]]:
    """Return its exit code and what it printed."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "angarium.run.programs.cli", "upgrade"),
        *("--state", str(state), *words),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, output.decode().splitlines()
