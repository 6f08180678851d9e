"""The settings of a spool."""

from angarium.queue.spool.means import Settings
from angarium.queue.spool.options import Spooling


def test_the_defaults_are_those_of_the_options() -> None:
    """So that a tool which makes a spool without a configuration makes the same one."""
    options, settings = Spooling.make(), Settings()
    assert settings.force_fsync == options.force_fsync
    assert settings.segment == options.spool_segment_size
    assert settings.reserve == options.spool_reserve
    assert settings.sync_seconds == options.state_sync_interval
    assert settings.checkpoint_seconds == options.checkpoint_interval
    assert settings.retention_seconds == options.event_retention
    assert settings.retention_octets == options.event_retention_size
    assert (settings.space_low, settings.inodes_low) == (
        options.spool_space_low, options.spool_inodes_low,
    )  # fmt: skip
    assert (settings.log_space_low, settings.log_inodes_low) == (
        options.log_space_low, options.log_inodes_low,
    )  # fmt: skip
