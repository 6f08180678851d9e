"""A name server for benchmarks: every name is a domain with one host of its own, on loopback.

python -m benchmarks.names PORT [FILE]   MX of d17.sink.test: mx.d17.sink.test; its A: 127.1.0.17

FILE has the texts (TXT) which some names have, in lines: a name, a blank, a text.
"""

import re
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Final, Self

MX: Final = 15
A: Final = 1
TXT: Final = 16
_NUMBER: Final = re.compile(rb"(\d+)")
_HEAD: Final = b"\x85\x80\0\1\0\1\0\0\0\0"  # an answer, authoritative, of one record
_EMPTY: Final = b"\x85\x80\0\1\0\0\0\0\0\0"
_RECORD: Final = b"\xc0\x0c\0%c\0\1\0\0\x0e\x10\0%c"  # of the name asked for, for an hour


def answer(question: bytes, texts: Mapping[bytes, bytes]) -> bytes:
    """Return the answer to a message with one question.

    Args:
        texts: by the names as they stand in a question, in lower case.
    """
    end = question.index(b"\0", 12) + 5
    kind = question[end - 3]
    if kind == MX:
        record = _RECORD % (MX, 7) + b"\0\x0a\2mx\xc0\x0c"
    elif kind == A:
        found = _NUMBER.search(question, 12, end)
        number = int(found[1]) if found else 1
        address = bytes((127, 1 + (number >> 16), number >> 8 & 255, number & 255))
        record = _RECORD % (A, 4) + address
    elif kind == TXT and (text := texts.get(question[12 : end - 4].lower())):
        parts = [text[at : at + 255] for at in range(0, len(text), 255)]
        data = b"".join([bytes((len(part),)) + part for part in parts])
        record = b"\xc0\x0c\0\x10\0\1\0\0\x0e\x10" + len(data).to_bytes(2) + data
    else:
        return question[:2] + _EMPTY + question[12:end]
    return question[:2] + _HEAD + question[12:end] + record


def read(path: str) -> dict[bytes, bytes]:
    """Return the texts of a file."""
    texts = {}
    for line in Path(path).read_bytes().splitlines():
        name, _, text = line.partition(b" ")
        labels = [bytes((len(label),)) + label for label in name.lower().split(b".")]
        texts[b"".join(labels) + b"\0"] = text
    return texts


class Names:
    """The server in a process of its own."""

    def __init__(self, port: int, texts: Path | None = None) -> None:
        self.port = port
        self.texts = texts

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", "benchmarks.names", str(self.port)]
        command += [str(self.texts)] if self.texts else []
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE)
        assert self._process.stdout is not None
        self._process.stdout.readline()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.kill()
        self._process.wait()


def main() -> None:
    texts = read(sys.argv[2]) if len(sys.argv) > 2 else {}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        sock.bind(("127.0.0.1", int(sys.argv[1])))
        print("ready", flush=True)
        while True:
            question, peer = sock.recvfrom(512)
            sock.sendto(answer(question, texts), peer)


if __name__ == "__main__":
    main()
