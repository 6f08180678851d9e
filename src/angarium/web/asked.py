"""One request by HTTP and what was answered, as logs have it.

Rule: **a line has its fields between spaces, whatever was asked for**: a path is printed as it
came, in percent form, so it has no space; a quotation mark in it is put into that form too.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Asked:
    """A request which was answered.

    Attributes:
        address: of the client; "" on a Unix socket.
        local: the listening socket, as it is configured.
        target: as it came, without the query.
        octets: of the answer, with its header.
        seconds: from the first octet of the request to the last of the answer.
    """

    address: str
    port: int
    local: str
    method: str
    target: str
    version: str
    status: int
    octets: int
    seconds: float

    def line(self, at: str) -> str:
        """Return the line of httplog; `at` is when it was asked."""
        return f"{at} {self._client} {self.local} {self._rest}"

    @property
    def fault(self) -> str:
        """Return what paniclog has of it, behind the time."""
        return f"{self.address or '-'} {self._rest}"

    @property
    def _client(self) -> str:
        if not self.address:
            return "-"
        return (
            f"[{self.address}]:{self.port}"
            if ":" in self.address
            else f"{self.address}:{self.port}"
        )

    @property
    def _rest(self) -> str:
        # As Momentum has it: a path without its first slash. There has to be something.
        path = (self.target.removeprefix("/") or "/").replace('"', "%22")
        return (
            f'"{self.method} {path} HTTP/{self.version}" '
            f"{self.status} {self.octets} {self.seconds * 1000:.3f}"
        )
