"""A receive buffer: append, find, take, each octet touched a bounded number of times."""


class Buffer:
    """Octets received and not yet understood.

    `find_line` remembers how far it has looked, so a peer that sends a long line octet by octet
    costs linear time.
    """

    __slots__ = ("_data", "_searched", "_start")

    def __init__(self) -> None:
        self._data = b""
        self._start = 0
        self._searched = 0

    def __len__(self) -> int:
        return len(self._data) - self._start

    def append(self, data: bytes) -> None:
        if self._start == len(self._data):
            self._data = data
        else:
            self._data = self._data[self._start :] + data
            self._searched -= self._start
            self._start = 0
            return
        self._start = self._searched = 0

    def take_line(self) -> bytes | None:
        """Take a line and return it without its CRLF; None if no whole line is there."""
        end = self._data.find(b"\r\n", max(self._searched, self._start))
        if end < 0:
            # The last octet may be the CR of a CRLF still to come.
            self._searched = max(self._start, len(self._data) - 1)
            return None
        line = self._data[self._start : end]
        self._start = self._searched = end + 2
        return line

    def take(self, count: int) -> bytes:
        """Take at most `count` octets."""
        piece = self._data[self._start : self._start + count]
        self._start = self._searched = self._start + len(piece)
        return piece

    def take_all(self) -> bytes:
        data = self._data[self._start :] if self._start else self._data
        self.clear()
        return data

    def push_back(self, data: bytes) -> None:
        """Put octets back in front of what is left."""
        self._data = data + self._data[self._start :]
        self._start = self._searched = 0

    def clear(self) -> None:
        self._data = b""
        self._start = self._searched = 0
