"""A connection to which somebody listens writes what any other does."""

from angarium.outbound.traced import Heard


class Transport:
    def __init__(self) -> None:
        self.written = b""
        self.abort = self.close = self.set_write_buffer_limits = self.get_extra_info = None

    def writelines(self, pieces: list[bytes]) -> None:
        self.written += b"".join(pieces)


class Ear:
    def __init__(self) -> None:
        self.heard = b""

    def client(self, octets: bytes) -> None:
        self.heard += octets


def test_all_that_is_written_is_heard_even_of_an_iterator() -> None:
    transport, ear = Transport(), Ear()
    heard = Heard(transport, ear)  # type: ignore[arg-type]
    heard.writelines(iter([b"MAIL ", b"FROM"]))
    assert transport.written == ear.heard == b"MAIL FROM"
