"""A whole Postfix with a configuration of its own; tools/peers installs it.

    with postfix("127.0.3.1", port, settings) as server: ...
        server.log()

It takes mail over SMTP there and sends it on by its own client. It is started by root only.
"""

import contextlib
import os
import shutil
import signal
import socket
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from helpers.databases import Server, needed

DAEMONS = "/usr/lib/postfix/sbin"
# Nobody's mail, no other tables, and it does not wait.
MAIN = {
    "compatibility_level": "3.6",
    "daemon_directory": DAEMONS,
    "maillog_file_prefixes": "{folder}",
    "maillog_file": "{folder}/maillog",
    "queue_directory": "{folder}/queue",
    "data_directory": "{folder}/data",
    "inet_protocols": "ipv4",
    "mydestination": "",
    "alias_maps": "",
    "local_recipient_maps": "",
    "mynetworks": "127.0.0.0/8",
    "smtpd_relay_restrictions": "permit_mynetworks, reject",
    "smtp_connection_cache_on_demand": "no",
    "smtpd_peername_lookup": "no",
    "minimal_backoff_time": "1s",
    "queue_run_delay": "1s",
    "max_idle": "10s",
}
MASTER = """
{place} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 1 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
tlsmgr unix - - n 1000? 1 tlsmgr
smtp unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
"""
QUEUES = (
    "active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming", "maildrop",
    "private", "public", "saved", "trace",
)  # fmt: skip


class Postfix(Server):
    """A running Postfix."""

    def stop(self) -> None:
        """Kill it with all it has started."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
        super().stop()

    def log(self) -> str:
        path = self.folder / "maillog"
        return path.read_text("utf-8", "replace") if path.exists() else ""


@contextlib.contextmanager
def postfix(
    address: str, port: int, settings: Mapping[str, str], *before: str
) -> Iterator[Postfix]:
    """Run Postfix.

    Args:
        settings: of main.cf, beside and instead of those here.
        before: words which stand before its command.
    """
    needed("postconf")
    if os.geteuid() != 0:
        pytest.skip("only root may start Postfix")
    folder = Path(tempfile.mkdtemp(prefix="angarium-postfix-", dir="/tmp"))
    try:
        folder.chmod(0o755)
        _prepare(folder, address, port, settings)
        command = ["setsid", *before, f"{DAEMONS}/master", "-c", str(folder), "-d"]
        server = Postfix(command, folder, "", lambda: _listens(address, port))
        try:
            server.start()
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _prepare(folder: Path, address: str, port: int, settings: Mapping[str, str]) -> None:
    lines = [f"{name} = {value}" for name, value in {**MAIN, **settings}.items()]
    (folder / "main.cf").write_text("\n".join(lines).replace("{folder}", str(folder)) + "\n")
    (folder / "master.cf").write_text(MASTER.format(place=f"{address}:{port}"))
    (folder / "queue/pid").mkdir(parents=True)
    # Its programs read these as somebody else, whatever our umask is.
    for name, mode in (
        ("main.cf", 0o644),
        ("master.cf", 0o644),
        ("queue", 0o755),
        ("queue/pid", 0o755),
    ):
        (folder / name).chmod(mode)
    for each in ("data", *(f"queue/{name}" for name in QUEUES)):
        place = folder / each
        place.mkdir(mode=0o700)
        shutil.chown(place, "postfix")


def _listens(address: str, port: int) -> bool:
    with socket.socket() as trial:
        return trial.connect_ex((address, port)) == 0
