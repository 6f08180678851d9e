"""Operations: commands of the console, written once.

First `command` (how one is declared), then `session` (who asks, and what he has begun), then
`commands/`, a file for each topic.
"""
