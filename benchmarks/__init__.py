"""Speed: `relay` beside Postfix, `halves`, `latency`, `spread`, `depth`, `crowd`; parts: `bench_*`.

First docs/performance.md, which says what is measured and why so; then `make bench`.
"""
