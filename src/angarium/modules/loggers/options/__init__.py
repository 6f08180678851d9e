"""The options of the loggers, by subject: `logs` are those which run, the rest is to come."""
