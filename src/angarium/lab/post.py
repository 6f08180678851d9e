"""One message, written and sent by hand: `angarium send --to bob@example.com`."""

import asyncio
import re
from email.header import Header
from typing import Final

from angarium.lab.injector import Injector, Outcome, Step
from angarium.lab.letters import Letter, stuffed

_FIELD: Final = re.compile(rb"[!-9;-~]+[ \t]*:")  # RFC 5322 section 2.2
_LINE_END: Final = re.compile(rb"\r?\n")
TEXT: Final = b"A message of Angarium.\n"


def compose(
    sender: str, recipients: list[str], subject: str, text: bytes, date: str, name: str
) -> Letter:
    """Return a message for one session.

    A `text` which begins with a header field is the whole message and is sent as it is; else it is
    the body, and gets a header. Line ends become CRLF. `name` is the left side of the Message-ID.
    """
    if not _FIELD.match(text):
        text = _header(sender, recipients, subject, date, name, eight_bit=not text.isascii()) + text
    content = stuffed(_LINE_END.sub(b"\r\n", text))
    return Letter(
        1, sender, recipients, content, size=len(content) - 3, eight_bit=not content.isascii()
    )


def _header(
    sender: str, recipients: list[str], subject: str, date: str, name: str, *, eight_bit: bool
) -> bytes:
    fields = [
        f"From: <{sender or 'MAILER-DAEMON'}>",
        f"To: {', '.join(f'<{each}>' for each in recipients)}",
        f"Subject: {Header(subject).encode()}",
        f"Date: {date}",
        f"Message-ID: <{name}@{sender.rpartition('@')[2] or 'localhost'}>",
    ]
    if eight_bit:
        fields += [
            "MIME-Version: 1.0",
            "Content-Type: text/plain; charset=utf-8",
            "Content-Transfer-Encoding: 8bit",
        ]
    return "".join(f"{each}\n" for each in [*fields, ""]).encode()


class _Post:
    """The owner of the one connection."""

    def __init__(self, letter: Letter) -> None:
        self._letter = letter
        self.outcome: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()

    def ready(self, injector: Injector) -> None:
        if self.outcome.done():
            injector.quit()
        else:
            injector.send(self._letter)

    def answered(self, injector: Injector, outcome: Outcome) -> None:
        if not self.outcome.done():
            self.outcome.set_result(outcome)

    def lost(self, injector: Injector) -> None:
        if not self.outcome.done():
            last = injector.last_reply or "closed without a word"
            self.outcome.set_result(Outcome(self._letter, Step.BANNER, last))


async def post(host: str, port: int, letter: Letter, patience: float = 60.0) -> Outcome:
    """Send a message and return how it ended.

    Raises:
        OSError: no connection; TimeoutError, which is one, if the server took more than `patience`
            seconds.
    """
    loop = asyncio.get_running_loop()
    owner = _Post(letter)
    async with asyncio.timeout(patience):
        _, injector = await loop.create_connection(lambda: Injector(owner), host, port)
        try:
            outcome = await owner.outcome
            await injector.gone
        finally:
            injector.abort()
    return outcome
