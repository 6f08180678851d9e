"""What waits, on disk: contents, recipients and what became of them.

First `store` (what the rest of the product calls), then `shard` (a directory with a lock: a data
log, a state log, event streams), `slot` and `envelope` (the formats), `replay` and `recover` (how
it is read again), `checkpoint`, `compact` (how it stays small), `audit` (the proof).

Knows no queue: who is told of entries is handed in.
"""
