"""What waits: on disk (`spool/`) and in memory, and when its turn comes.

First `admit` (every way in ends there), then `board` (all lines), `line` and `entry`.
"""
