"""A web service which keeps what it is sent; its answers are scripted."""

import asyncio
import json
import ssl
from types import TracebackType
from typing import Any, Self

from angarium.lab.sink import stop_listening

SILENCE = ""  # an answer which does not come


class Webhooks:
    """Listens on the loopback; `answers` are status lines which are given first, then 204."""

    def __init__(self, *answers: str, tls: ssl.SSLContext | None = None) -> None:
        self.answers = list(answers)
        self._tls = tls
        self._open: set[Any] = set()
        self.requests: list[tuple[dict[str, str], bytes]] = []
        self._server: asyncio.Server
        self.port = 0

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._tls)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await stop_listening(self._server)
        while self._open:
            await asyncio.wait(set(self._open))
        await asyncio.sleep(0)  # for transports to close

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/alert"

    @property
    def documents(self) -> list[Any]:
        """Return what was posted."""
        return [json.loads(payload) for _, payload in self.requests]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(task := asyncio.current_task())
        try:
            await self._answer(reader, writer)
        except (asyncio.IncompleteReadError, OSError):
            pass  # The client has gone.
        finally:
            writer.transport.abort()
            self._open.discard(task)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        fields = dict(line.split(": ", 1) for line in head[1:] if line)
        headers = {name.lower(): value for name, value in fields.items()}
        payload = await reader.readexactly(int(headers["content-length"]))
        self.requests.append((headers, payload))
        status = self.answers.pop(0) if self.answers else "204 No Content"
        if status != SILENCE:
            close = "Content-Length: 0\r\nConnection: close"
            writer.write(f"HTTP/1.1 {status}\r\n{close}\r\n\r\n".encode())
        await reader.read()  # until the client has read it, and closes
