"""The other end of the console: asks a server, prints what it answers.

One command from the arguments, or one a line from standard input: with a prompt where that is a
terminal, as a batch where it is not. A batch ends with the first command that fails, so that what
comes after it is not done on a state nobody has seen.
"""

import contextlib
import importlib
import os
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final, TextIO

from angarium.config.spelling import word
from angarium.core.errors import Error
from angarium.wire.control import (
    VERSION,
    Answer,
    Ask,
    Bye,
    ControlError,
    End,
    Form,
    Greeting,
    Note,
    Part,
    answers,
    line,
)

SOCKET: Final = "control"  # in the folder `run` of a state directory
GREETING_SECONDS: Final = 10.0
QUIT: Final = frozenset({"quit", "exit"})
_BRACKETS: Final = ("(", "[", "=")
_READ: Final = 64 << 10


class ConsoleError(Error):
    """There is no server to speak to, or not any more."""


class Name:
    """A name of a socket which fits into an address: those have 108 octets, paths may have more.

    Raises:
        OSError: there is no such folder.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)

    def __enter__(self) -> str:
        return f"/proc/self/fd/{self._folder}/{SOCKET}"

    def __exit__(self, *error: object) -> None:
        os.close(self._folder)


class Client:
    """A connection to a server.

    Raises:
        ConsoleError: there is no server, or it does not want to speak to us.
    """

    def __init__(self, run_folder: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._reader = answers()
        self._waiting: list[Answer] = []
        self.transaction = False
        try:
            self.greeting = self._greeted(run_folder)
        except ConsoleError:
            self.close()
            raise
        self._socket.settimeout(self.greeting.patience or None)

    def _greeted(self, run_folder: Path) -> Greeting:
        try:
            self._socket.settimeout(GREETING_SECONDS)
            with Name(run_folder) as name:
                self._socket.connect(name)
            greeting = self._next()
        except ControlError as error:
            raise ConsoleError(str(error)) from error
        except OSError as error:
            raise ConsoleError(f"no server answers there: {error.strerror or error}") from error
        if not isinstance(greeting, Greeting) or greeting.version != VERSION:
            raise ConsoleError("the server is of another version than this console")
        return greeting

    def ask(
        self, text: str, form: Form = "text", note: Callable[[str], object] = str
    ) -> Iterator[str]:
        """Ask for one command and yield the pieces of the answer; `failed` has its end.

        Args:
            note: called with each line which tells how far it is.

        Raises:
            ConsoleError: the server is gone, or does not answer.
        """
        try:
            self._socket.sendall(line(Ask(text, form)))
            while True:
                match self._next():
                    case Part(text=piece):
                        yield piece
                    case Note(text=said):
                        note(said)
                    case End(failed=failed, transaction=transaction):
                        self.failed, self.transaction = failed, transaction
                        return
                    case _:
                        raise ConsoleError("the server said what is no answer")
        except TimeoutError as error:
            raise ConsoleError("the server does not answer; see control_client_timeout") from error
        except ControlError as error:
            raise ConsoleError(str(error)) from error
        except OSError as error:
            raise ConsoleError(f"the server is gone: {error.strerror}") from error

    def _next(self) -> Answer:
        while not self._waiting:
            octets = self._socket.recv(_READ)
            if not octets:
                raise ConsoleError("the server has hung up" + (
                    "; the open transaction is gone" if self.transaction else ""))  # fmt: skip
            self._waiting = self._reader.feed(octets)
        answer = self._waiting.pop(0)
        if isinstance(answer, Bye):
            raise ConsoleError(answer.reason)
        return answer

    def close(self) -> None:
        self._socket.close()


def command_of(arguments: Sequence[str]) -> str:
    """Return the line which arguments of a shell are: a single one is a line already."""
    if len(arguments) == 1:
        return arguments[0]
    return " ".join(
        each if each.startswith(_BRACKETS) or not _needs_quotes(each) else word(each, quoted=True)
        for each in arguments
    )


def _needs_quotes(text: str) -> bool:
    return not text or any(each.isspace() or each in '"#' for each in text)


def converse(
    client: Client,
    lines: Iterator[str],
    out: TextIO,
    err: TextIO,
    form: Form = "text",
    *,
    batch: bool = True,
) -> bool:
    """Ask line by line; return whether a command failed. A batch ends with that one."""
    failed = False
    for text in lines:
        asked = text.strip()
        if not asked or asked.startswith("#"):
            continue
        if asked.lower() in QUIT:
            break
        pieces = "".join(client.ask(asked, form))
        (err if client.failed and form == "text" else out).write(pieces)
        out.flush()
        failed = failed or client.failed
        if batch and failed:
            break
    return failed


def banner(greeting: Greeting) -> str:
    """Return what an interactive console begins with."""
    rule = "#" * 46
    return f"{rule}\n# Angarium version: {greeting.release}\n{rule}\n"


def prompted(client: Client, endpoint: str, read: Callable[[str], str] = input) -> Iterator[str]:
    """Yield what an operator types, until he has no more to say."""
    with contextlib.suppress(ImportError):  # A Python without it is built now and then.
        importlib.import_module("readline")
    while True:
        begun = " (transaction)" if client.transaction else ""
        try:
            yield read(f"{time.strftime('%H:%M:%S')} {endpoint}{begun}> ")
        except EOFError:
            return
