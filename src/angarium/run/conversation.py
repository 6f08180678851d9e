"""One console which is connected: what it asks is done in its order, and answered.

The rule: a client costs a bounded amount of memory and is waited for a bounded time. Meanwhile it
is listened to: it may say that a command is to stop, and when it hangs up the command ends, for
nobody would read what comes of it. What is being brought into force by then comes into force.
"""

import asyncio
import json
from collections import deque
from typing import Final

from angarium.console.result import Result, Said
from angarium.console.server import Server
from angarium.console.session import Outcome, Session
from angarium.console.xml import xml
from angarium.wire.control import (
    PIECE,
    Ask,
    Bye,
    ControlError,
    End,
    Form,
    Line,
    Note,
    Stop,
    line,
    parts,
    requests,
)

ANSWER_SECONDS: Final = 60.0  # for a client to read a piece of its answer
MAX_ASKED: Final = 16  # commands which wait for their turn
MAX_UNREAD: Final = 1 << 20  # octets of lines a client has not read: what is more is counted only
XML: Final = "xml "  # before a command, as Momentum has it
_READ: Final = 64 << 10


class Conversation:
    """One client, who is known and greeted.

    Args:
        idle_seconds: a client which asks nothing for so long is sent away.
    """

    def __init__(
        self,
        session: Session,
        server: Server,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        idle_seconds: float,
    ) -> None:
        self._session = session
        self._server = server
        self._reader = reader
        self._writer = writer
        self._idle_seconds = idle_seconds
        self._asked: deque[Ask] = deque()
        self._changed = asyncio.Event()
        self._command: asyncio.Task[Outcome] | None = None
        self._hung_up = ""  # why; "eof" needs no last word
        self._left_out = 0
        session.note, session.say = self._note, self._say

    async def run(self) -> None:
        listening = asyncio.ensure_future(self._listen())
        try:
            while True:
                while not self._asked and not listening.done():
                    if not await self._wait():
                        await self._bye(f"nothing was asked for {self._idle_seconds:g} s")
                        return
                if listening.done():
                    if reason := listening.result():
                        await self._bye(reason)
                    return
                await self._answer(self._asked.popleft())
                self._changed.set()
        finally:
            listening.cancel()
            if self._command is not None:
                self._command.cancel()

    async def _wait(self) -> bool:
        """Wait for something to be asked; say whether it was in time."""
        self._changed.clear()
        try:
            await asyncio.wait_for(self._changed.wait(), self._idle_seconds or None)
        except TimeoutError:
            return False
        return True

    async def _listen(self) -> str:
        """Take what the client says until it hangs up; return why it has to."""
        asked = requests()
        try:
            while octets := await self._reader.read(_READ):
                for each in asked.feed(octets):
                    if isinstance(each, Ask):
                        self._asked.append(each)
                    elif isinstance(each, Stop):
                        self._stop()
                self._changed.set()
                while len(self._asked) >= MAX_ASKED:
                    self._changed.clear()
                    await self._changed.wait()
        except ControlError as error:
            self._stop()
            return str(error)
        finally:
            self._changed.set()
        self._stop()
        return ""

    def _stop(self) -> None:
        if self._command is not None:
            self._command.cancel()

    async def _answer(self, ask: Ask) -> None:
        asked, form = ask.line, ask.form
        if asked[: len(XML)].lower() == XML:
            asked, form = asked[len(XML) :], "xml"
        self._session.form = form
        self._command = asyncio.ensure_future(self._session.ask(asked))
        await asyncio.wait([self._command])
        if self._command.cancelled():
            outcome = Outcome(Said("stopped", {"error": "stopped"}), failed=True)
        else:
            outcome = self._command.result()
        self._command = None
        for piece in parts(await self._printed(asked, form, outcome.result)):
            await self._send(piece)
        begun = self._session.transaction is not None
        await self._send(line(End(outcome.failed, begun)))

    async def _printed(self, asked: str, form: Form, result: Result) -> str:
        if form == "json":
            return await self._server.aside(_json, result)
        if form == "xml":
            return await self._server.aside(_xml, asked, result)
        text = str(result)  # It is one already: who only looks waits for nobody.
        return text + "\n" if text else ""

    def _note(self, text: str) -> None:
        if self._has_room():
            self._writer.write(line(Note(text.encode("utf-8", "replace").decode())))

    def _say(self, text: str) -> None:
        if not self._has_room():
            self._left_out += 1
            return
        if self._left_out:
            self._writer.write(line(Note(f"({self._left_out} lines are left out)")))
            self._left_out = 0
        for at in range(0, len(text), PIECE):
            piece = text[at : at + PIECE].encode("utf-8", "replace").decode()
            self._writer.write(line(Line(piece)))

    def _has_room(self) -> bool:
        return self._writer.transport.get_write_buffer_size() < MAX_UNREAD

    async def _bye(self, reason: str) -> None:
        await self._send(line(Bye(reason)))

    async def _send(self, octets: bytes) -> None:
        await send(self._writer, octets)


async def send(writer: asyncio.StreamWriter, octets: bytes) -> None:
    """Send, and wait for the client to read. Raises TimeoutError, OSError."""
    writer.write(octets)
    await asyncio.wait_for(writer.drain(), ANSWER_SECONDS)


def _json(result: Result) -> str:
    # Octets of a file which are no UTF-8 may be in it; msgspec would not have them.
    return json.dumps(result.plain(), indent=2, ensure_ascii=False) + "\n"


def _xml(asked: str, result: Result) -> str:
    return xml(asked, result.plain())
