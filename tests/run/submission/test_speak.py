"""SMTP on standard input and output."""

import os
import socket
import threading
from pathlib import Path

from angarium.run.submission.speak import AWAY, speak
from helpers.mailhost import MailHost

SESSION = b"EHLO me\r\nMAIL FROM:<a@x.test>\r\nRCPT TO:<b@x.test>\r\nDATA\r\nhi\r\n.\r\nQUIT\r\n"


def spoken(place: tuple[str, int], source: int) -> tuple[bool, bytes]:
    readable, writable = os.pipe()
    try:
        done = speak(place, source, writable)
    finally:
        os.close(writable)
    with open(readable, "rb") as file:
        return done, file.read()


def test_a_session_from_a_pipe_or_a_file(tmp_path: Path) -> None:
    with MailHost() as host:
        readable, writable = os.pipe()
        os.write(writable, SESSION)
        os.close(writable)
        done, said = spoken(("127.0.0.1", host.port), readable)
        os.close(readable)
        assert done
        assert said.startswith(b"220 mailhost\r\n")
        assert said.endswith(b"221 bye\r\n")
        (tmp_path / "session").write_bytes(SESSION)
        with (tmp_path / "session").open("rb") as file:
            assert spoken(("127.0.0.1", host.port), file.fileno())[0]
    assert [mail[2] for mail in host.mails] == [b"hi\r\n"] * 2


def hang_up(listening: socket.socket) -> None:
    listening.accept()[0].close()


def test_a_server_which_hangs_up_ends_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        readable, writable = os.pipe()  # nobody ever writes
        closing = threading.Thread(target=hang_up, args=(listening,))
        closing.start()
        assert spoken(listening.getsockname(), readable) == (True, b"")
        closing.join()
        os.close(readable)
        os.close(writable)


def test_a_server_which_is_away() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        place = listening.getsockname()
    assert spoken(place, 0) == (False, AWAY)
