"""Somebody at the console of a real server, message by message."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from angarium.console.client import Name
from angarium.wire.control import Answer, Ask, End, Form, Greeting, Line, Note, Part, answers, line

PATIENCE = 90.0


class Operator:
    """One session."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self._messages = answers()
        self._waiting: list[Answer] = []

    async def next(self) -> Answer:
        """Return the next message of the server. Raises EOFError."""
        while not self._waiting:
            octets = await asyncio.wait_for(self.reader.read(65536), PATIENCE)
            if not octets:
                raise EOFError
            self._waiting = self._messages.feed(octets)
        return self._waiting.pop(0)

    async def ask(self, text: str, form: Form = "text") -> tuple[str, End]:
        """Give a command; return the whole answer and its end."""
        self.writer.write(line(Ask(text, form)))
        said = ""
        while isinstance(answer := await self.next(), Part | Line | Note):
            if isinstance(answer, Line):
                said += f"{answer.text}\n"
            elif isinstance(answer, Part):
                said += answer.text
        assert isinstance(answer, End), answer
        return said, answer

    async def say(self, text: str) -> str:
        """Give a command which is done; return what is printed."""
        said, end = await self.ask(text)
        assert not end.failed, said
        return said.rstrip("\n")

    async def fails(self, text: str) -> str:
        """Give a command which fails; return why."""
        said, end = await self.ask(text)
        assert end.failed, said
        return said.rstrip("\n")


@asynccontextmanager
async def connected(run_folder: Path) -> AsyncIterator[Operator]:
    """Connect and hear whatever comes."""
    with Name(run_folder) as name:
        reader, writer = await asyncio.open_unix_connection(name)
    try:
        yield Operator(reader, writer)
    finally:
        writer.close()


@asynccontextmanager
async def operator(state: Path) -> AsyncIterator[Operator]:
    """Connect to the server of a state directory and be greeted."""
    async with connected(state / "run") as made:
        assert isinstance(await made.next(), Greeting)
        yield made
