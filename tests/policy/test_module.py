"""The modules of a generation live until the last session it rules has gone."""

from angarium.policy.chain import NO_POLICY
from angarium.policy.module import Policing


class Module:
    def __init__(self, name: str, log: list[str]) -> None:
        self.name, self.log = name, log

    def start(self) -> None:
        self.log.append(f"start {self.name}")

    def stop(self) -> None:
        self.log.append(f"stop {self.name}")


def test_an_old_generation_is_stopped_with_its_last_session() -> None:
    log: list[str] = []
    policing = Policing(NO_POLICY, [Module("a", log), Module("b", log), object()])
    policing.start()
    policing.enter()
    policing.enter()
    policing.leave()
    policing.replace()
    assert log == ["start a", "start b"]
    policing.leave()
    assert log[2:] == ["stop b", "stop a"]


def test_one_without_sessions_is_stopped_at_once() -> None:
    log: list[str] = []
    policing = Policing(NO_POLICY, [Module("a", log)])
    policing.replace()
    policing.replace()
    assert log == ["stop a"]


def test_commands_are_those_of_all_modules() -> None:
    class Commanding:
        def __init__(self, **commands: object) -> None:
            self.commands = commands

    modules = [Commanding(a="1", b="2"), Module("x", []), Commanding(b="3")]
    found: dict[str, object] = dict(Policing(NO_POLICY, modules).commands)
    assert found == {"a": "1", "b": "3"}


def test_at_the_end_all_is_stopped_whatever_is_still_open() -> None:
    log: list[str] = []
    policing = Policing(NO_POLICY, [Module("a", log)])
    policing.enter()
    policing.end()
    assert log == ["stop a"]
    policing.leave()
    assert log == ["stop a"]
