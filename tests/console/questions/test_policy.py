"""What handlers of policy have cost a worker."""

from types import SimpleNamespace
from typing import Any

from angarium.console.questions.policy import Handled, handlers
from angarium.policy import hooks
from angarium.policy.context import Session
from angarium.policy.hooks import on
from helpers.asking import asked


class Module:
    @on(hooks.Connect)
    def look(self, event: hooks.Connect) -> None:
        """Says nothing."""

    @on(hooks.Accept)
    def fail(self, event: hooks.Accept) -> None:
        raise ValueError("oh")


def test_each_handler_is_counted_by_itself() -> None:
    policy = asked(Module())
    for hook in (hooks.Accept, hooks.Connect, hooks.Connect):
        chain = policy.chain(hook)
        assert chain is not None
        chain.ask(hook(Session()))
    worker: Any = SimpleNamespace(services=SimpleNamespace(policing=SimpleNamespace(policy=policy)))
    rows = [row for _, row in sorted(handlers.function(worker).rows.items())]
    assert [(row.hook, row.name, row.calls, row.errors) for row in rows] == [
        ("core_validate_accept", "fail", 1, 1),
        ("validate_connect", "look", 2, 0),
    ]


def test_workers_add_up() -> None:
    one = Handled("h", "n", 1, 2, 1, 0.5, 0.25)
    assert one + one == Handled("h", "n", 1, 4, 2, 1.0, 0.25)
