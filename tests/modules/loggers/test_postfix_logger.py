"""postfix_logger: the lines of Postfix, and what a program which reads its log makes of them."""

import os
import re
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from angarium.modules.loggers.options.formats import PostfixLogger
from angarium.modules.loggers.postfix_logger import Logger, delay, identity, paniclog
from helpers.mtas import wrote


def test_ids_are_hexadecimal() -> None:
    assert identity(0xAB) == "00000000000000AB"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.0, "0"), (-1.0, "0"), (0.004, "0"), (0.13, "0.13"), (1.26, "1.3"), (86400.4, "86400")],
)
def test_a_delay_has_two_digits_which_matter(seconds: float, text: str) -> None:
    assert delay(seconds) == text


def test_the_lines(tmp_path: Path) -> None:
    lines = wrote(Logger, PostfixLogger.make(mainlog="log"), tmp_path)
    host = socket.gethostname().split(".")[0]
    when = r"[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d"
    head = rf"{when} {re.escape(host)} postfix/(\w+)\[{os.getpid()}\]: "
    matches = [re.match(head, line) for line in lines]
    said = [f"{m[1]} {line[m.end() :]}" for m, line in zip(matches, lines, strict=True) if m]
    one, two, three, four, five = (f"{number:016X}" for number in range(1, 6))
    relay = "relay=192.0.2.1[192.0.2.1]:25"
    assert said[:2] == [
        f"smtpd {one}: client=unknown[198.51.100.7]",
        f"qmgr {one}: from=<info@example.org>, size=10, nrcpt=1 (queue active)",
    ]
    assert said[8:] == [
        f"pickup {five}: uid={os.getuid()} from=<>",
        f"qmgr {five}: from=<>, size=10, nrcpt=1 (queue active)",
        f"smtp {one}: to=<bob@example.com>, {relay}, delay=1, delays=0/1/0/0, dsn=4.2.1,"
        " status=deferred (451 4.2.1 later)",
        f"smtp {one}: to=<bob@example.com>, {relay}, delay=90, delays=0/90/0/0, dsn=2.1.5,"
        ' status=sent (250 2.1.5 it\'s "ours")',
        f"qmgr {one}: removed",
        f"smtp {two}: to=<bob@example.com>, {relay}, delay=2, delays=0/2/0/0, dsn=5.1.1,"
        " status=bounced (550 5.1.1 no user)",
        f"qmgr {two}: removed",
        f"qmgr {three}: from=<info@example.org>, status=expired, returned to sender",
        f"qmgr {three}: removed",
        f"error {four}: to=<bob@example.com>, relay=none, delay=3, delays=0/3/0/0, dsn=5.0.0,"
        " status=bounced (550 by us)",
        f"qmgr {four}: removed",
        f"discard {five}: to=<bob@example.com>, relay=none, delay=1, delays=0/1/0/0, dsn=2.0.0,"
        " status=sent (550 not wanted)",
        f"qmgr {five}: removed",
        "smtpd NOQUEUE: reject: RCPT from unknown[192.0.2.9]: 550 5.0.0 <x@y.test>: relaying"
        " denied; from=<a@b.test> to=<x@y.test> proto=ESMTP helo=<c>",
        "smtpd NOQUEUE: reject: MAIL from unknown[192.0.2.9]: 550 5.1.8 no such sender;"
        " from=<a@b.test> proto=SMTP",
        r"smtpd NOQUEUE: reject: CONNECT from unknown[192.0.2.9]: 550 5.0.0 go\naway; proto=SMTP",
    ]


@pytest.mark.effect("postfix_logger.log_transient_failures")
def test_transient_failures_can_be_left_out(tmp_path: Path) -> None:
    options = PostfixLogger.make(mainlog="log", log_transient_failures=False)
    assert not [line for line in wrote(Logger, options, tmp_path) if "deferred" in line]


def test_its_paniclog_is_where_it_says() -> None:
    assert paniclog(PostfixLogger.make(paniclog="p")) == ("p", 0o644)


@pytest.mark.peer
def test_pflogsumm_counts_what_happened(tmp_path: Path, program: Callable[[str], str]) -> None:
    wrote(Logger, PostfixLogger.make(mainlog="log"), tmp_path)
    ended = subprocess.run(
        [program("pflogsumm"), str(tmp_path / "log")], capture_output=True, text=True, check=True
    )
    figures: dict[str, str] = {}
    for count, what in re.findall(r"^ +(\d+) +([a-z]+(?: [a-z]+)?)", ended.stdout, re.MULTILINE):
        figures.setdefault(what, count)
    wanted = {"received": "5", "delivered": "2", "deferred": "1", "bounced": "2", "rejected": "3"}
    assert {what: figures[what] for what in wanted} == wanted
