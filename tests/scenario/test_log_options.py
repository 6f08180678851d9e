"""What goes to which text log: the options of ec_logger and bounce_logger, one logger for each."""

import re
from pathlib import Path

import pytest

from helpers.outlook import Outlook

SINK = """
at rcpt to busy@* first 1 reply 451 4.2.1 later
at rcpt to gone@* reply 550 5.1.1 no user
"""
KINDS = {
    "log_receptions": "R",
    "log_deliveries": "D",
    "log_transient_failures": "T",
    "log_permanent_failures": "P",
}
OTHERS = 'rejectlog = "" paniclog = "" heartbeat = 0'
CONFIG = "\n".join(
    [
        'relay_hosts = ( )\nrelay_domains = ( "a.test" )\ngenerate_bounces = false',
        *(f'ec_logger "{each}" {{ mainlog = "{each}" {each} = false {OTHERS} }}' for each in KINDS),
        """
        ec_logger "modes" {
          mainlog = "elsewhere/main" mainlog_mode = 0600
          rejectlog = "elsewhere/reject" rejectlog_mode = 0620
          paniclog = "elsewhere/panic" paniclog_mode = 0602
        }
        ec_logger "kind" {
          mainlog = "" rejectlog = "no_rejections" paniclog = ""
          log_rejections = false heartbeat = 1
        }
        ec_logger "off" {
          enabled = false
          mainlog = "off" rejectlog = "off" paniclog = "off"
        }
        bounce_logger "modes" { bouncelog = "file://{folder}/bounces" bouncelog_mode = 0606 }
        """,
    ]
)


@pytest.mark.effect(
    "ec_logger.enabled",
    "ec_logger.log_deliveries",
    "ec_logger.log_permanent_failures",
    "ec_logger.log_receptions",
    "ec_logger.log_rejections",
    "ec_logger.log_transient_failures",
    "ec_logger.mainlog",
    "ec_logger.mainlog_mode",
    "ec_logger.paniclog",
    "ec_logger.paniclog_mode",
    "ec_logger.rejectlog",
    "ec_logger.rejectlog_mode",
    "bounce_logger.bouncelog",
    "bounce_logger.bouncelog_mode",
)
async def test_each_logger_writes_what_its_options_say_where_they_say(tmp_path: Path) -> None:
    config = CONFIG.replace("{folder}", str(tmp_path))
    async with Outlook(tmp_path, config, "* A 127.0.0.1", SINK) as world:
        for name in ("well", "busy", "gone"):
            await world.mail(f"{name}@a.test")
        assert (await world.send("me@b.test", ["b@no.test"], b"")).startswith("550 5.7.1")
        await world.records("mainlog", "D", count=2)
        await world.logged("rejectlog", "no[.]test")
        kept = world.state / "no_rejections"
        await world.until(lambda: kept.exists() and "Marker" in kept.read_text(), "a heartbeat")

        def kinds(path: Path) -> set[str]:
            return {line.split("@")[4] for line in path.read_text().splitlines()} - {"M"}

        assert kinds(world.logs / "mainlog.ec") == set(KINDS.values())
        for option, left_out in KINDS.items():
            assert kinds(world.state / option) == set(KINDS.values()) - {left_out}
        assert "no.test" not in kept.read_text()
        assert not (world.state / "off").exists()
        elsewhere = world.state / "elsewhere"
        assert kinds(elsewhere / "main") == set(KINDS.values())
        assert "no.test" in (elsewhere / "reject").read_text()
        assert re.search("Milestone: .* started", (elsewhere / "panic").read_text())
        assert "@B@gone@a.test@" in (tmp_path / "bounces").read_text()
        modes = [*(elsewhere / each for each in ("main", "reject", "panic")), tmp_path / "bounces"]
        # Whatever the server's umask is.
        assert [path.stat().st_mode & 0o777 for path in modes] == [0o600, 0o620, 0o602, 0o606]
