"""What can be said of a queue and of a message: the questions, and what is answered.

The answers are made by `console/insight`, in the worker; who only asks does not load that.
"""

from collections.abc import Generator
from typing import TYPE_CHECKING, Final

import msgspec

from angarium.console.question import question
from angarium.console.sums import Table

if TYPE_CHECKING:
    from angarium.console.parts import Parts

NEVER: Final = 0.0


class Reason(msgspec.Struct, frozen=True):
    """Why mail waits; `until`: Unix time at which it ends by itself, 0.0 where nobody knows."""

    code: str
    text: str
    until: float = NEVER


class Seen(msgspec.Struct, frozen=True):
    """A host mail may go to.

    Attributes:
        until: it is left alone, for it failed.
        demand: what its domain wants of TLS: the kind of RFC 8460, and the policy line by line.
        secure: DNSSEC vouches for its name and address, or they are configured.
        bare_until: it is spoken to in clear, as TLS has failed; `bare`: how.
    """

    host: str
    address: str
    port: int
    preference: int
    until: float = NEVER
    connections: int = 0
    demand: list[str] = []
    secure: bool = False
    bare_until: float = NEVER
    bare: str = ""

    def __add__(self, other: "Seen") -> "Seen":
        return msgspec.structs.replace(
            self,
            until=max(self.until, other.until),
            bare_until=max(self.bare_until, other.bare_until),
            bare=self.bare or other.bare,
            connections=self.connections + other.connections,
        )


class Limit(msgspec.Struct, frozen=True):
    """A limit of connections, and how many of it are in use by all workers."""

    key: str
    used: int
    most: int


class Queue(msgspec.Struct, frozen=True):
    """A queue as one worker has it, or several together."""

    active: int = 0
    delayed: int = 0
    in_flight: int = 0
    connections: int = 0
    resting: int = 0
    opening: int = 0
    failures: int = 0
    reasons: list[Reason] = []
    hosts: list[Seen] = []
    limits: list[Limit] = []
    rate: str = ""
    lookup: str = ""

    def __add__(self, other: "Queue") -> "Queue":
        reasons = {each.text: each for each in (*self.reasons, *other.reasons)}
        if self.active or other.active:
            # What one worker says of all its mail is not so of all there is.
            reasons = {text: each for text, each in reasons.items() if each.code != "delayed"}
        hosts = {(each.address, each.port): each for each in self.hosts}
        for each in other.hosts:
            place = each.address, each.port
            hosts[place] = hosts[place] + each if place in hosts else each
        limits = {each.key: each for each in (*self.limits, *other.limits)}
        return Queue(
            self.active + other.active,
            self.delayed + other.delayed,
            self.in_flight + other.in_flight,
            self.connections + other.connections,
            self.resting + other.resting,
            self.opening + other.opening,
            max(self.failures, other.failures),
            list(reasons.values()),
            list(hosts.values()),
            list(limits.values()),
            self.rate or other.rate,
            self.lookup or other.lookup,
        )


class First(msgspec.Struct, frozen=True):
    """A time; of several the first."""

    at: float

    def __add__(self, other: "First") -> "First":
        return First(min(self.at, other.at))


class Letter(msgspec.Struct, frozen=True):
    """A recipient's entry, and where it is.

    `state`: waiting, delayed, in flight, put aside. `ahead`: those before it in its queue, -1
    where that was not looked at. `due`, `received_at` and `expires`: Unix times, 0.0 if not known.
    """

    id: int
    state: str
    group: str
    binding: str
    domain: str
    attempts: int = 0
    due: float = NEVER
    ahead: int = -1
    sender: str = ""
    rcpt: str = ""
    size: int = 0
    source: str = ""
    received_at: float = NEVER
    expires: float = NEVER
    remote: str = ""
    stage: str = ""
    queue: Queue = Queue()


class Domain(msgspec.Struct, frozen=True):
    """Where mail for a domain goes through one binding."""

    hosts: list[Seen] = []
    lookup: str = ""
    how: str = ""
    queued_as: str = ""
    delayed_as: str = ""
    rolled_up_to: str = ""

    def __add__(self, other: "Domain") -> "Domain":
        hosts = Queue(hosts=self.hosts) + Queue(hosts=other.hosts)
        return msgspec.structs.replace(
            self,
            hosts=hosts.hosts,
            lookup=self.lookup if self.hosts or not other.hosts else "",
            rolled_up_to=self.rolled_up_to or other.rolled_up_to,
        )


class Connection(msgspec.Struct, frozen=True):
    """An open connection: `way` is in or out."""

    id: int
    way: str
    peer: str
    state: str
    seconds: float
    group: str = ""
    binding: str = ""
    domain: str = ""
    messages: int = 0
    recipients: int = 0
    under_way: list[int] = []
    holds: list[str] = []
    wanted: bool = False
    detail: str = ""


class Letters(msgspec.Struct, frozen=True):
    """Entries of several workers."""

    found: list[Letter] = []

    def __add__(self, other: "Letters") -> "Letters":
        return Letters(self.found + other.found)


class Connections(msgspec.Struct, frozen=True):
    """Connections of several workers."""

    found: list[Connection] = []

    def __add__(self, other: "Connections") -> "Connections":
        return Connections(self.found + other.found)


class Intake(msgspec.Struct, frozen=True):
    """Whether a worker takes mail in, and why not."""

    refusals: list[str] = []
    sessions: int = 0
    memory: str = ""

    def __add__(self, other: "Intake") -> "Intake":
        return Intake(self.refusals + other.refusals, self.sessions + other.sessions, self.memory)


def limit_name(key: str) -> str:
    """Return which limit a key of the ledger is, in the words of the configuration."""
    kind, _, rest = key.partition(":")
    if kind == "line":
        return "max_outbound_connections of the queue"
    if kind == "host":
        return f"max_outbound_connections of host {rest}"
    return f"the limit of {rest or 'the server'}"


@question("queue seen")
async def queue(worker: "Parts", binding: str, domain: str) -> Table[Queue]:
    """Return what there is to say of the queues of a binding and a domain, by group/binding."""
    return Table(await worker.insight.queues(binding, domain))


@question("queue due")
def due(worker: "Parts", binding: str, domain: str) -> Generator[None, None, Table[First]]:
    """Return when the first delayed mail of each queue is due, as Unix time."""
    found = yield from worker.insight.due(binding, domain)
    return Table(found)


@question("letter")
async def letter(worker: "Parts", idents: list[int]) -> Letters:
    """Return entries, by their ids or those of their contents, which are here."""
    found = [each for one in idents for each in await worker.insight.letters(one)]
    return Letters(found)


@question("domain seen")
async def domain(worker: "Parts", group: str, binding: str, name: str) -> Domain:
    """Return where mail for a domain goes."""
    return await worker.insight.domain((group, binding, name))


@question("connection")
def connection(worker: "Parts", ident: int) -> Connections:
    """Return the connection with this id, if it is here."""
    return Connections([each for each in worker.insight.connections() if each.id == ident])


@question("intake")
def intake(worker: "Parts") -> Table[Intake]:
    """Return whether mail is taken in, by worker."""
    return Table({f"worker {worker.number}": worker.insight.intake()})
