"""Speed: `relay` beside Postfix, `halves`, `latency`, `spread`, `depth`, `crowd`; `bench_*` for parts.

First docs/performance.md, which says what is measured and why so; then `make bench`.
"""
