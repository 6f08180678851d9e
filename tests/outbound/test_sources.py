"""Bindings without their address: suspended as a whole, and back by themselves."""

from angarium.net.sweep import Sweep
from angarium.outbound.options import Transport
from angarium.outbound.sources import CHECK_SECONDS, Sources
from angarium.queue.line import ABSENT, SUSPENDED, Line
from helpers.queues import Queues

HERE, GONE, SIX = "192.0.2.1", "192.0.2.2", "2001:db8::1"


class Machine:
    """Addresses, two bindings with lines, and what was alarmed."""

    def __init__(self, *has: str) -> None:
        self.has = set(has)
        self.asked: list[str] = []
        self.queues = Queues()
        self.queues.configuration.names += [("g", "b1"), ("g", "b2")]
        self.queues.board.configure(self.queues.configuration)
        self.alarms: list[str] = []
        self.sweep = Sweep(self.queues.clock)
        self.sources = Sources(self.queues.board, self.sweep, self.alarms.append, self.local)

    def local(self, address: str) -> bool:
        self.asked.append(address)
        return address in self.has

    def configure(self, **addresses: str) -> None:
        self.sources.configure(
            (("g", name), Transport.make(bind_address=each)) for name, each in addresses.items()
        )

    def line(self, binding: str, domain: str = "a.test") -> Line:
        line = self.queues.board.line("g", binding, domain)
        line.push_id(1)
        return line

    def later(self, seconds: float) -> None:
        self.queues.clock.advance(seconds)
        self.sweep.tick(self.queues.clock.monotonic())
        self.queues.board.work()


def test_a_binding_whose_address_is_missing_is_suspended_with_one_alarm() -> None:
    machine = Machine(HERE)
    machine.configure(b1=HERE, b2=GONE)
    lost = machine.line("b2")
    assert machine.sources.suspended(lost)
    assert lost.closed == ABSENT
    assert not machine.sources.suspended(machine.line("b1"))
    machine.later(60.0)
    assert len(machine.alarms) == 1
    assert "b2" in machine.alarms[0]
    assert GONE in machine.alarms[0]


def test_all_its_lines_go_on_when_the_address_is_there() -> None:
    machine = Machine()
    machine.configure(b2=GONE)
    lines = [machine.line("b2", f"{number}.test") for number in range(600)]
    for line in lines:
        machine.sources.suspended(line)
    lines[0].close(SUSPENDED)
    machine.has.add(GONE)
    machine.queues.demands.clear()
    machine.later(CHECK_SECONDS + 1.0)
    assert [line.closed for line in lines] == [SUSPENDED] + [0] * 599
    assert machine.queues.demands == lines[1:]
    assert "goes on" in machine.alarms[-1]


def test_while_no_address_is_missing_nothing_is_looked_at() -> None:
    machine = Machine(HERE)
    machine.configure(b1=HERE)
    machine.asked.clear()
    machine.later(600.0)
    assert machine.asked == []


def test_both_addresses_of_a_binding_are_wanted_and_any_address_is_always_there() -> None:
    machine = Machine(HERE)
    both = Transport.make(bind_address=HERE, bind_address_secondary=SIX)
    machine.sources.configure([(("g", "b1"), both), (("g", "b2"), Transport.make())])
    assert machine.sources.absent == {("g", "b1"): SIX}
    assert machine.asked == [HERE, SIX]


def test_a_generation_with_another_address_ends_the_suspension() -> None:
    machine = Machine(HERE)
    machine.configure(b1=GONE)
    line = machine.line("b1")
    machine.sources.suspended(line)
    machine.configure(b1=HERE)
    machine.queues.board.work()
    assert line.closed == 0


def test_an_address_which_is_there_after_all_suspends_nothing() -> None:
    machine = Machine(HERE)
    machine.configure(b1=HERE)
    assert not machine.sources.missed(machine.line("b1"))
    machine.has.clear()
    assert machine.sources.missed(machine.line("b1"))
