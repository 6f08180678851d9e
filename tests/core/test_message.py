from angarium.core.body import MemoryBody
from angarium.core.message import Message


def test_what_we_add_in_front_counts_for_the_size() -> None:
    message = Message("a@b.example", MemoryBody(b"text\r\n"), header=b"Received: x\r\n")
    assert message.size == 19
