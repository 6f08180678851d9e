"""What a configuration says to the spool, as plain values."""

from pathlib import Path

from angarium.config.resolve import Configuration
from angarium.queue.spool.means import Settings
from angarium.queue.spool.options import Spooling
from angarium.run.hose import loggers_of


def settings_of(configuration: Configuration, state: Path) -> Settings:
    """Return the settings of a generation.

    Raises:
        Error: a log has a destination of a kind we do not have.
    """
    options = configuration.top(Spooling)
    logs = [log.folder for logger in loggers_of(configuration, state) for log in logger.logs]
    return Settings(
        force_fsync=options.force_fsync,
        segment=options.spool_segment_size,
        reserve=options.spool_reserve,
        sync_seconds=options.state_sync_interval,
        checkpoint_seconds=options.checkpoint_interval,
        retention_seconds=options.event_retention,
        retention_octets=options.event_retention_size,
        space_low=options.spool_space_low,
        inodes_low=options.spool_inodes_low,
        log_folders=tuple(sorted({str(folder) for folder in logs if folder is not None})),
        log_space_low=options.log_space_low,
        log_inodes_low=options.log_inodes_low,
    )
