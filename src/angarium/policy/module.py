"""The modules which are policy, as those see them who start and stop them.

A module lives as long as its generation of the configuration. A session is ruled by one generation
from beginning to end, so the modules of an old one are stopped when its last session has gone.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final, Protocol, runtime_checkable

from angarium.policy.chain import NO_POLICY, Policy
from angarium.policy.endpoints import Endpoint, Offers, Serves


@runtime_checkable
class Starts(Protocol):
    """A module which has something to do when its generation comes into force."""

    def start(self) -> None: ...


@runtime_checkable
class Stops(Protocol):
    """A module which has something to give back."""

    def stop(self) -> None: ...


@runtime_checkable
class Asks(Protocol):
    """A module at whose own point others are asked: it is told who they are."""

    def ruled(self, policy: Policy) -> None: ...


# From the words of a console command, its name first, to what it prints.
Command = Callable[[Sequence[str]], Awaitable[str]]


@runtime_checkable
class Commands(Protocol):
    """A module which has commands of its own for the console, by name."""

    @property
    def commands(self) -> Mapping[str, Command]: ...


@runtime_checkable
class Schemes(Protocol):
    """A module which knows users: `inbound/authenticators.Authenticator`, by scheme of a uri."""

    @property
    def schemes(self) -> Mapping[str, Any]: ...


class Policing:
    """The policy of one generation.

    Attributes:
        policy: who is asked.
        sessions: how many are ruled by it.
        before: calls, errors and seconds by hook, of the policies before this one.
    """

    __slots__ = ("_modules", "_passive", "_replaced", "before", "policy", "sessions")

    def __init__(self, policy: Policy, modules: Sequence[Any], passive: Sequence[Any] = ()) -> None:
        """Args: `passive`: modules which are there for scripts that call them, and never start."""
        self.policy = policy
        self.sessions = 0
        self.before: dict[str, tuple[int, int, float]] = {}
        self._modules = (*modules, *passive)
        self._passive = passive
        self._replaced = False

    def sums(self) -> dict[str, tuple[int, int, float]]:
        """Return calls, errors and seconds by hook, since the worker began."""
        sums = dict(self.before)
        for hook, handler in self.policy.handlers():
            calls, errors, seconds = sums.get(hook.name, (0, 0, 0.0))
            tally = handler.tally
            sums[hook.name] = (
                calls + tally.calls, errors + tally.errors, seconds + tally.seconds,
            )  # fmt: skip
        return sums

    def start(self) -> None:
        """It comes into force."""
        for module in self._modules:
            if isinstance(module, Starts) and module not in self._passive:
                module.start()

    @property
    def commands(self) -> Mapping[str, Command]:
        """Return the commands of its modules."""
        found: dict[str, Command] = {}
        for module in self._modules:
            if isinstance(module, Commands):
                found.update(module.commands)
        return found

    @property
    def server(self) -> Serves | None:
        """Return the module which lets endpoints be asked, if there is one and it is on."""
        on = [each for each in self._modules if each not in self._passive]
        return next((each for each in on if isinstance(each, Serves)), None)

    @property
    def endpoints(self) -> list[Endpoint]:
        """Return what can be asked by HTTP, in the order of registration."""
        if self.server is None:
            return []
        on = [each for each in self._modules if each not in self._passive]
        return [one for each in on if isinstance(each, Offers) for one in each.endpoints]

    @property
    def schemes(self) -> Mapping[str, Any]:
        """Return who knows users, of its modules which do their work."""
        found: dict[str, Any] = {}
        for module in self._modules:
            if isinstance(module, Schemes) and module not in self._passive:
                found.update(module.schemes)
        return found

    def enter(self) -> None:
        """A session begins, or a request of HTTP."""
        self.sessions += 1

    def leave(self) -> None:
        """It is over."""
        self.sessions -= 1
        self._stop_if_last()

    def replace(self) -> None:
        """Another generation is in force."""
        self._replaced = True
        self._stop_if_last()

    def end(self) -> None:
        """The worker ends, whatever is still open."""
        self.sessions = 0
        self.replace()

    def _stop_if_last(self) -> None:
        if self._replaced and not self.sessions:
            modules, self._modules = self._modules, ()
            for module in reversed(modules):
                if isinstance(module, Stops):
                    module.stop()


NOBODY: Final = Policing(NO_POLICY, ())
