"""Speed: `relay` beside Postfix, `scenario` for depth and latency, `bench_*` for the hot list.

First docs/performance.md, which says what is measured and why so; then `make bench`.
"""
