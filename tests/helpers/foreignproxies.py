"""Proxies of other projects, HAProxy and microsocks; tools/peers installs them.

with haproxy(text, folder) as proxy:         its configuration, with ports of the test's own
    ... await proxy.ask("show stat")
with microsocks(port, "mail", "secret"): ...
"""

import asyncio
import contextlib
import os
import re
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

from helpers.databases import Server, needed

COMMANDS = """
global
    stats socket {link} level admin
    log stdout format raw local0
"""


class HaProxy(Server):
    """A running HAProxy."""

    async def ask(self, command: str) -> str:
        """Say a command by the socket of its administrator; return the answer."""
        reader, writer = await asyncio.open_unix_connection(self.folder / "socket")
        writer.write(command.encode() + b"\n")
        said = await reader.read()
        writer.close()
        return said.decode()

    async def is_up(self, name: str) -> bool:
        """Say whether its own checks have found a server of a backend, "mail,mx1", well."""
        rows = [row.split(",") for row in (await self.ask("show stat")).splitlines()]
        status, check = rows[0].index("status"), rows[0].index("check_status")
        return any(
            ",".join(row[:2]) == name and row[status] == "UP" and row[check] == "L7OK"
            for row in rows
        )


@contextlib.contextmanager
def haproxy(text: str) -> Iterator[HaProxy]:
    """Run HAProxy by a configuration; who is not root cannot become another user."""
    program = needed("haproxy")
    if os.geteuid() != 0:
        text = re.sub(r"(?m)^    (user|group) .*\n", "", text)
    with tempfile.TemporaryDirectory(prefix="angarium-ha-", dir="/tmp") as name:
        folder = Path(name)
        config, link = folder / "haproxy.cfg", folder / "socket"
        config.write_text(COMMANDS.format(link=link) + text)
        command = [program, "-db", "-f", str(config)]
        server = HaProxy(command, folder, "", lambda: _listens(socket.AF_UNIX, str(link)))
        try:
            server.start()
            yield server
        finally:
            server.stop()


@contextlib.contextmanager
def microsocks(port: int, *known: str, source: str = "127.0.0.1") -> Iterator[Server]:
    """Run a server of SOCKS 5 which connects from an address.

    Args:
        known: name and password of who is let in; nothing: everybody is.
    """
    program = needed("microsocks")
    who = ["-u", known[0], "-P", known[1]] if known else []
    with tempfile.TemporaryDirectory(prefix="angarium-socks-", dir="/tmp") as name:
        command = [program, "-i", "127.0.0.1", "-p", str(port), "-b", source, *who]
        server = Server(
            command, Path(name), "", lambda: _listens(socket.AF_INET, ("127.0.0.1", port))
        )
        try:
            server.start()
            yield server
        finally:
            server.stop()


def _listens(family: socket.AddressFamily, place: str | tuple[str, int]) -> bool:
    with socket.socket(family) as trial:
        return trial.connect_ex(place) == 0
