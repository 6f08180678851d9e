"""exim_logger: the lines of Exim, and what its own program makes of them."""

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from angarium.modules.loggers.exim_logger import Logger, identity, paniclog
from angarium.modules.loggers.options.formats import EximLogger
from helpers.mtas import wrote


def test_ids_look_like_those_of_exim_and_differ() -> None:
    assert identity(0) == "000000-000000-00"
    assert identity(61) == "000000-000000-0z"
    seen = {identity(number << shift) for number in range(1, 50) for shift in (0, 20, 40, 58)}
    assert all(re.fullmatch(r"\w{6}-\w{6}-\w{2}", each) for each in seen)
    assert len(seen) == len({n << s for n in range(1, 50) for s in (0, 20, 40, 58)})


def test_the_lines(tmp_path: Path) -> None:
    lines = [line[20:] for line in wrote(Logger, EximLogger.make(mainlog="log"), tmp_path)]
    one, two, three, four, five = (f"000000-000000-0{number}" for number in range(1, 6))
    way = "R=dnslookup T=remote_smtp"
    host = "H=[198.51.100.7]"
    assert lines[0] == f"{one} <= info@example.org {host} P=esmtp S=10 for bob@example.com"
    assert lines[4:] == [
        f"{five} <= <> U=angarium P=local S=10 for bob@example.com",
        f"{one} == bob@example.com {way} defer (0): 451 4.2.1 later",
        f"{one} => bob@example.com {way} H=[192.0.2.1] QT=90s C=\"250 2.1.5 it's 'ours'\"",
        f"{one} Completed",
        f"{two} ** bob@example.com {way} H=[192.0.2.1]: 550 5.1.1 no user",
        f"{two} Completed",
        f"{three} ** bob@example.com {way}: 554 5.4.7 old",
        f"{three} Completed",
        f"{four} ** bob@example.com {way}: 550 by us",
        f"{four} Completed",
        f"{five} => discarded (550 not wanted) <bob@example.com>",
        f"{five} Completed",
        "H=[192.0.2.9] F=<a@b.test> rejected RCPT <x@y.test>: relaying denied",
        "H=[192.0.2.9] rejected MAIL <a@b.test>: 5.1.8 no such sender",
        r"H=[192.0.2.9] rejected connection: go\naway",
    ]


def test_transient_failures_can_be_left_out(tmp_path: Path) -> None:
    options = EximLogger.make(mainlog="log", log_transient_failures=False)
    assert not [line for line in wrote(Logger, options, tmp_path) if " == " in line]


@pytest.mark.effect("exim_logger.paniclog")
def test_its_paniclog_is_where_it_says(tmp_path: Path) -> None:
    assert paniclog(EximLogger.make(paniclog="p")) == ("p", 0o644)
    assert wrote(Logger, EximLogger.make(), tmp_path) == []


@pytest.mark.peer
def test_eximstats_counts_what_happened(tmp_path: Path, program: Callable[[str], str]) -> None:
    path = tmp_path / "log"
    wrote(Logger, EximLogger.make(mainlog="log"), tmp_path)
    ended = subprocess.run(
        [program("eximstats"), "-txt", str(path)], capture_output=True, text=True, check=True
    )
    figures = {
        words[0]: words[1:]
        for line in ended.stdout.splitlines()
        if (words := line.split()) and words[0] in ("Received", "Delivered", "Rejects")
    }
    assert figures["Received"][:2] == ["50", "5"]
    # One by SMTP; what was discarded counts as delivered to nowhere, and as rejected.
    assert figures["Delivered"][1] == "2"
    assert figures["Rejects"][0] == "4"
    assert figures["Received"][-2:] == ["3", "60.0%"]
