"""One server, many loggers: every kind of destination, and every layout of lines."""

import contextlib
import os
import re
import signal
import socket
from functools import partial
from pathlib import Path

import pytest

from angarium.events.jlog import Jlog, Place
from helpers.outlook import Outlook

SINK = """
at rcpt to busy@* first 1 reply 451 4.2.1 later
at rcpt to gone@* reply 550 5.1.1 no user
"""
ID = r"[0-9A-F]{2}/[0-9A-F]{2}-[0-9A-F]{5}-[0-9A-F]{8}"
CONFIG = """
relay_hosts = ( )
relay_domains = ( "a.test" )
generate_bounces = false
syslog_io { ident = "ours" default_facility = "local3" }
pipe_io { output_file = "said" error_file = "complaints" output_mode = 0620 error_mode = 0602 }

ec_logger "queue" {
  mainlog = "jlog://{folder}/queue=>reader"
  rejectlog = "" acctlog = "" heartbeat = 0
  paniclog = "syslog://{folder}/log?priority=crit"
}
ec_logger "cluster" { mainlog = "cluster://{folder}/cluster" rejectlog = "" acctlog = ""
  paniclog = "cluster://{folder}/panics" }
bounce_logger "system" { bouncelog = "syslog://{folder}/log?facility=mail" heartbeat = 0 }
bounce_logger "program" {
  bouncelog = "pipe:///bin/sh?arg1=-c&arg2={script}&env1=WHO%3Dme&clear_env=1" heartbeat = 0
}
custom_logger "files" {
  mainlog = "custom" mainlog_mode = 0604
  reception_format = "%t@%i@%BI@%CI@R@%r@%R@%m@%M@%H@%B@%p@%g@%b@%OC@%P"
  delivery_format = "%t{%Y}@%i@%CI@%OC@D@%d@%B@%g@%b@%N@%T{3}@%H@%n@%p"
  transient_failure_format = "%C@%c@%S@%s" transient_failure_logfile = "later"
  transient_failure_log_mode = 0606
  permanent_failure_format = "%C@%c@%S@%s@%n" permanent_failure_logfile = "failed"
  permanent_failure_log_mode = 0640
  rejection_format = "%p @ %s @ %BI @ %m @ %M @ %r @ %R @ %i @ %n @ %vctx_mess{mailfrom_string}"
  rejection_logfile = "refused" rejection_log_mode = 0644
  sanitize = "tr/ /_/"
}
custom_bounce_logger "own" {
  bouncelog = "own" bouncelog_mode = 0644 user_string = "%n by %{vctx_mess:nobody}%b" heartbeat = 0
}
exim_logger "e" { mainlog = "exim" log_transient_failures = false }
postfix_logger "p" { mainlog = "postfix" paniclog = "postfix.err" }
sendmail_logger "s" { mainlog = "sendmail" }
"""
SCRIPT = "echo%20%24WHO%20%24HOME%20sees%3Bread%20line%3Becho%20%22%24line%22%3Becho%20no%20%3E%262"


class Daemon:
    """Takes what is sent to a system log."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._socket.bind(str(path))
        self.lines: list[str] = []

    def take(self) -> list[str]:
        with contextlib.suppress(BlockingIOError):
            while True:
                self.lines.append(self._socket.recv(65536).decode())
        return self.lines

    def close(self) -> None:
        self._socket.close()


def text(path: Path) -> str:
    return path.read_text() if path.exists() else ""


def messages(path: Path) -> list[str]:
    return [message.decode() for _, message in Jlog(path).read(Place(0, 0))]


@pytest.mark.effect(
    "syslog_io.ident",
    "syslog_io.default_facility",
    "pipe_io.output_file",
    "pipe_io.output_mode",
    "pipe_io.error_file",
    "pipe_io.error_mode",
    "custom_logger.enabled",
    "custom_logger.mainlog",
    "custom_logger.mainlog_mode",
    "custom_logger.reception_format",
    "custom_logger.delivery_format",
    "custom_logger.transient_failure_format",
    "custom_logger.transient_failure_logfile",
    "custom_logger.transient_failure_log_mode",
    "custom_logger.permanent_failure_format",
    "custom_logger.permanent_failure_logfile",
    "custom_logger.permanent_failure_log_mode",
    "custom_logger.rejection_format",
    "custom_logger.rejection_logfile",
    "custom_logger.rejection_log_mode",
    "custom_logger.sanitize",
    "custom_bounce_logger.enabled",
    "custom_bounce_logger.bouncelog",
    "custom_bounce_logger.bouncelog_mode",
    "custom_bounce_logger.user_string",
    "exim_logger.enabled",
    "exim_logger.mainlog",
    "exim_logger.log_transient_failures",
    "postfix_logger.enabled",
    "postfix_logger.mainlog",
    "postfix_logger.paniclog",
    "sendmail_logger.enabled",
    "sendmail_logger.mainlog",
)
async def test_each_logger_writes_its_own_lines_to_its_own_place(tmp_path: Path) -> None:
    config = CONFIG.replace("{folder}", str(tmp_path)).replace("{script}", SCRIPT)
    with contextlib.closing(Daemon(tmp_path / "log")) as daemon:
        await _all_of_them(tmp_path, config, daemon)


async def _all_of_them(tmp_path: Path, config: str, daemon: Daemon) -> None:
    async with Outlook(tmp_path, config, "* A 127.0.0.1", SINK) as world:
        state = world.state
        for name in ("well", "busy", "gone"):
            await world.mail(f"{name}@a.test", sender="me@b.test")
        assert (await world.send("me@b.test", ["b@no.test"], b"")).startswith("550 5.7.1")
        await world.until(lambda: text(state / "custom").count("@D@") == 2, "the deliveries")
        await world.until(lambda: "no.test" in text(state / "refused"), "the refusal")
        await world.until(lambda: len(messages(tmp_path / "queue")) == 7, "the jlog")
        await world.until(lambda: "sees" in text(state / "said"), "the program's answer")
        _custom_lines(state)
        mainlog = messages(tmp_path / "queue")
        assert sorted(line.split("@")[4] for line in mainlog) == sorted("RRRTDDP")
        assert Jlog(tmp_path / "queue").subscribers() == {"reader": Place(0, 0)}
        assert Jlog(tmp_path / "cluster").subscribers() == {"master": Place(0, 0)}
        # A program gets what it is given, and no more.
        assert text(state / "said").splitlines()[0] == "me sees"
        assert re.search(r"@[TB]@", text(state / "said"))
        assert "no" in text(state / "complaints")
        assert (state / "said").stat().st_mode & 0o777 == 0o620
        assert (state / "complaints").stat().st_mode & 0o777 == 0o602
        await world.until(lambda: len(daemon.take()) >= 3, "lines in the system log")
        start = r"<%d>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d ours\[\d+\]: "
        told = [line for line in daemon.lines if re.match(start % (2 * 8 + 3), line)]
        assert sorted(line.split("@")[4] for line in told) == ["B", "T"]
        # Its faults too, with the facility that was said to be the default one.
        assert any(re.match(start % (19 * 8 + 2), line) for line in daemon.lines)
        assert any("Milestone" in line for line in messages(tmp_path / "panics"))
        assert "Milestone" in text(state / "postfix.err")


def _custom_lines(state: Path) -> None:
    lines = text(state / "custom").splitlines()
    received = rf"\d{{10}}@{ID}@{ID}@{ID}@R@\w+@a[.]test@me@b[.]test@127[.]0[.]0[.]1@\d+@esmtp"
    assert sum(bool(re.fullmatch(rf"{received}@default@default@@\w*", line)) for line in lines) == 3
    delivered = rf"20\d\d@{ID}@({ID})@({ID})@D@a[.]test@\d+@default@default@[01]@\d+[.]\d{{3}}"
    found = [re.fullmatch(rf"{delivered}@127[.]0[.]0[.]1@250_.*@esmtp", line) for line in lines]
    ways = [each.groups() for each in found if each]
    assert len(ways) == 2
    inward = {line.split("@")[3] for line in lines if "@R@" in line}
    assert {each[0] for each in ways} <= inward
    assert inward.isdisjoint({each[1] for each in ways})
    assert text(state / "later") == "70@Transient Failure@5@after RCPT TO\n"
    assert text(state / "failed") == "10@Invalid Recipient@5@after RCPT TO@550_5.1.1_no_user\n"
    nobody = "00/00-00000-00000000"
    assert re.fullmatch(
        rf"unknown @  @ {nobody} @ me @ b[.]test @ b @ no[.]test @ {nobody} @ relaying_denied"
        r" @ MAIL_FROM:<me@b[.]test>",
        text(state / "refused").splitlines()[0],
    )
    modes = {
        name: (state / name).stat().st_mode & 0o777
        for name in ("custom", "later", "failed", "refused", "own")
    }
    assert modes == {
        "custom": 0o604, "later": 0o606, "failed": 0o640, "refused": 0o644, "own": 0o644,
    }  # fmt: skip
    own = text(state / "own").splitlines()
    assert sorted(line.split("@")[4] for line in own) == ["B", "T"]
    assert all(re.search(r"@(\d{3}) .*@\1 .* by default$", line) for line in own)
    exim = text(state / "exim")
    assert (exim.count(" <= "), exim.count(" => "), exim.count(" ** ")) == (3, 2, 1)
    assert exim.count(" == ") == 0
    postfix = text(state / "postfix")
    for status, count in (("sent", 2), ("deferred", 1), ("bounced", 1)):
        assert postfix.count(f"status={status} (") == count
    assert postfix.count("NOQUEUE: reject: RCPT from unknown[127.0.0.1]: 550 5") == 1
    sendmail = text(state / "sendmail")
    assert (sendmail.count("stat=Sent"), sendmail.count("stat=User unknown")) == (2, 1)
    assert sendmail.count("reject=550") == 1


async def test_a_program_which_hangs_holds_back_its_own_log_only(tmp_path: Path) -> None:
    config = 'bounce_logger "hangs" { bouncelog = "pipe:///bin/sleep?arg1=1000" heartbeat = 0 }'
    long = "x" * 400
    sink = f"at rcpt to gone@* reply 550 5.1.1 {long}"
    async with Outlook(tmp_path, f"generate_bounces = false\n{config}", "* A 127.0.0.1", sink) as w:
        for _ in range(10):
            recipients = ["gone@a.test"] * 40
            assert (await w.send("me@b.test", recipients, b"Subject: x\r\n\r\nx\r\n")).startswith(
                "250"
            )
        await w.records("mainlog", "P", count=400)
        # Its place is behind what a pipe takes, and a reload which has it no more forgets it.
        hose = w.state / "hose"
        assert (hose / "logs.bounce_logger.hangs").is_dir()
        await w.reload("generate_bounces = false")
        await w.until(lambda: not (hose / "logs.bounce_logger.hangs").exists(), "its place to go")


async def test_loggers_come_change_and_go_with_a_reload(tmp_path: Path) -> None:
    def logger(form: str, path: str) -> str:
        return f'custom_logger "one" {{ mainlog = "{path}" reception_format = "{form}" }}'

    first = logger("a %r", "first")
    second = logger("b %r", f"jlog://{tmp_path}/second=>me")
    program = f'pipe:///bin/cat" }} pipe_io {{ output_file = "{tmp_path}/third"'
    third = 'custom_logger "two" { reception_format = "c %r" mainlog = "' + program + " }"
    async with Outlook(tmp_path, first, "* A 127.0.0.1") as world:
        state = world.state
        await world.mail("one@a.test")
        await world.until(lambda: text(state / "first") == "a one\n", "the first log")
        for after in (second, third):
            await world.reload(after)
            await world.mail("two@a.test" if after is second else "three@a.test")
            if after is second:
                await world.until(
                    lambda: (
                        (tmp_path / "second").exists()
                        and messages(tmp_path / "second") == ["b two\n"]
                    ),
                    "the second log",
                )
        await world.until(lambda: text(tmp_path / "third") == "c three\n", "the third log")
        assert text(state / "first") == "a one\n"
        assert messages(tmp_path / "second") == ["b two\n"]


def _ended(world: Outlook, pid: int) -> bool:
    return pid not in world.pids("hose")


async def test_a_hose_which_is_killed_loses_no_line_and_repeats_none_of_a_jlog(
    tmp_path: Path,
) -> None:
    config = f"""
    pipe_io {{ output_file = "program" }}
    custom_logger "queue" {{ mainlog = "jlog://{tmp_path}/queue" reception_format = "%r" }}
    custom_logger "program" {{ mainlog = "pipe:///bin/cat" reception_format = "%r" }}
    """
    async with Outlook(tmp_path, config, "* A 127.0.0.1") as world:
        sent = 0
        for _ in range(3):
            await world.until(lambda: world.pids("hose"), "a hose")
            [pid] = world.pids("hose")
            for _ in range(10):
                await world.mail(f"u{sent}@a.test")
                sent += 1
            os.kill(pid, signal.SIGKILL)
            await world.until(partial(_ended, world, pid), "its end")
        wanted = {f"u{number}\n" for number in range(sent)}
        queue = tmp_path / "queue"
        await world.until(lambda: queue.exists() and len(messages(queue)) >= sent, "the queue")
        program = world.state / "program"
        await world.until(lambda: set(text(program).splitlines(True)) >= wanted, "the program")
        assert sorted(messages(queue)) == sorted(wanted)
