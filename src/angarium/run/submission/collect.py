"""The maildrop emptied into the server: letter by letter, each removed when all of it is settled.

A letter is removed after the server has said that it has it, so who dies in between sends it again,
with the same Message-ID. What the server refuses for good goes back to its sender as a report; only
where that is not possible either the letter is put aside.
"""

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from typing import IO, Final

from angarium.core.reply import Reply
from angarium.mail.report import dsn
from angarium.mail.report.dsn import Action, Notice
from angarium.run.submission.envelope import Envelope
from angarium.run.submission.letter import MAX_HEADER, lines, received
from angarium.run.submission.maildrop import HostileError, Maildrop, Waiting
from angarium.run.submission.post import Outcome, Server
from angarium.run.submission.settings import Settings

KEEP_SECONDS: Final = 604_800.0  # as message_expiration: a week
_TEXT: Final = 900  # octets of what a server said, in a report
_PIECE: Final = 1 << 16

Connect = Callable[[], Server]


@dataclass(slots=True)
class Collected:
    """How many letters were settled, wait further, and were put aside."""

    sent: int = 0
    waiting: int = 0
    aside: int = 0


class Collector:
    """Empties a maildrop.

    Args:
        tell: is given a sentence about each letter that was not sent.
    """

    def __init__(self, drop: Maildrop, settings: Settings, tell: Callable[[str], None]) -> None:
        self._drop = drop
        self._settings = settings
        self._tell = tell
        self.collected = Collected()

    def collect(self, connect: Connect) -> Collected:
        """Give to the server what waits.

        Raises:
            AwayError: it is not there; what waits stays.
            MaildropError: we may not collect.
        """
        names = self._drop.names()
        if names:
            with connect() as server:
                for name in names:
                    self._one(server, name)
        return self.collected

    def _one(self, server: Server, name: str) -> None:
        try:
            waiting = self._drop.open(name, self._settings.max_size)
        except FileNotFoundError:
            return  # Its owner has thought better of it.
        except (HostileError, OSError) as error:
            self._aside(name, str(error))
            return
        with waiting.content:
            envelope, lead = waiting.envelope, self._lead(waiting.envelope)
            outcome = server.give(envelope, lead, waiting.content)
            if outcome.deferred and envelope.at < time.time() - KEEP_SECONDS:
                outcome.refused |= outcome.deferred
                outcome.deferred = {}
            if outcome.refused and not self._report(server, waiting, outcome):
                self._aside(name, "; ".join(set(outcome.refused.values())))
                return
            self._settle(waiting, outcome)

    def _settle(self, waiting: Waiting, outcome: Outcome) -> None:
        """Remove a letter, or leave one for those who did not get it yet."""
        if outcome.deferred:
            self.collected.waiting += 1
            self._tell(f"{waiting.name} waits: {next(iter(outcome.deferred.values()))}")
            if len(outcome.deferred) == len(waiting.envelope.recipients):
                return
            waiting.content.seek(0)
            rest = waiting.envelope.to(tuple(outcome.deferred))
            self._drop.put(rest, iter(lambda: waiting.content.read(_PIECE), b""))
        else:
            self.collected.sent += 1
        self._drop.remove(waiting.name)

    def _aside(self, name: str, reason: str) -> None:
        self.collected.aside += 1
        try:
            self._drop.put_aside(name)
        except OSError as error:
            self._tell(f"{name} stays and cannot be put aside ({error.strerror}): {reason}")
        else:
            self._tell(f"{name} was put aside: {reason}")

    def _lead(self, envelope: Envelope) -> bytes:
        at = datetime.fromtimestamp(envelope.at, UTC)
        return received(self._settings.hostname, envelope.uid, envelope.token, at)

    def _report(self, server: Server, waiting: Waiting, outcome: Outcome) -> bool:
        """Tell the sender who has not got the letter; False if nobody could be told."""
        envelope, host = waiting.envelope, self._settings.hostname
        if not envelope.sender:
            return False
        if envelope.notify and "FAILURE" not in envelope.notify:
            return True  # RFC 3461 section 4.1: it was asked for that nothing be said
        now = time.time()
        outcomes = [
            dsn.Outcome(address, Action.FAILED, _reply(text), attempted_at=now)
            for address, text in outcome.refused.items()
        ]
        content = dsn.build(
            Notice(
                host=host, daemon=f"MAILER-DAEMON@{host}", sender=envelope.sender,
                outcomes=outcomes, date=now, arrived=envelope.at, token=envelope.token,
                envid=envelope.envid, original=_header(waiting.content),
                international=not envelope.sender.isascii(),
            )
        )  # fmt: skip
        report = Envelope(
            "", (envelope.sender,), os.geteuid(), envelope.token, now, "NEVER",
            eight_bit=not content.isascii(),
        )  # fmt: skip
        given = server.give(report, b"", BytesIO(content))
        if given.deferred:
            self._drop.put(report, [content])
        return not given.refused


def _header(content: IO[bytes]) -> bytes:
    """Return the header of a message, with the empty line."""
    content.seek(0)
    return b"".join(_upto_body(content))


def _upto_body(content: IO[bytes]) -> Iterator[bytes]:
    left = MAX_HEADER
    for piece, begins in lines(content):
        yield piece
        left -= len(piece)
        if (begins and piece == b"\r\n") or left < 0:
            return


def _reply(text: str) -> Reply:
    """Return what the server said as a reply; of none: that it was tried in vain."""
    code, _, rest = text.partition(" ")
    if not (code.isdigit() and 400 <= int(code) < 600):
        return Reply(450, "the server did not answer")
    return Reply(int(code), rest[:_TEXT])
