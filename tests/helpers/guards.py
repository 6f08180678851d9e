"""A worker for modules which are policy: what they find in it, in memory."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any, TypeVar

from angarium.config.load import load_text
from angarium.core.reply import Reply
from angarium.events.metrics import Metrics
from angarium.inbound.counts import Counts
from angarium.modules.means import Means
from angarium.policy.context import Session
from angarium.policy.guard import Guard
from angarium.policy.hooks import Hook
from angarium.policy.mail import Mail, empty
from angarium.policy.module import Policing
from angarium.policy.shared.node import Shared
from angarium.run.policing import prepared
from helpers.clock import FakeClock

T = TypeVar("T")


class Place:
    """A worker which has the modules of a configuration.

    Attributes:
        panics: what stands in paniclog, with the stanza it is from.
    """

    def __init__(self, folder: Path, text: str, shared: Shared | None = None) -> None:
        self.clock = FakeClock()
        self.shared = shared or Shared(self.clock)
        self.shared.know()
        self.counts = Counts()
        self.metrics = Metrics()
        self.panics: list[tuple[str, str]] = []
        self.resolver: Any = None
        self.admit: Any = None
        self.board: Any = None
        self.router: Any = None
        self.datasources: Any = None
        self.policing: Policing
        self._folder = folder
        self._text = text

    def means(self) -> Means:
        """Return what modules find in the worker."""
        nothing: Any = None
        return Means(
            configuration=load_text(self._text),
            loop=asyncio.get_running_loop(),
            clock=self.clock,
            random=Random(1),
            resolver=self.resolver,
            admit=self.admit,
            board=self.board,
            ledger=nothing,
            metrics=self.metrics,
            state=self._folder,
            number=0,
            host="mx.node.test",
            panic=lambda stanza, text: self.panics.append((stanza, text)),
            guard=Guard(lambda _module, _line: None),
            shared=self.shared,
            counts=self.counts,
            next_id=int,
            spawn=nothing,
            datasources=self.datasources,
            router=self.router,
        )

    def module(self, of: type[T]) -> T:
        """Return the one module of a kind, as a worker makes it."""
        means = self.means()
        self.policing = prepared(means)
        every = [each for several in means.modules.values() for each in several]
        [made] = [each for each in every if isinstance(each, of)]
        return made

    def asks(self, hook: type[Hook]) -> bool:
        """Say whether anybody is asked at a hook."""
        return self.policing.policy.chain(hook) is not None


def session(address: str = "192.0.2.1", sender: str | None = None) -> Session:
    """Return a session; with a sender, one whose MAIL was accepted."""
    found = Session(peer=(address, 4711))
    if sender is not None:
        message = empty(sender, now=0.0, protocol="esmtp")
        found.mail = Mail(message, [], found, whole=False)
    return found


def refusal(of: Session) -> Reply | None:
    """Return what a session was refused with, and take it away."""
    reply, of.reply = of.reply, None
    return reply


async def until(condition: Callable[[], object]) -> None:
    """Wait until it holds."""
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        await asyncio.sleep(0.005)
