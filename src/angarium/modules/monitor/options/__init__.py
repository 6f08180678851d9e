"""The options of what watches the server, by subject."""
