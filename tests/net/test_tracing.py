"""Who hears which connections, and when that ends."""

import ipaddress

from angarium.net.tracing import ANY, IN, OUT, Tracer, Tracing
from helpers.clock import FakeClock

KEY = ("default", "b1", "a.test")


def tracing() -> tuple[Tracing, FakeClock, list[str]]:
    clock = FakeClock()
    return Tracing(clock), clock, []


def test_a_connection_is_chosen_by_way_queue_and_address() -> None:
    network = ipaddress.ip_network("192.0.2.0/24")
    said: list[str] = []
    by_domain = Tracer(said.append, 1.0, 1, domain="a.test")
    assert by_domain.wants(OUT, KEY, "192.0.2.1")
    assert not by_domain.wants(IN, ("", "", ""), "192.0.2.1")
    near = Tracer(said.append, 1.0, 1, way=IN, network=network)
    assert near.wants(IN, ("", "", ""), "192.0.2.9")
    assert not near.wants(OUT, KEY, "192.0.2.9")
    assert not near.wants(IN, ("", "", ""), "2001:db8::1")
    assert not near.wants(IN, ("", "", ""), "")
    assert not Tracer(said.append, 1.0, 1, binding="b2").wants(OUT, KEY, "192.0.2.1")


def test_what_is_said_is_told_until_its_time_is_over() -> None:
    traced, clock, said = tracing()
    traced.tracers[1] = Tracer(said.append, clock.monotonic() + 10, 10_000, way=ANY)
    recorder = traced.recorder(OUT, KEY, "192.0.2.1", 1, "to mx.a.test")
    assert recorder is not None
    recorder.client(b"EHLO x\r\n")
    recorder.server(b"250 ok\r\n")
    assert [each.split(" ", 2)[2] for each in said] == ["to mx.a.test", "C: EHLO x", "S: 250 ok"]
    clock.advance(10)
    recorder.client(b"QUIT\r\n")
    assert said[-1] == "(the trace ends here)"
    assert not traced.tracers


def test_a_trace_ends_with_its_octets_and_is_closed() -> None:
    traced, clock, said = tracing()
    ended: list[bool] = []
    traced.tracers[1] = Tracer(
        said.append, clock.monotonic() + 10, 60, end=lambda: ended.append(True)
    )
    recorder = traced.recorder(OUT, KEY, "192.0.2.1", 1, "opened")
    assert recorder is not None
    recorder.client(b"x" * 100 + b"\r\n")
    recorder.closed()
    assert (said[-1], ended) == ("(the trace ends here)", [True])


def test_who_is_not_wanted_costs_nothing_more() -> None:
    traced, clock, said = tracing()
    traced.tracers[1] = Tracer(said.append, clock.monotonic() + 10, 60, domain="b.test")
    assert traced.recorder(OUT, KEY, "192.0.2.1", 1, "opened") is None
    assert traced.remove(1)
    assert not traced.remove(1)
    traced.tracers[2] = Tracer(said.append, clock.monotonic() - 1, 60)
    traced.sweep()
    assert not traced.tracers
