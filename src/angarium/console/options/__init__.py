"""The options of the console: who may give which commands."""
