"""A whole server seen from behind: what arrived for whom, when, and what was written of it.

    async with Outlook(tmp_path, zone="a.test A 127.0.0.1", config=..., sink=...) as world:
        await world.mail("b@a.test")
        [letter] = await world.came("*@a.test")
        [record] = await world.records("mainlog", "D", "a.test")

Stories of one file may share a server: each has domains of its own, so none sees another's mail.
"""

import os
import re
import signal
import socket
from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from angarium.lab.conversation import Conversation
from angarium.lab.received import Received, Session
from angarium.lab.sink import Sink
from helpers.world import World

LETTER = b"Subject: hello\r\n\r\nhi\r\n"
_FIELDS = re.compile(r"(?<!\\)@")  # no reason in a story has an at sign of its own


class Watched(Sink):
    """A sink which knows how many connections it had at most at once."""

    most = 0

    def opened(self, conversation: Conversation) -> Session:
        session = super().opened(conversation)
        left = sum(_left(each) for each in self._open if each is not conversation)
        self.most = max(self.most, self.counts.open - left)
        return session


def _left(conversation: Conversation) -> bool:
    """Say whether a client has said QUIT or gone, though we have not read it yet.

    A busy machine tells of its next connection first.
    """
    transport = conversation._transport
    if transport.is_closing():
        return True
    same = socket.socket(fileno=os.dup(transport.get_extra_info("socket").fileno()))
    with same:
        try:
            waiting = same.recv(65536, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            return False
        except OSError:
            return True
    return not waiting or waiting.upper().endswith(b"QUIT\r\n")


class Outlook(World):
    """A world whose stories are told by deliveries."""

    receiver = Watched
    sink: Watched

    async def mail(
        self,
        *recipients: str,
        sender: str = "a@sender.test",
        content: bytes = LETTER,
        parameters: str = "",
    ) -> None:
        """Send one message, which must be taken; parameters follow an address after a space."""
        said = await self.send(sender, recipients, content, parameters and f" {parameters}")
        assert said.startswith("250"), said

    async def mails(self, count: int, recipient: str, content: bytes = LETTER) -> None:
        """Send so many messages to one recipient over one connection."""
        async with self.call() as caller:
            for _ in range(count):
                said = await caller.deliver(content, recipient)
                assert said.startswith("250"), said

    def got(self, pattern: str) -> list[Received]:
        """Return what the sink accepted for recipients which match, such as "*@a.test"."""
        return [
            each
            for each in self.sink.accepted
            if any(fnmatchcase(address, pattern) for address in each.recipients)
        ]

    async def came(self, pattern: str, count: int = 1) -> list[Received]:
        """Wait until the sink has accepted so many messages for such recipients."""
        await self.until(lambda: len(self.got(pattern)) >= count, f"{count} messages for {pattern}")
        return self.got(pattern)

    def session(self, letter: Received) -> list[str]:
        """Return the commands of the session which a message came by."""
        return self.sink.sessions[letter.session - 1].commands

    def rows(self, name: str, kind: str, about: str = "") -> list[list[str]]:
        """Return the records of a kind in a log, as fields; `about` is a domain they name."""
        rows = [_FIELDS.split(line) for line in self.log(name)]
        return [row for row in rows if row[4] == kind and (not about or about in row)]

    async def records(
        self, name: str, kind: str, about: str = "", count: int = 1
    ) -> list[list[str]]:
        """Wait until so many records of a kind are in a log, and return those."""
        what = f"{count} {kind} records about {about or 'anything'} in {name}"
        await self.until(lambda: len(self.rows(name, kind, about)) >= count, what)
        return self.rows(name, kind, about)

    async def reload(self, extra: str) -> None:
        """Bring another configuration into force."""
        done = self._reloads()
        self.configure(extra)
        self.signal(signal.SIGHUP)
        await self.until(lambda: self._reloads() > done, "the reload")

    def _reloads(self) -> int:
        return sum("reloaded" in line for line in self.output)

    def pids(self, what: str) -> list[int]:
        """Return the processes of the server whose title has a word, such as "hose"."""
        assert self._process is not None
        number = self._process.pid
        children = Path(f"/proc/{number}/task/{number}/children").read_text(encoding="ascii")
        return [pid for pid in map(int, children.split()) if what in _title(pid)]

    async def again(self, *, kill: bool = False) -> None:
        """Stop the server, or kill everything, and start it again."""
        if kill:
            self.kill()
            await self.ended()
        else:
            assert await self.stop() == 0
        await self.start()


def _title(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8")


async def second(world: World, address: str, script: str = "") -> Watched:
    """Return a further sink, started, at another address but at the port of the world's."""
    sink = Watched(script, [(address, world.sink.port)])
    await sink.start()
    return sink


def times(rows: Sequence[Sequence[str]]) -> list[int]:
    """Return when records were written, in Unix seconds."""
    return [int(row[0]) for row in rows]
