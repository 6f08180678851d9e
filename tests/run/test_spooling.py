"""What the spool is told of a configuration."""

from pathlib import Path

from angarium.config.load import load_text
from angarium.queue.spool.means import Settings
from angarium.run.spooling import settings_of


def test_an_empty_configuration_gives_the_defaults() -> None:
    assert settings_of(load_text(""), Path("/state")) == Settings()


def test_every_option_arrives() -> None:
    text = """
    force_fsync = false
    spool_segment_size = 2M
    spool_reserve = 3M
    state_sync_interval = 4
    checkpoint_interval = 5
    event_retention = 600
    event_retention_size = 7M
    spool_space_low = 8
    spool_inodes_low = 9
    log_space_low = 10
    log_inodes_low = 11
    """
    settings = settings_of(load_text(text), Path("/state"))
    assert settings == Settings(
        force_fsync=False,
        segment=2 << 20,
        reserve=3 << 20,
        sync_seconds=4.0,
        checkpoint_seconds=5.0,
        retention_seconds=600.0,
        retention_octets=7 << 20,
        space_low=8,
        inodes_low=9,
        log_space_low=10,
        log_inodes_low=11,
    )


def test_the_folders_of_all_logs_which_are_written_are_watched() -> None:
    text = """
    ec_logger "one" { mainlog = "log/main" rejectlog = "/var/log/a/reject" paniclog = "log/panic" }
    bounce_logger "two" { bouncelog = "file:///var/log/b/bounce" }
    bounce_logger "off" { enabled = false bouncelog = "/nowhere/bounce" }
    """
    folders = settings_of(load_text(text), Path("/state")).log_folders
    assert folders == ("/state/log", "/var/log/a", "/var/log/b")
