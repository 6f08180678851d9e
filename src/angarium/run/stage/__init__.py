"""Policy on a stage: a worker's policy without a server, on a clock which costs no time.

`angarium policy test` plays transcripts here. Read `stage` first: it puts together what
`run/assemble` does, with a spool in memory, and DNS and databases that say what a transcript gives.
"""
