"""The programs of net-snmp, as peers of our agent and traps; tools/peers installs them."""

import asyncio
import os
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

MIBS = Path(__file__).parent.parent.parent / "docs" / "mib"
SYSTEM = "/usr/share/snmp/mibs:/var/lib/mibs/ietf:/var/lib/mibs/iana"
KEPT = str(Path(tempfile.gettempdir()) / f"angarium-net-snmp-{os.getuid()}")
PATH = f"{os.environ.get('PATH', '')}:/usr/sbin"


def needed(program: str) -> str:
    """Return the path of a program; without it the test is skipped by name."""
    found = shutil.which(program, path=PATH)
    if found is None:
        if os.environ.get("CI"):
            pytest.fail(f"{program} is not installed: run tools/peers")
        pytest.skip(f"{program} is not installed: run tools/peers")
    return found


async def ask(program: str, *words: str, status: int = 0) -> str:
    """Run snmpget or the like; return what it printed."""
    process = await asyncio.create_subprocess_exec(
        needed(program), "-t", "5", "-r", "10", *words,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        env=os.environ | {"MIBS": "", "SNMPCONFPATH": "/nonexistent", "SNMP_PERSISTENT_DIR": KEPT},
    )  # fmt: skip
    output, _ = await asyncio.wait_for(process.communicate(), 90)
    assert process.returncode == status, output.decode()
    lines = output.decode().strip().splitlines()
    return "\n".join(line for line in lines if not line.startswith("Created directory"))


class Receiver:
    """snmptrapd on a free port; `lines` are the traps it has got, one each."""

    def __init__(self, port: int, log: Path) -> None:
        self.port = port
        self._log = log

    @property
    def lines(self) -> list[str]:
        text = self._log.read_text(encoding="utf-8") if self._log.exists() else ""
        return [line for line in text.splitlines() if line.startswith("TRAP ")]


@asynccontextmanager
async def trap_receiver(folder: Path, port: int, *settings: str) -> AsyncIterator[Receiver]:
    """Run snmptrapd, which takes the community Public and the users in `settings`."""
    config, log = folder / "snmptrapd.conf", folder / "traps"
    lines = ["authCommunity log Public", "format2 TRAP %v\\n", *settings]
    config.write_text("\n".join(lines) + "\n", encoding="utf-8")
    process = await asyncio.create_subprocess_exec(
        needed("snmptrapd"), "-f", "-C", "-c", str(config), "-Lf", str(log), "-On", "-m", "",
        f"udp:127.0.0.1:{port}",
        env=os.environ | {"SNMP_PERSISTENT_DIR": str(folder / "persistent"), "MIBS": ""},
        stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        for _ in range(4500):
            if log.exists() and "NET-SNMP version" in log.read_text(encoding="utf-8"):
                break
            await asyncio.sleep(0.02)
        yield Receiver(port, log)
    finally:
        process.send_signal(signal.SIGKILL)
        await process.wait()
