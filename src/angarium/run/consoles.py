"""The sockets by which consoles connect."""

import socket
from pathlib import Path
from typing import Any

from angarium.console.client import SOCKET
from angarium.console.node import Node
from angarium.console.server import Server
from angarium.run.control import Control, by_kernel, opened


class Consoles:
    """All of one node."""

    def __init__(self, server: Server, node: Node, log: Any) -> None:
        self._server = server
        self._node = node
        self._log = log
        self._control: Control | None = None

    async def open(self, folder: Path, kept: int | None) -> None:
        """Listen in a folder, or go on with the socket of the program before us.

        Mail goes on where that cannot be.
        """
        try:
            listening = opened(folder) if kept is None else socket.socket(fileno=kept)
            identify = by_kernel(str(folder / SOCKET))
            self._control = Control(listening, self._server, self._node, identify, self._log)
            await self._control.start()
        except OSError as error:
            self._log.error("no console can connect", reason=str(error))

    @property
    def descriptor(self) -> int | None:
        """Return the listening socket, for the program which takes our place."""
        return self._control.descriptor if self._control is not None else None

    def close(self) -> None:
        if self._control is not None:
            self._control.close()
