"""The text of a test of policy: what is said, what is to happen. Here it is read.

    policy greylist.py                  what is tested: Python or Lua, in this order
        seconds = 60                    and what else stands in the stanza of the script
    config gateway = "127.0.0.1"        lines of ecelerity.conf, as many as needed
    dns example.com MX 10 mx.example.com
    query users "SELECT id FROM users WHERE name = ?" ["bob"] -> [{"id": 7}]

    connect 192.0.2.1                   a client; what follows is said by it
    < 220                               what it is to hear: a code, and how the text begins
    > MAIL FROM:<a@client.example>
    < 250
    message                             indented: a message, said after DATA
        Subject: hello

        text
    < 451 4.7.1 greylisted
    wait 300                            seconds; they take no time
    expect to b@example.com             one message was queued for whom, and what is to be true
        binding b1                      of it
        header X-Tag: yes
    expect nothing                      nothing else was queued

A line that is indented belongs to the one before it. `#` begins a comment where a line begins.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from angarium.core.errors import Error

# Words that may begin a line, with what follows them.
STEPS: Final = {
    "policy": "policy FILE...",
    "config": "config LINE",
    "dns": "dns NAME TYPE VALUE",
    "query": 'query SOURCE "STATEMENT" [VALUES] -> [ROWS]',
    "connect": "connect ADDRESS [PORT]",
    ">": "> COMMAND",
    "<": "< CODE [TEXT]",
    "message": "message, and the message indented",
    "wait": "wait SECONDS",
    "leave": "leave",
    "delivered": "delivered [REPLY]",
    "failed": "failed REPLY",
    "expect": "expect to ADDRESS | nothing | refusal CODE [TEXT] | panic TEXT | report to ADDRESS",
}
SETUP: Final = frozenset({"policy", "config", "dns", "query"})
INDENT: Final = 4


class TranscriptError(Error):
    """A transcript cannot be read: `file` and `line` in the fields."""


@dataclass(frozen=True, slots=True)
class Step:
    """One line with what is indented below it.

    Attributes:
        word: one of STEPS; `rest` is what follows it.
        block: the indented lines, without their indentation.
        line: its number, from 1.
    """

    word: str
    rest: str
    line: int
    block: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Transcript:
    """A test.

    Attributes:
        steps: in order, those of SETUP first.
    """

    path: Path
    steps: list[Step]

    @property
    def setup(self) -> Iterator[Step]:
        return (each for each in self.steps if each.word in SETUP)

    @property
    def acts(self) -> Iterator[Step]:
        return (each for each in self.steps if each.word not in SETUP)


def read(path: Path) -> Transcript:
    """Read a file.

    Raises:
        TranscriptError: it cannot be read, or a line says nothing.
    """
    try:
        text = path.read_bytes().decode()
    except OSError as error:
        raise TranscriptError(f"it cannot be read: {error.strerror}", file=path, line=0) from error
    except UnicodeDecodeError as error:
        raise TranscriptError("it is no UTF-8", file=path, line=0) from error
    return parse(text, path)


def parse(text: str, path: Path) -> Transcript:
    """As `read`, of a text."""
    steps: list[Step] = []
    blanks = 0
    for number, line in enumerate(text.split("\n"), 1):
        line = line.removesuffix("\r")  # noqa: PLW2901 - a file of Windows
        if not line.strip():
            blanks += 1
            continue
        if line.startswith((" " * INDENT, "\t")):
            if not steps:
                raise TranscriptError("nothing stands above it", file=path, line=number)
            inner = line[1:] if line.startswith("\t") else line[INDENT:]
            # Blank lines inside of a block are lines of it.
            steps[-1].block.extend([""] * (blanks if steps[-1].block else 0))
            steps[-1].block.append(inner)
        elif not line.startswith("#"):
            steps.append(_step(line.strip(), number, path))
        blanks = 0
    return Transcript(path, steps)


def _step(line: str, number: int, path: Path) -> Step:
    if line[0] in "<>":
        word, rest = line[0], line[1:].strip()
    else:
        word, _, rest = line.partition(" ")
        rest = rest.strip()
    if word not in STEPS:
        words = ", ".join(STEPS)
        raise TranscriptError(f"{word!r} begins no line; {words} do", file=path, line=number)
    return Step(word, rest, number)
