"""A program which does nothing until a signal ends it."""

import signal

signal.pause()
