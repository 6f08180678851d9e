"""Files which survive: records in segments, group commit, damage, cursors.

First `record` (what a record is), then `segment` (a file of them), `log` (a directory of those,
written), `scan` and `reader` (read), `commit` (when all of it is on the disk). `disk` is the only
place of the mail path that touches files.
"""
