from angarium.core.body import MemoryBody


def test_a_body_is_read_any_number_of_times() -> None:
    body = MemoryBody(b"Subject: x\r\n", b"\r\ntext\r\n")
    assert body.size == 20
    assert b"".join(body.pieces()) == body.whole() == body.whole()


def test_a_body_of_one_piece_is_not_copied() -> None:
    octets = b"text\r\n" * 100
    assert MemoryBody(octets).whole() is octets


def test_its_octets_are_not_shown_in_a_log() -> None:
    assert repr(MemoryBody(b"secret")) == "<MemoryBody of 6 octets>"
