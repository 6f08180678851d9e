"""The command as programs call it: to a server, into the maildrop, and what enemies try.

With the real server: tests/scenario/test_sendmail.py.
"""

import os
import pwd
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from angarium.run.programs.sendmail import AGAIN, NO_MESSAGE, NOT_ALLOWED, OK, REFUSED, USAGE
from angarium.run.submission.settings import VARIABLE
from helpers.mailhost import MailHost
from helpers.tools import angarium

USER = pwd.getpwuid(os.getuid()).pw_name
HELLO = b"Subject: hi\nTo: a@x.test\n\nhello\n"

Run = Callable[..., tuple[int, str]]


@pytest.fixture
def call(tmp_path: Path) -> Run:
    """Run ec_sendmail as its callers do: words, standard input, in a directory of its own."""
    (tmp_path / "drop").mkdir()
    (tmp_path / "here").mkdir()

    def run(*words: str, port: int = 1, said: bytes = HELLO) -> tuple[int, str]:
        settings = tmp_path / "sendmail.conf"
        settings.write_text(
            f"server = 127.0.0.1:{port}\nmaildrop = {tmp_path}/drop\nhostname = h.test\n"
            "max_size = 5M\n"
        )
        done = subprocess.run(
            [sys.executable, "-m", "angarium.run.programs.sendmail", *words],
            input=said,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=os.environ | {VARIABLE: str(settings)},
            cwd=tmp_path / "here",
            check=False,
            timeout=30,
        )
        assert list((tmp_path / "here").iterdir()) == []
        return done.returncode, done.stdout.decode()

    return run


def waiting(tmp_path: Path) -> list[bytes]:
    return [each.read_bytes() for each in sorted((tmp_path / "drop").glob("mail.*"))]


def test_a_message_goes_to_the_server(call: Run, tmp_path: Path) -> None:
    with MailHost() as host:
        assert call("-i", "-F", "Me", "b@x.test", "local", port=host.port) == (OK, "")
    [(sender, to, octets)] = host.mails
    assert (sender, to) == (f"{USER}@h.test", ["b@x.test", "local@h.test"])
    assert octets.startswith(f"Received: by h.test (Angarium, from userid {os.getuid()})".encode())
    assert f"\r\nFrom: Me <{USER}@h.test>\r\n".encode() in octets
    assert b"\r\nDate: " in octets
    assert octets.endswith(b"Subject: hi\r\nTo: a@x.test\r\n\r\nhello\r\n")
    assert waiting(tmp_path) == []


def test_recipients_of_the_header_join_those_named_and_bcc_is_not_shown(call: Run) -> None:
    said = b"To: a@x.test\nCc: b@x.test\nBcc: secret@x.test\n\nhello\n"
    with MailHost() as host:
        assert call("-t", "c@x.test", port=host.port, said=said)[0] == OK
    [(_, to, octets)] = host.mails
    assert to == ["c@x.test", "a@x.test", "b@x.test", "secret@x.test"]
    assert b"secret" not in octets


def test_what_the_server_refuses_is_told(call: Run, tmp_path: Path) -> None:
    with MailHost({"RCPT TO:<no@": "550 5.1.1 nobody"}) as host:
        code, told = call("yes@x.test", "no@x.test", port=host.port)
        assert (code, told) == (REFUSED, "sendmail: no@x.test: 550 5.1.1 nobody\n")
        assert call("-oeq", "no@x.test", port=host.port) == (REFUSED, "")
    assert len(host.mails) == 1
    assert waiting(tmp_path) == []


def test_without_a_server_it_waits_and_is_sent_by_a_flush(call: Run, tmp_path: Path) -> None:
    assert call("a@x.test") == (OK, "")
    [left] = waiting(tmp_path)
    assert b"Received:" not in left
    assert "1 in the maildrop" in call("-bp")[1]
    code, told = call("-q")
    assert code == AGAIN
    assert "Connection refused" in told
    assert call("-q", "-oeq") == (AGAIN, "")
    with MailHost() as host:
        assert call("-q", "-v", port=host.port) == (OK, "1 sent, 0 wait, 0 put aside\n")
        assert call("-q", port=host.port) == (OK, "")
    assert len(host.mails) == 1
    assert call("-bp") == (OK, "the maildrop is empty\n")


def test_only_those_wait_whom_the_server_wants_later(call: Run, tmp_path: Path) -> None:
    with MailHost({"RCPT TO:<later@": "451 4.3.0 later"}) as host:
        assert call("a@x.test", "later@x.test", port=host.port)[0] == OK
    [left] = waiting(tmp_path)
    assert b'"recipients": ["later@x.test"]' in left


def test_without_server_and_maildrop_it_is_to_be_tried_again(call: Run, tmp_path: Path) -> None:
    (tmp_path / "drop").rmdir()
    code, told = call("a@x.test")
    assert code == AGAIN
    assert "there is no maildrop" in told
    assert call("-bp")[0] == NOT_ALLOWED


def test_a_sender_that_is_another_is_marked_unless_root_says_so(call: Run) -> None:
    with MailHost() as host:
        call("-f", "boss@x.test", "a@x.test", port=host.port)
        call("-f", "<>", "a@x.test", port=host.port)
        call("-f", USER, "a@x.test", port=host.port)
    assert [each[0] for each in host.mails] == ["boss@x.test", "", f"{USER}@h.test"]
    marked = [b"X-Authentication-Warning" in each[2] for each in host.mails]
    assert marked == ([False] * 3 if os.getuid() == 0 else [True, True, False])


@pytest.mark.parametrize(
    "words",
    [
        ["-f", "a@x.test\r\nRCPT TO:<evil@x.test>", "b@x.test"],
        ["-F", "Me\r\nBcc: evil@x.test", "b@x.test"],
        ["b@x.test\r\nDATA\r\n"],
        ["--settings=/tmp/x", "b@x.test"],
        ["--flush"],
        ["-bd"],
        [],
    ],
)
def test_injection_by_words_is_refused_before_anything_is_sent(
    call: Run, tmp_path: Path, words: list[str]
) -> None:
    with MailHost() as host:
        assert call(*words, port=host.port)[0] == USAGE
    assert host.commands == []
    assert waiting(tmp_path) == []


def test_injected_options_name_no_files(call: Run, tmp_path: Path) -> None:
    log = tmp_path / "log"
    with MailHost() as host:
        words = [f"-X{log}", f"-oQ{tmp_path}", "-C/etc/shadow", "-OQueueDirectory=/tmp"]
        assert call(*words, "a@x.test", port=host.port)[0] == OK
        assert call("-t", "--", f"-X{log}", port=host.port)[0] == OK
    assert host.mails[1][1] == [f"-X{log}@h.test", "a@x.test"]
    assert not log.exists()


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (b"To: <a@x.test\n\nx", NO_MESSAGE),
        (b"To: a b@x.test\n\nx", NO_MESSAGE),
        (b"Subject: none\n\nx", NO_MESSAGE),
        (b"To: a@x.test\n\n" + b"x" * (6 << 20), NO_MESSAGE),
        (b"To: a@x.test\n" + b"X: " + b"y" * (2 << 20), NO_MESSAGE),
        (b"To: " + b"a@x.test, " * 20_000 + b"\n\nx", OK),
        (b"To: " + b"(" * 100_000 + b"\n\nx", NO_MESSAGE),
        (b"To: a@x.test\n\n\0\xff\0\r\r\n", OK),
        (b"To: \xff@x.test\n\nx", NO_MESSAGE),
    ],
)
def test_hostile_input_is_taken_whole_or_not_at_all(call: Run, said: bytes, code: int) -> None:
    with MailHost() as host:
        assert call("-t", "-i", port=host.port, said=said)[0] == code
    assert len(host.mails) == (code == OK)


def test_octets_pass_and_dots_are_kept(call: Run) -> None:
    with MailHost() as host:
        call("-i", "a@x.test", port=host.port, said=b"A: 1\n\n.\n..x\n\xff\0\n")
    octets = host.mails[0][2]
    assert octets.endswith(b"A: 1\r\n\r\n..\r\n...x\r\n\xff\0\r\n")
    assert any("BODY=8BITMIME" in each for each in host.commands)


def test_smtp_on_standard_input(call: Run) -> None:
    said = b"EHLO x\r\nQUIT\r\n"
    with MailHost() as host:
        code, told = call("-bs", port=host.port, said=said)
    assert code == OK
    assert told.startswith("220 mailhost")
    assert call("-bs", said=said)[0] == AGAIN


def test_nothing_to_do_and_help(call: Run) -> None:
    assert call("-bi") == (OK, "")
    assert call("-h")[0] == OK
    assert call("-h", "a@x.test")[0] == USAGE
    assert call("-bv", "a@x.test", "b") == (
        OK, "a@x.test... is an address\nb@h.test... is an address\n",
    )  # fmt: skip


def test_our_own_options_stand_before_those_of_sendmail(tmp_path: Path) -> None:
    settings = tmp_path / "sendmail.conf"
    (tmp_path / "drop").mkdir()
    settings.write_text(f"server = 127.0.0.1:1\nmaildrop = {tmp_path}/drop\nhostname = h.test\n")
    code, told = angarium("sendmail", "--settings", settings, "--list")
    assert (code, told) == (OK, "the maildrop is empty\n")
    code, told = angarium("sendmail", f"--settings={settings}", "-bv", "--", "--flush")
    assert (code, told) == (OK, "--flush@h.test... is an address\n")
