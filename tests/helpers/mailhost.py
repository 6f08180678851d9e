"""A mail server of a few lines for clients which block: it answers by rules and keeps what came.

with MailHost({"RCPT TO:<no@": "550 5.1.1 no such user"}) as host:
    ...  host.port, host.mails: (sender, recipients, octets as they came, without the last dot)
"""

import socket
import threading
from collections.abc import Mapping
from types import TracebackType
from typing import Self

EHLO = "250-mailhost\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 DSN"


class MailHost:
    """See above. `rules`: beginnings of commands, and what is answered; "." is the final dot."""

    def __init__(
        self, rules: Mapping[str, str] | None = None, banner: str = "220 mailhost"
    ) -> None:
        self.rules = dict(rules or {})
        self.banner = banner
        self.mails: list[tuple[str, list[str], bytes]] = []
        self.commands: list[str] = []
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listening.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            with connection:
                self._session(connection)

    def _session(self, connection: socket.socket) -> None:
        with connection.makefile("rb") as lines:

            def say(text: str) -> None:
                connection.sendall(f"{text}\r\n".encode())

            say(self.banner)
            sender, recipients = "", list[str]()
            for line in lines:
                command = line.decode().rstrip("\r\n")
                self.commands.append(command)
                rule = next((each for each in self.rules if command.startswith(each)), None)
                answer = self.rules[rule] if rule is not None else _usual(command)
                if answer == "hang up":
                    return
                if command.startswith("DATA") and answer.startswith("354"):
                    say(answer)
                    octets = b"".join(iter(lines.readline, b".\r\n"))
                    answer = self.rules.get(".", "250 2.0.0 OK")
                    if answer == "hang up":
                        return
                    if answer.startswith("250"):
                        self.mails.append((sender, recipients, octets))
                say(answer)
                if answer.startswith("221"):
                    return
                if command.startswith("MAIL"):
                    sender, recipients = command.partition("<")[2].partition(">")[0], []
                if command.startswith("RCPT") and answer.startswith("25"):
                    recipients.append(command.partition("<")[2].partition(">")[0])


def _usual(command: str) -> str:
    command = command.upper()
    if command.startswith("EHLO"):
        return EHLO
    if command.startswith("DATA"):
        return "354 go on"
    return "221 bye" if command.startswith("QUIT") else "250 OK"
