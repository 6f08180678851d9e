"""Plays a dialogue between `SmtpClient` and a peer that is text.

    S: 220 mx.example             the peer says it
    C: EHLO client.example        the client must have said it; `C:` alone is an empty line
    >: a@x.example b@y.example,c@y.example 'body\\r\\n'    a transaction is submitted
    =: b@y.example 250 2.0.0 taken [9]      a recipient's result, with its stage
    !: 421 bye [3]                the session is lost so
    ~: b@y.example WHOLE          what is left unfinished, and how far it went

Lines of one side that follow each other are one piece; "byte by byte" cuts them to octets.
"""

import ast

from angarium.core.body import MemoryBody
from angarium.core.message import Message, Recipient, Trait
from angarium.wire.smtp_client import SmtpClient
from angarium.wire.smtp_transaction import Transaction


def transaction(sender: str, recipients: str, body: bytes, traits: int = 0) -> Transaction:
    if b"\r\n." in b"\r\n" + body:
        traits |= Trait.DOTS
    if not body.endswith(b"\r\n"):
        traits |= Trait.NO_FINAL_CRLF
    message = Message(sender, MemoryBody(body), traits=traits)
    return Transaction(message, [Recipient(r, r.rpartition("@")[2]) for r in recipients.split(",")])


class Player:
    def __init__(self, client: SmtpClient, cut: int = 0) -> None:
        self.client = client
        self.cut = cut
        self.said: list[bytes] = []
        self.results: list[str] = []

    def play(self, script: str) -> None:
        lines = [each for line in script.splitlines() if (each := line.strip())]
        while lines:
            sign, body = lines[0][:2], []
            while lines and lines[0][:2] == sign:
                body.append(lines.pop(0)[3:])
            self._step(sign, body)

    def _step(self, sign: str, lines: list[str]) -> None:
        if sign == "S:":
            self._hear(b"".join(line.encode() + b"\r\n" for line in lines))
        elif sign == "C:":
            expected = b"".join(line.encode() + b"\r\n" for line in lines)
            assert b"".join(self.said) == expected
            self.said = []
        elif sign == ">:":
            for line in lines:
                sender, recipients, body = line.split(" ", 2)
                self.submit(
                    transaction(sender.strip("<>"), recipients, ast.literal_eval("b" + body))
                )
        elif sign == "=:":
            assert self.results == lines
            self.results = []
        elif sign == "!:":
            lost = self.client.lost
            assert [f"{lost.reply} [{int(lost.stage)}]" if lost else None] == lines
        elif sign == "~:":
            left = self.client.unfinished()
            assert [
                f"{','.join(r.address for r in each.recipients)} {each.phase.name}" for each in left
            ] == lines
        else:
            raise ValueError(sign)

    def submit(self, what: Transaction) -> None:
        assert self.client.free
        self.client.submit(what)
        self._after()

    def secured(self, *, trusted: bool = False) -> None:
        """The handshake of TLS is done."""
        self.client.secured(trusted=trusted)
        self._after()

    def _hear(self, data: bytes) -> None:
        step = self.cut or len(data)
        for at in range(0, len(data), step):
            self.client.receive(data[at : at + step])
            self._after()

    def _after(self) -> None:
        for each in self.client.finished():
            for recipient, reply, stage in zip(
                each.recipients, each.replies, each.stages, strict=True
            ):
                self.results.append(f"{recipient.address} {reply} [{int(stage)}]")
        while out := self.client.data_to_send():
            self.said += out
