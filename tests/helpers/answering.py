"""A server of the console which answers by a script, in a thread."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from angarium.console.client import SOCKET, Access, Client, Name
from angarium.console.endpoint import Endpoint
from angarium.wire.control import VERSION, Bye, End, Greeting, Message, Part, line, requests

HELLO = Greeting(VERSION, "0.1", "alice", 10.0)
Script = Callable[[Any], list[Message]]


@contextmanager
def answering(
    folder: Path,
    script: Script,
    hello: Message | bytes = HELLO,
    access: Access | None = None,
    user: str = "",
) -> Iterator[Client]:
    """A client of a server which answers by a script; it hangs up after a Bye."""
    listening = socket.socket(socket.AF_UNIX)
    with Name(folder) as name:
        listening.bind(name)
    listening.listen()

    def serve() -> None:
        connection, _ = listening.accept()
        with connection:
            connection.sendall(hello if isinstance(hello, bytes) else line(hello))
            asked = requests()
            while octets := connection.recv(4096):
                for each in asked.feed(octets):
                    for answer in script(each):
                        connection.sendall(line(answer))
                        if isinstance(answer, Bye):
                            return

    server = threading.Thread(target=serve, daemon=True)
    server.start()
    try:
        client = Client(Endpoint(user, path=str(folder / SOCKET)), access)
        try:
            yield client
        finally:
            client.close()
    finally:
        listening.close()
        server.join(90.0)


def echo(asked: Any) -> list[Message]:
    """Answer with the line, in two pieces; what begins with "bad" fails."""
    failed = asked.line.startswith("bad")
    return [Part(asked.line[:2]), Part(asked.line[2:] + "\n"), End(failed, asked.line == "begin")]
