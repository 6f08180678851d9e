"""A large configuration: what each stanza costs, in time and memory. Benchmarks have the figures.

The bounds are counts of octets and ratios of processor time, so that a busy machine does not
matter.
"""

import gc
import time
import tracemalloc

import pytest

from angarium.config.load import load_text
from angarium.queue.options import Shape

BINDINGS, DOMAINS = 200, 1800
# 20,000 bindings and 100,000 domains may have 400 MB. A process has 60 before, and the text, at
# 165 octets a stanza, is there twice while it is read.
MOST_WHILE_READ = 2300  # octets a stanza; measured: 1,770
MOST_WHEN_READ = 500  # measured: 370


def text(bindings: int, domains: int) -> str:
    """Return bindings in groups, and domains, with four options each; most are alike."""
    throttle = 'outbound_throttle_messages = "{}/60"'.format
    members = [
        f'binding "b{n}" {{ bind_address = "127.0.{n >> 8}.{n & 255}" max_retries = {n % 50}\n'
        f'  ehlo_hostname = "mta{n}.example.com" {throttle(n % 300 + 1)} }}\n'
        for n in range(bindings)
    ]
    groups = (
        f'binding_group "group{first}" {{ {"".join(members[first : first + 200])} }}\n'
        for first in range(0, bindings, 200)
    )
    stanzas = (
        f'domain "d{n}.example.com" {{ max_outbound_connections = {n % 20 + 1}\n'
        f"  max_deliveries_per_connection = {n % 10 + 1} {throttle(n % 400 + 1)}\n"
        f"  retry_interval = {n % 5 * 600 + 600} }}\n"
        for n in range(domains)
    )
    return "".join((*groups, *stanzas))


def processor_seconds(size: int) -> float:
    """Return the least of three: whatever else there is, it only adds."""
    written = text(BINDINGS * size, DOMAINS * size)
    seconds = []
    for _ in range(3):
        began = time.process_time()
        load_text(written)
        seconds.append(time.process_time() - began)
    return min(seconds)


def test_a_stanza_takes_little_memory_while_it_is_read_and_less_when_it_is() -> None:
    written = text(BINDINGS, DOMAINS)
    load_text(written)
    gc.collect()
    tracemalloc.start()
    try:
        conf = load_text(written)
        now, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(conf.bindings()) == BINDINGS + 1
    stanzas = BINDINGS + DOMAINS
    assert most / stanzas < MOST_WHILE_READ
    assert now / stanzas < MOST_WHEN_READ


@pytest.mark.slow
def test_ten_times_the_stanzas_take_ten_times_the_time() -> None:
    assert processor_seconds(10) < 16 * processor_seconds(1)


def test_places_share_what_holds_there() -> None:
    conf = load_text("max_retries = 3\n" + text(10, 10))
    first, second = (conf.at(Shape, binding="b1", domain=f"{n}.example.org") for n in range(2))
    assert first is second
