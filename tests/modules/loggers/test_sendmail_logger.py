"""sendmail_logger: the lines of Sendmail."""

import os
import re
from pathlib import Path

import pytest

from angarium.modules.loggers.options.formats import SendmailLogger
from angarium.modules.loggers.sendmail_logger import Logger, elapsed, paniclog
from helpers.mtas import wrote


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.4, "00:00:00"), (-5.0, "00:00:00"), (3661.0, "01:01:01"), (90061.0, "1+01:01:01")],
)
def test_a_duration_has_days_where_there_are_some(seconds: float, text: str) -> None:
    assert elapsed(seconds) == text


def test_the_lines(tmp_path: Path) -> None:
    lines = wrote(Logger, SendmailLogger.make(mainlog="log"), tmp_path)
    head = rf"[A-Z][a-z]{{2}} [ \d]\d \d\d:\d\d:\d\d \S+ sendmail\[{os.getpid()}\]: "
    said = [re.sub(head, "", line) for line in lines]
    one, two, three, four, five = (f"{number:016x}" for number in range(1, 6))
    tried = "xdelay=00:00:00, mailer=esmtp, pri=30010"
    assert said[0] == (
        f"{one}: from=<info@example.org>, size=10, class=0, nrcpts=1, proto=ESMTP, daemon=MTA,"
        " relay=[198.51.100.7]"
    )
    assert said[4:] == [
        f"{five}: from=<>, size=10, class=0, nrcpts=1, proto=ESMTP, daemon=MTA,"
        " relay=angarium@localhost",
        f"{one}: to=<bob@example.com>, delay=00:00:01, {tried}, relay=[192.0.2.1], dsn=4.2.1,"
        " stat=Deferred: 451 4.2.1 later",
        f"{one}: to=<bob@example.com>, delay=00:01:30, {tried}, relay=[192.0.2.1], dsn=2.1.5,"
        ' stat=Sent (250 2.1.5 it\'s "ours")',
        f"{two}: to=<bob@example.com>, delay=00:00:02, {tried}, relay=[192.0.2.1], dsn=5.1.1,"
        " stat=User unknown",
        f"{three}: to=<bob@example.com>, delay=1+01:00:00, {tried}, dsn=5.4.7,"
        " stat=Service unavailable: 554 5.4.7 old",
        f"{four}: to=<bob@example.com>, delay=00:00:03, {tried}, dsn=5.0.0,"
        " stat=Service unavailable: 550 by us",
        f"{five}: to=<bob@example.com>, discarded: 550 not wanted",
        "0000000000000007: ruleset=check_rcpt, arg1=<x@y.test>, relay=[192.0.2.9],"
        " reject=550 relaying denied",
        "0000000000000007: ruleset=check_mail, arg1=<a@b.test>, relay=[192.0.2.9],"
        " reject=550 5.1.8 no such sender",
        r"0000000000000007: ruleset=check_relay, arg1=[192.0.2.9], relay=[192.0.2.9],"
        r" reject=550 go\naway",
    ]


@pytest.mark.effect("sendmail_logger.paniclog")
def test_its_paniclog_is_where_it_says(tmp_path: Path) -> None:
    assert paniclog(SendmailLogger.make(paniclog="p")) == ("p", 0o644)
    assert wrote(Logger, SendmailLogger.make(), tmp_path) == []
