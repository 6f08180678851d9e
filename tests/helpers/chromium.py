"""Chromium without a screen, driven over its DevTools protocol; tools/peers installs it.

Rule: **nothing is judged by time**: what a page did is waited for by the event which says so.
"""

import asyncio
import base64
import itertools
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

PATIENCE_SECONDS = 90.0


class Page:
    """One page.

    Attributes:
        events: all that Chromium told of it, in order: method and parameters.
    """

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._more = asyncio.Event()
        self.events: list[tuple[str, dict[str, Any]]] = []

    async def listen(self) -> None:
        """Take what Chromium says, until it says no more."""
        async for message in self._socket:
            said = json.loads(message.data)
            if "id" in said:
                self._answers.pop(said["id"]).set_result(said)
            else:
                self.events.append((said["method"], said["params"]))
                self._more.set()

    async def command(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Do something; return what came of it."""
        said = await self._said(method, parameters)
        assert "error" not in said, said
        result: dict[str, Any] = said["result"]
        return result

    async def _said(self, method: str, parameters: dict[str, Any]) -> dict[str, Any]:
        number = next(self._numbers)
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        await self._socket.send_json({"id": number, "method": method, "params": parameters})
        return await asyncio.wait_for(answer, PATIENCE_SECONDS)

    async def until(self, method: str, count: int = 1) -> None:
        """Wait until an event has come so often."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while len(self.those(method)) < count:
                self._more.clear()
                await self._more.wait()

    def those(self, method: str) -> list[dict[str, Any]]:
        """Return the events of one kind."""
        return [parameters for name, parameters in self.events if name == method]

    async def value(self, expression: str) -> Any:
        """Return the value of an expression of JavaScript, which no policy of a page concerns.

        It is that of a whole page: one which is just being loaded is waited for.
        """
        whole = f"document.readyState == 'complete' ? [({expression})] : null"
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                parameters = {"expression": whole, "returnByValue": True}
                said = await self._said("Runtime.evaluate", parameters)
                # Without a result the page went away while it was asked.
                if "result" in said:
                    assert "exceptionDetails" not in said["result"], said
                    if found := said["result"]["result"].get("value"):
                        return found[0]
                await asyncio.sleep(0.05)

    async def size(self, width: int, height: int, *, dark: bool = False) -> None:
        """Be a window of this size, of somebody who likes it dark or not."""
        await self.command(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=height, deviceScaleFactor=1, mobile=False,
        )  # fmt: skip
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        await self.command("Emulation.setEmulatedMedia", features=[scheme])

    async def picture(self, path: Path) -> None:
        """Save what is seen as a PNG."""
        shot = await self.command("Page.captureScreenshot", format="png")
        path.write_bytes(base64.b64decode(shot["data"]))


@asynccontextmanager
async def opened(chromium: str, folder: Path) -> AsyncIterator[Page]:
    """Start Chromium with an empty page, its profile in a folder; end it afterwards."""
    process = await asyncio.create_subprocess_exec(
        chromium, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
        "--no-first-run", "--disable-background-networking", "--remote-debugging-port=0",
        f"--user-data-dir={folder}", "about:blank",
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        port = await _port(folder / "DevToolsActivePort", process)
        async with aiohttp.ClientSession() as session:
            address = await _address(session, port)
            async with session.ws_connect(address, max_msg_size=0) as socket:
                page = Page(socket)
                listening = asyncio.ensure_future(page.listen())
                for domain in ("Page", "Network", "Log", "Runtime"):
                    await page.command(f"{domain}.enable")
                yield page
                listening.cancel()
    finally:
        if process.returncode is None:
            process.terminate()
        await asyncio.wait_for(process.wait(), PATIENCE_SECONDS)


async def _port(path: Path, process: asyncio.subprocess.Process) -> int:
    """Return where it listens, which it writes into a file of its profile."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while process.returncode is None:
            if path.exists() and (lines := path.read_text().splitlines()):
                return int(lines[0])
            await asyncio.sleep(0.05)
    raise AssertionError(f"chromium ended with {process.returncode}")


async def _address(session: aiohttp.ClientSession, port: int) -> str:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            async with session.get(f"http://127.0.0.1:{port}/json/list") as answer:
                for target in await answer.json(content_type=None):
                    if target["type"] == "page":
                        return str(target["webSocketDebuggerUrl"])
            await asyncio.sleep(0.05)
