"""What leaves in one piece: commands of a message, and its content with the next one's commands."""

import asyncio
from contextlib import closing, suppress
from pathlib import Path

from helpers.outlook import Outlook

GREETING = b"250-patient.test\r\n250-PIPELINING\r\n250 SIZE\r\n"
MESSAGES = 6


class Patient:
    """A host which answers a group of commands only when the whole group is there.

    It withholds the reply to a content until the commands of the next message have come, as long
    as there is a next one. Who does not pipeline waits for ever.
    """

    def __init__(self) -> None:
        self.contents = 0
        self.groups: list[int] = []  # how many commands came before each answer
        self.serving: set[asyncio.Task[None]] = set()

    def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.serving.add(asyncio.ensure_future(self._served(reader, writer)))

    async def _served(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with closing(writer), suppress(asyncio.IncompleteReadError, ConnectionError):
            await self._serve(reader, writer)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 patient.test\r\n")
        await reader.readline()
        writer.write(GREETING)
        owed = b""
        while True:
            commands: list[bytes] = []
            while not commands or commands[-1] != b"DATA\r\n":
                line = await reader.readline()
                if not line or line == b"QUIT\r\n":
                    return
                commands.append(line)
            self.groups.append(len(commands))
            writer.write(owed + b"250 2.0.0 ok\r\n" * (len(commands) - 1) + b"354 go\r\n")
            await reader.readuntil(b"\r\n.\r\n")
            self.contents += 1
            owed = b"250 2.0.0 taken\r\n"
            if self.contents == MESSAGES:
                writer.write(owed)
                owed = b""


async def test_commands_come_in_groups_and_the_next_group_with_the_content(
    tmp_path: Path,
) -> None:
    config = """
        domain "a.test" { suspend_delivery = true  max_outbound_connections = 1 }
    """
    patient = Patient()
    async with Outlook(tmp_path, config, "a.test A 127.0.1.1") as world:
        server = await asyncio.start_server(patient.take, "127.0.1.1", world.sink.port)
        for _ in range(MESSAGES):
            await world.mail("b@a.test", "c@a.test")
        await world.reload(config.replace("true", "false"))
        await world.records("mainlog", "D", "a.test", 2 * MESSAGES)
        assert patient.groups == [4] * MESSAGES  # MAIL, two RCPT, DATA
        server.close()
    await asyncio.gather(*patient.serving)  # the other side is gone
