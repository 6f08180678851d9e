"""python: the module of ecelerity.conf which runs policy in Python.

    python "python" {
      script "limits" { source = "limits.py" }
    }

Scripts are loaded when a generation is prepared, in the order of the file; what is wrong with one
refuses the generation.
"""

import asyncio
import inspect
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from angarium.config.section import Section
from angarium.modules.means import Means
from angarium.modules.python import script as scripts
from angarium.modules.python.options import Python as Options
from angarium.modules.python.options import Script as ScriptOptions
from angarium.modules.python.script import Script, ScriptError
from angarium.modules.python.server import Server
from angarium.policy.guard import Handler
from angarium.policy.hooks import Hook
from angarium.policy.script import Mark, Moment

KIND: Final = "python.script"


class Python:
    """The scripts of one stanza."""

    def __init__(self, name: str, options: Options, means: Means) -> None:
        self._means = means
        self._tasks: set[asyncio.Task[None]] = set()
        self._scripts: list[tuple[Script, Server]] = []
        configuration = means.configuration
        section = configuration.root.get("python", name)
        assert section is not None
        for script, inner in section.all(KIND).items():
            path = _found(script, configuration.of(ScriptOptions, inner).source, means)
            server = Server(script, means, _settings(inner))
            loaded = scripts.load(script, path, configuration.generation, options.time_limit)
            self._scripts.append((loaded, server))
            scripts.check([loaded], server)

    def handlers(self) -> Sequence[tuple[type[Hook], Handler]]:
        return [each for script, server in self._scripts for each in script.handlers(server)]

    def start(self) -> None:
        for script, server in self._scripts:
            for _, call in script.moments(Moment.START, server):
                self._run(script, call)
            for mark, call in script.moments(Moment.EVERY, server):
                self._keep(self._again(script, mark, call))

    def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        for script, server in self._scripts:
            for _, call in script.moments(Moment.STOP, server):
                self._run(script, call)
            scripts.unload(script)

    async def _again(self, script: Script, mark: Mark, call: Callable[[], Any]) -> None:
        while True:
            await asyncio.sleep(mark.seconds)
            await self._called(script, call)

    def _run(self, script: Script, call: Callable[[], Any]) -> None:
        self._keep(self._called(script, call))

    async def _called(self, script: Script, call: Callable[[], Any]) -> None:
        answer = self._means.guard.run("python", script.name, call)
        if inspect.isawaitable(answer):
            await self._means.guard.wait("python", script.name, answer)

    def _keep(self, work: Any) -> None:
        task = self._means.loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _found(script: str, source: str | None, means: Means) -> Path:
    """Return the file of a script. Raises ScriptError."""
    if not source:
        raise ScriptError(f"script {script} has no source: say which file it is in")
    search = means.configuration.search or ("",)
    places = [Path(each, source).absolute() for each in search]
    for place in places:
        if place.is_file():
            return place
    looked = ", ".join(map(str, dict.fromkeys(places)))
    raise ScriptError(f"script {script}: there is no file {source}; looked at {looked}")


def _settings(section: Section) -> dict[str, str]:
    return {name: str(value) for name, value in section.values.items() if name != "source"}
