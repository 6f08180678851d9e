"""Loggers: from events to text logs. First `logfile` (the file), then `ec_logger` (what is in it).

They run in the hose, which reads the event streams of all workers.
"""
