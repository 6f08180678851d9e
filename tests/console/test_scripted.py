"""Commands which policy has added to the console."""

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from types import SimpleNamespace

from angarium.console.scripted import STANZAS
from angarium.core.errors import Error
from angarium.modules import index
from helpers.consoles import VIEWER, FakeServer, Talk

CONFIG = 'scriptlet "scriptlet" { script "a" { source = "a" } }\n'
Command = Callable[[Sequence[str]], Awaitable[str]]


def _worker(**commands: Command) -> object:
    named = {name.replace("_", " "): each for name, each in commands.items()}
    return SimpleNamespace(
        services=SimpleNamespace(policing=SimpleNamespace(commands=named)),
    )


def _prints(text: str) -> Command:
    async def command(words: Sequence[str]) -> str:
        return f"{text} {'|'.join(words)}"

    return command


async def _fails(_words: Sequence[str]) -> str:
    raise Error("script:3: no")


def _talk(tmp_path: Path, *workers: object, config: str = CONFIG) -> Talk:
    server = FakeServer(tmp_path, config)
    for number, worker in enumerate(workers):
        server.node.parts[f"worker {number}"] = worker
    return Talk(server)


async def test_a_command_is_done_by_each_worker_and_printed_once(tmp_path: Path) -> None:
    talk = _talk(tmp_path, _worker(my_command=_prints("x")), _worker(my_command=_prints("x")))
    assert await talk.say('my command "a b" c') == "x my command|a b|c"


async def test_what_workers_print_differently_is_told_apart(tmp_path: Path) -> None:
    talk = _talk(tmp_path, _worker(mine=_prints("x")), _worker(mine=_prints("y")))
    assert await talk.say("mine") == "worker 0:\nx mine\nworker 1:\ny mine"


async def test_the_longest_name_is_meant(tmp_path: Path) -> None:
    talk = _talk(tmp_path, _worker(mine=_prints("x"), mine_too=_prints("y")))
    assert await talk.say("mine too far") == "y mine too|far"
    assert await talk.say("mine far") == "x mine|far"


async def test_a_script_which_fails_is_told(tmp_path: Path) -> None:
    talk = _talk(tmp_path, _worker(mine=_fails))
    assert "script:3: no" in await talk.fails("mine")


async def test_what_nobody_knows_is_no_command(tmp_path: Path) -> None:
    talk = _talk(tmp_path, _worker(mine=_prints("x")))
    assert "there is no such command" in await talk.fails("other")


async def test_without_scripts_nobody_is_asked(tmp_path: Path) -> None:
    talk = _talk(tmp_path, _worker(mine=_prints("x")), config='hostname = "a.test"\n')
    assert "there is no such command" in await talk.fails("mine")


async def test_who_may_only_look_may_give_no_command_of_a_script(tmp_path: Path) -> None:
    server = FakeServer(tmp_path, CONFIG)
    server.node.parts["worker 0"] = _worker(mine=_prints("x"))
    assert await Talk(server, VIEWER).fails("mine") == "Not Authorized for this command"
    assert server.accounts[-1] == ("victor", "mine", 0)


async def test_a_command_of_ours_goes_before(tmp_path: Path) -> None:
    talk = _talk(tmp_path, _worker(config_get=_prints("x")))
    assert "not set" in await talk.say("config get hostname")


def test_all_modules_with_commands_are_asked() -> None:
    assert {each for each in index.POLICY if hasattr(index.policy(each), "commands")} == {*STANZAS}


async def test_a_module_is_asked_without_any_script(tmp_path: Path) -> None:
    stats = {"dk_sign:one stats": _prints("signed")}
    worker = SimpleNamespace(services=SimpleNamespace(policing=SimpleNamespace(commands=stats)))
    talk = _talk(tmp_path, worker, config='dk_sign "one" { }\n')
    assert await talk.say("dk_sign:one stats") == "signed dk_sign:one stats"
    assert "is there a stanza dk_sign?" in await talk.fails("dk_sign:two stats")
