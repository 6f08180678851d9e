"""Services which get mail out.

First `settle` (the only place which ends a message), then `pool` (which connections are open),
`route` (to which hosts), `smtp` (what happens on one connection), `bounce` (who is told).
"""
