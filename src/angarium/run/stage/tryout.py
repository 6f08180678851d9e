"""Whether the policy of a configuration can be used: asked before a server starts with it.

    python -m angarium.run.stage.tryout             a snapshot on standard input

It is a process of its own, because scripts run code of others, and it says in one line for each
fault what is wrong. A worker which cannot load its policy takes no mail; this way an operator is
told before there is one.
"""

import subprocess
import sys
from typing import Final

from angarium.config.load import load_snapshot
from angarium.config.resolve import Configuration
from angarium.core.errors import Error
from angarium.modules.index import POLICY
from angarium.run.stage.stage import Stage
from angarium.run.stage.virtual import VirtualLoop

PROGRAM: Final = "angarium.run.stage.tryout"
SECONDS: Final = 60.0
FAULTY: Final = 1
_SHOWN: Final = 2000  # characters of what is said


def needed(configuration: Configuration) -> bool:
    """Say whether there is any policy."""
    return any(stanza in POLICY for stanza in configuration.root.children or {})


def fault(configuration: Configuration) -> str:
    """Make the policy in this process; return what is wrong with it, "" for nothing."""
    loop = VirtualLoop()
    try:
        loop.run_until_complete(_made(configuration, loop))
    except Error as error:
        return told(error)
    finally:
        loop.close()
    return ""


async def _made(configuration: Configuration, loop: VirtualLoop) -> None:
    stage = Stage(configuration, loop)
    stage.close()
    await stage.quiet()


def told(error: Error) -> str:
    """Return a fault as compilers write it, where its place is known."""
    file, line = error.fields.get("file"), error.fields.get("line")
    return f"{file}:{line}: {error.message}" if file and line else str(error)


def asked(snapshot: bytes) -> str:
    """Let a process of its own try it; return what is wrong, "" for nothing."""
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-m", PROGRAM],
            input=snapshot,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"policy could not be loaded within {SECONDS:g} s"
    if done.returncode == 0:
        return ""
    said = done.stdout.decode("utf-8", "replace").strip()
    return said[-_SHOWN:] or f"policy cannot be loaded: it ended with status {done.returncode}"


def main() -> int:
    """See above."""
    said = fault(load_snapshot(sys.stdin.buffer.read(), files=False))
    if said:
        sys.stdout.write(f"{said}\n")
    return FAULTY if said else 0


if __name__ == "__main__":
    sys.exit(main())
