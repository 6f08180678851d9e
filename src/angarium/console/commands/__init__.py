"""The commands of the console, a file for each topic, named for their first word."""
