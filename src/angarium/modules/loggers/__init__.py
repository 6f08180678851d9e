"""The loggers: ec_logger and bounce_logger; their text is made in `events/format`."""
