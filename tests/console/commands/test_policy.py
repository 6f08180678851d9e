"""The command which prints who is asked at which hook."""

from pathlib import Path
from types import SimpleNamespace

from angarium.policy import hooks
from angarium.policy.context import Session
from angarium.policy.hooks import on
from helpers.asking import asked
from helpers.consoles import FakeServer, Talk


class Module:
    @on(hooks.Connect)
    def look(self, event: hooks.Connect) -> None:
        """Says nothing."""


async def test_handlers_of_all_workers_are_printed(tmp_path: Path) -> None:
    server = FakeServer(tmp_path, "")
    for number in range(2):
        policy = asked(Module())
        chain = policy.chain(hooks.Connect)
        assert chain is not None
        chain.ask(hooks.Connect(Session()))
        policing = SimpleNamespace(policy=policy)
        worker = SimpleNamespace(services=SimpleNamespace(policing=policing))
        server.node.parts[f"worker {number}"] = worker
    lines = (await Talk(server).say("policy")).splitlines()
    assert lines[0].split()[:2] == ["calls", "errors"]
    assert lines[1].split()[:2] == ["2", "0"]
    assert lines[1].endswith("  validate_connect look")


async def test_without_policy_it_is_said(tmp_path: Path) -> None:
    server = FakeServer(tmp_path, "")
    policing = SimpleNamespace(policy=asked())
    server.node.parts["worker 0"] = SimpleNamespace(services=SimpleNamespace(policing=policing))
    assert await Talk(server).say("policy") == "no policy handles a hook"
