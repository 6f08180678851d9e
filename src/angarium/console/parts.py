"""What a question finds in the worker it is put to; `run/parts` has it all."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from angarium.config.resolve import Configuration
from angarium.console.insight import Insight
from angarium.core.clock import Clock
from angarium.data.sources import Datasources
from angarium.events.metrics import Metrics, Value
from angarium.events.signing import Signatures
from angarium.inbound.services import Services
from angarium.net.resolver import Naming
from angarium.net.sweep import Sweep
from angarium.net.tlspolicy.policies import Policies
from angarium.net.tracing import Tracing
from angarium.outbound.pool import Pool
from angarium.outbound.settle import Settle
from angarium.policy.shared.node import Shared
from angarium.queue.admit import Admit
from angarium.queue.board import Board
from angarium.queue.ledger import SharedLedger
from angarium.queue.memory import Memory
from angarium.queue.spool.store import Spool
from angarium.queue.suspended import Suspended


class Readings(Protocol):
    """What all processes of the node last measured: `run/readings`."""

    def read(self, now: float) -> Mapping[int, Mapping[str, Value]]:
        """Return the values of each process which has written of late, by its row."""
        ...


class Demanding(Protocol):
    """What domains demand of TLS: `run/demanding`."""

    @property
    def policies(self) -> Policies: ...


class Parts(Protocol):
    """A worker, as questions see it."""

    @property
    def number(self) -> int: ...
    @property
    def leaving(self) -> bool:
        """Return whether it is about to end."""
        ...

    @property
    def configuration(self) -> Configuration: ...
    @property
    def state(self) -> Path: ...
    @property
    def loop(self) -> asyncio.AbstractEventLoop: ...
    @property
    def clock(self) -> Clock: ...
    @property
    def ledger(self) -> SharedLedger: ...
    @property
    def sweep(self) -> Sweep: ...
    @property
    def spool(self) -> Spool: ...
    @property
    def board(self) -> Board: ...
    @property
    def admit(self) -> Admit: ...
    @property
    def settle(self) -> Settle: ...
    @property
    def naming(self) -> Naming: ...
    @property
    def demanding(self) -> Demanding: ...
    @property
    def pool(self) -> Pool: ...
    @property
    def services(self) -> Services: ...
    @property
    def memory(self) -> Memory: ...
    @property
    def metrics(self) -> Metrics: ...
    @property
    def insight(self) -> Insight: ...
    @property
    def tracing(self) -> Tracing: ...
    @property
    def readings(self) -> Readings: ...
    @property
    def suspended(self) -> Suspended: ...
    @property
    def datasources(self) -> Datasources: ...
    @property
    def shared(self) -> Shared: ...
    @property
    def signatures(self) -> Signatures: ...
