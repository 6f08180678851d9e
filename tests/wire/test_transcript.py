"""What is said is shown line by line; contents and secrets are not."""

from hypothesis import given
from hypothesis import strategies as st

from angarium.wire.transcript import HIDDEN, MAX_LINE, Transcript, shown


def test_lines_of_both_sides_are_shown() -> None:
    transcript = Transcript()
    assert transcript.server(b"220 a.test ES") == []
    assert transcript.server(b"MTP\r\n") == ["S: 220 a.test ESMTP"]
    assert transcript.client(b"EHLO b.test\r\nNOOP\r\n") == ["C: EHLO b.test", "C: NOOP"]


def test_a_content_is_told_by_its_size() -> None:
    transcript = Transcript()
    transcript.client(b"DATA\r\n")
    transcript.server(b"354 go on\r\n")
    assert transcript.client(b"Subject: x\r\n\r\nhi\r\n.\r") == []
    assert transcript.client(b"\nQUIT\r\n") == ["C: (21 octets of content)", "C: QUIT"]


def test_an_empty_content_ends_with_its_dot() -> None:
    transcript = Transcript()
    transcript.server(b"354 go on\r\n")
    assert transcript.client(b".\r\nQUIT\r\n") == ["C: (3 octets of content)", "C: QUIT"]


def test_chunks_are_told_by_their_size() -> None:
    transcript = Transcript()
    said = transcript.client(b"BDAT 5 LAST\r\nQUIT\nQUIT\r\n")
    assert said == ["C: BDAT 5 LAST", "C: (5 octets of content)", "C: QUIT"]


def test_what_follows_auth_is_hidden_until_it_is_answered() -> None:
    transcript = Transcript()
    assert transcript.client(b"AUTH PLAIN secret\r\n") == [f"C: AUTH PLAIN {HIDDEN}"]
    transcript.server(b"535 5.7.8 no\r\n")
    assert transcript.client(b"auth login\r\n") == ["C: auth login"]
    assert transcript.server(b"334 VXNlcm5hbWU6\r\n") == ["S: 334 VXNlcm5hbWU6"]
    assert transcript.client(b"secret\r\n") == [f"C: {HIDDEN}"]
    assert transcript.server(b"334 UGFzc3dvcmQ6\r\n") == ["S: 334 UGFzc3dvcmQ6"]
    assert transcript.client(b"secret\r\n") == [f"C: {HIDDEN}"]
    transcript.server(b"235 welcome\r\n")
    assert transcript.client(b"RSET\r\n") == ["C: RSET"]


def test_nothing_acts_upon_a_terminal_and_long_lines_are_cut() -> None:
    assert shown(b"a\x1b[2Jb\r") == "a?[2Jb"
    assert shown(b"x" * 2000) == "x" * MAX_LINE + "..."


@given(st.lists(st.binary(max_size=40)), st.lists(st.binary(max_size=40)))
def test_whatever_is_said_each_line_is_whole(ours: list[bytes], theirs: list[bytes]) -> None:
    transcript = Transcript()
    for client, server in zip(ours, theirs, strict=False):
        for line in (*transcript.client(client), *transcript.server(server)):
            assert line[:3] in ("C: ", "S: ")
            assert "\n" not in line


@given(st.binary(max_size=200), st.integers(1, 7))
def test_pieces_say_the_same_as_the_whole(octets: bytes, size: int) -> None:
    whole, pieces = Transcript(), Transcript()
    said = [
        line for at in range(0, len(octets), size) for line in pieces.client(octets[at : at + size])
    ]
    assert said == whole.client(octets)
