"""Text logs read again: `run/programs/log_trace`."""
