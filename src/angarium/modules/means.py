"""What a module which is policy is made of, and what it finds in a worker.

    class MailLoop:
        def __init__(self, name: str, options: Options, means: Means) -> None: ...
        @on(DataSpool)
        def count(self, event: DataSpool) -> Verdict: ...

A module lives as long as its generation of the configuration: it is made when that is prepared,
and what is wrong with it is an Error raised there, which refuses the configuration. `start` is
called when the generation comes into force, `stop` when its last session is gone; both are left
out where there is nothing to do (`policy/module`).
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, Protocol, runtime_checkable

from angarium.config.resolve import Configuration
from angarium.core.clock import Clock
from angarium.core.reply import Reply
from angarium.data.sources import Datasources
from angarium.events.metrics import Metrics
from angarium.events.signing import Signatures
from angarium.inbound.counts import Counts
from angarium.net.dnscache import Resolver
from angarium.outbound.route import Router
from angarium.policy.guard import Guard
from angarium.policy.shared.node import Shared
from angarium.queue.admit import Admit
from angarium.queue.board import Board
from angarium.queue.throttle import Ledger


def nobody(_level: str, _text: str) -> None:
    pass


def nothing_waits(_domain: str, _reply: Reply) -> None:
    pass


@dataclass
class Means:
    """What there is in a worker, of one generation.

    Attributes:
        panic: writes a line to paniclog, of a module.
        tell: writes a line of this module, of a level of `modules/options.LEVELS`, if that is as
            serious as its `debug_level`.
        guard: asks whoever is not asked by a hook: a timer, a command of the console.
        datasources: what queries are put to.
        router: finds the hosts of a domain.
        shared: what is counted and remembered for the whole node.
        counts: what reception counts; who wants to know by address is its `watch`.
        put_off: lets the mail of a domain wait for its next time, as if the host had said this.
        next_id: makes the id of a message, from Unix time.
        signatures: counts what is signed, for as long as the worker lives.
        modules: those of this generation, by stanza, in their order; more are still to come while
            the configuration is being prepared.
    """

    configuration: Configuration
    loop: asyncio.AbstractEventLoop
    clock: Clock
    random: Random
    resolver: Resolver
    admit: Admit
    board: Board
    ledger: Ledger
    metrics: Metrics
    state: Path
    number: int
    host: str
    panic: Callable[[str, str], None]
    guard: Guard
    shared: Shared
    counts: Counts
    next_id: Callable[[float], int]
    spawn: Callable[..., object]
    datasources: Datasources
    router: Router
    tell: Callable[[str, str], None] = nobody
    put_off: Callable[[str, Reply], None] = nothing_waits
    signatures: Signatures = field(default_factory=Signatures)
    modules: dict[str, list[Any]] = field(default_factory=dict)


@runtime_checkable
class Hooks(Protocol):
    """A module whose handlers are not marked methods: scripts. Pairs of hook and handler."""

    def handlers(self) -> Sequence[tuple[Any, Any]]: ...
