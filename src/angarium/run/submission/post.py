"""The session in which a message of this machine is given to the server.

What became of each recipient is told apart: taken, refused for good, or to be tried again. Whoever
is not answered is to be tried again, so nothing is lost; it may come twice when the connection
breaks while the server says that it has it.
"""

import smtplib
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import IO, Final, Self

from angarium.core.errors import Error
from angarium.run.submission.envelope import Envelope
from angarium.run.submission.letter import lines

CONNECT_SECONDS: Final = 10.0
# The server syncs a message before it answers; RFC 5321 section 4.5.3.2 would allow ten minutes.
ANSWER_SECONDS: Final = 120.0
AT_ONCE: Final = 100  # recipients which every server takes, RFC 5321 section 4.5.3.1.8
_PIECE: Final = 1 << 16
_MORE: Final = "4.5.3"  # too many recipients: give the rest in another transaction


class AwayError(Error):
    """The server cannot be reached, or takes nothing at present."""


@dataclass(slots=True)
class Outcome:
    """What became of the recipients; the texts are what the server said."""

    taken: dict[str, str] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    deferred: dict[str, str] = field(default_factory=dict)


class Server:
    """A connection to the server.

    Raises:
        AwayError: there is none to be had.
    """

    def __init__(self, host: str, port: int, name: str) -> None:
        # With a name, or smtplib would look one up.
        self._smtp = smtplib.SMTP(local_hostname=name, timeout=CONNECT_SECONDS)
        self._smtp.command_encoding = "utf-8"  # RFC 6531
        refusal = ""
        try:
            code, text = self._smtp.connect(host, port)
            if code == 220:
                assert isinstance(self._smtp.sock, socket.socket)
                self._smtp.sock.settimeout(ANSWER_SECONDS)
                self._smtp.ehlo_or_helo_if_needed()
            else:
                refusal = _said(code, text)
        except OSError as error:  # smtplib's failures are OSErrors too
            refusal = _reason(error)
        if refusal:
            self._smtp.close()
            raise AwayError("the server takes no mail now", host=host, port=port, reason=refusal)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        try:
            self._smtp.quit()
        except OSError:
            self._smtp.close()

    def give(self, envelope: Envelope, lead: bytes, content: IO[bytes]) -> Outcome:
        """Give a message to all its recipients, in as many transactions as it takes.

        Args:
            lead: goes before the content, with CRLF line ends.
            content: a seekable file, from where it stands.
        """
        outcome = Outcome()
        pending = list(dict.fromkeys(envelope.recipients))
        start = content.tell()
        try:
            while pending:
                batch, pending = pending[:AT_ONCE], pending[AT_ONCE:]
                content.seek(start)
                again = self._transaction(envelope, batch, lead, content, outcome)
                pending = again + pending
        except OSError as error:
            reason = _reason(error)
        else:
            reason = ""
        told = {**outcome.taken, **outcome.refused, **outcome.deferred}
        for each in envelope.recipients:
            if each not in told:
                outcome.deferred[each] = reason
        return outcome

    def _transaction(
        self, envelope: Envelope, batch: list[str], lead: bytes, content: IO[bytes],
        outcome: Outcome,
    ) -> list[str]:  # fmt: skip
        """Do one transaction; return who is to be given in another one."""
        code, text = self._smtp.docmd("MAIL", self._mail(envelope, batch))
        if code != 250:
            for each in batch:
                _told(outcome, each, code, text)
            return []
        accepted: list[str] = []
        again: list[str] = []
        notify = f" NOTIFY={envelope.notify}" if envelope.notify and self._has("dsn") else ""
        for each in batch:
            code, text = self._smtp.docmd("RCPT", f"TO:<{each}>{notify}")
            if code in (250, 251):
                accepted.append(each)
            elif accepted and code == 452 and _MORE.encode() in text:
                again.append(each)
            else:
                _told(outcome, each, code, text)
        if not accepted:
            self._smtp.docmd("RSET")
            return again
        code, text = self._smtp.docmd("DATA")
        if code == 354:
            self._send(lead, content)
            code, text = self._smtp.getreply()
        for each in accepted:
            _told(outcome, each, code, text)
        return again

    def _mail(self, envelope: Envelope, batch: list[str]) -> str:
        words = [f"FROM:<{envelope.sender}>"]
        if envelope.eight_bit and self._has("8bitmime"):
            words.append("BODY=8BITMIME")
        if not "".join([envelope.sender, *batch]).isascii():
            words.append("SMTPUTF8")  # without it on offer the server says so, in words for people
        if self._has("dsn"):
            words += [f"RET={envelope.returned}"] * bool(envelope.returned)
            words += [f"ENVID={envelope.envid}"] * bool(envelope.envid)
        return " ".join(words)

    def _has(self, extension: str) -> bool:
        return self._smtp.has_extn(extension)

    def _send(self, lead: bytes, content: IO[bytes]) -> None:
        waiting = bytearray(lead)
        for piece in stuffed(content):
            waiting += piece
            if len(waiting) >= _PIECE:
                self._smtp.send(bytes(waiting))
                waiting.clear()
        self._smtp.send(bytes(waiting + b".\r\n"))


def stuffed(content: IO[bytes]) -> Iterator[bytes]:
    """Yield a content as DATA has it; every line end is CRLF, whatever was there before."""
    for piece, begins in lines(content):
        yield b"." + piece if begins and piece.startswith(b".") else piece


def _told(outcome: Outcome, recipient: str, code: int, text: bytes) -> None:
    if 200 <= code < 300:
        outcome.taken[recipient] = _said(code, text)
    elif 500 <= code < 600:
        outcome.refused[recipient] = _said(code, text)
    else:
        outcome.deferred[recipient] = _said(code, text)


def _said(code: int, text: bytes) -> str:
    shown = text.decode("utf-8", "replace")
    return f"{code} " + "".join(each if each.isprintable() else " " for each in shown)


def _reason(error: OSError) -> str:
    return error.strerror or str(error) or type(error).__name__
