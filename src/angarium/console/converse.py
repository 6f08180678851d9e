"""A conversation with a server: commands go out line by line, what is answered is printed.

    quit, exit          end it
    watch N COMMAND     give the command every N seconds, until Ctrl-C
    \\pager              long answers go through a pager, or do so no more

A batch ends with the first command that fails, so that what comes after it is not done on a state
nobody has seen.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, TextIO

from angarium.config.spelling import word
from angarium.console.client import Client, ConsoleError
from angarium.wire.control import Form, Greeting

QUIT: Final = frozenset({"quit", "exit"})
PAGER: Final = "\\pager"
CLEAR: Final = "\x1b[H\x1b[2J"
_WATCH: Final = re.compile(r"watch\s+(\d+(?:\.\d+)?)\s+(.+)", re.IGNORECASE | re.DOTALL)
_BRACKETS: Final = ("(", "[", "=")


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


def banner(greeting: Greeting) -> str:
    """Return what an interactive console begins with."""
    rule = "#" * 46
    return f"{rule}\n# Angarium version: {greeting.release}\n{rule}\n"


def prompt(client: Client, endpoint: str) -> str:
    """Return what stands before a command."""
    begun = " (transaction)" if client.transaction else ""
    return f"{time.strftime('%H:%M:%S')} {endpoint}{begun}> "


@dataclass
class Conversation:
    """One operator, or one batch.

    Attributes:
        batch: end with the first command that fails.
        paging: long answers go through a pager.
        renew: connects again, where somebody sits who may give a command again. None: nobody does.
    """

    client: Client
    out: TextIO
    err: TextIO
    form: Form = "text"
    batch: bool = True
    paging: bool = False
    failed: bool = False
    renew: Callable[[], Client] | None = None
    sleep: Callable[[float], object] = field(default_factory=lambda: threading.Event().wait)

    def run(self, lines: Iterator[str]) -> bool:
        """Give one command after the other; return whether one failed."""
        for text in lines:
            asked = text.strip()
            if not asked or asked.startswith("#"):
                continue
            if asked.lower() in QUIT:
                break
            if asked == PAGER:
                self.paging = not self.paging
                self.err.write(f"pager {'on' if self.paging else 'off'}\n")
                continue
            found = _WATCH.fullmatch(asked)
            done = self._watch(float(found[1]), found[2]) if found else self._give(asked)
            self.failed = self.failed or not done
            if self.batch and not done:
                break
        return self.failed

    def _watch(self, seconds: float, asked: str) -> bool:
        try:
            while True:
                if self.out.isatty():
                    self.out.write(f"{CLEAR}every {seconds:g} s: {asked}   {time.ctime()}\n\n")
                if not self._give(asked):
                    return False
                self.sleep(seconds)
        except KeyboardInterrupt:
            return True

    def _give(self, asked: str) -> bool:
        """Give one command; say whether it was done."""
        try:
            answer = "".join(self.client.ask(asked, self.form, self._note, self._say))
        except ConsoleError as error:
            if self.renew is None:
                raise
            # Whether it was done nobody knows, so it is not given again by itself.
            self.client.close()
            self.client = self.renew()
            self._note(f"{error}; connected again, and nothing was repeated")
            return False
        failed = self.client.failed
        if self.paging and self.out.isatty():
            self._paged(answer)
        else:
            target = self.err if failed and self.form == "text" else self.out
            target.write(answer)
            target.flush()
        return not failed

    def _say(self, text: str) -> None:
        self.out.write(f"{text}\n")
        self.out.flush()

    def _note(self, text: str) -> None:
        self.err.write(f"{text}\n")
        self.err.flush()

    def _paged(self, text: str) -> None:
        rows = shutil.get_terminal_size().lines
        pager = shlex.split(os.environ.get("PAGER") or "less -FRX")
        if text.count("\n") < rows or not shutil.which(pager[0]):
            self.out.write(text)
        else:
            subprocess.run(pager, input=text.encode(), stdout=sys.stdout, check=False)
