"""scriptlet: runs policy in Lua.

    scriptlet "scriptlet" {
      script "mine" { source = "policy.mine" }
    }

All scripts of a worker share one Lua, which lives as long as its generation of the configuration.
What a script registers under the name of its stanza is asked, script by script in their order.
"""

from collections.abc import Mapping, Sequence
from functools import partial

from angarium.data.sources import Datasources
from angarium.inbound.authenticators import Authenticator
from angarium.modules.lua.api.control import added, commands_of, shown
from angarium.modules.lua.api.dns import OtherServers
from angarium.modules.lua.api.http import Requests
from angarium.modules.lua.api.httpsrv import HttpSession, registrations
from angarium.modules.lua.api.register import registered
from angarium.modules.lua.api.threads import Tasks
from angarium.modules.lua.api.timers import Timers, timers
from angarium.modules.lua.asked import STANZA as STANZA
from angarium.modules.lua.asked import Asked, Collecting, Gone, Records, located
from angarium.modules.lua.bind import Function
from angarium.modules.lua.errors import ScriptError
from angarium.modules.lua.limits import Limits
from angarium.modules.lua.loader import Loader
from angarium.modules.lua.options import Script as ScriptOptions
from angarium.modules.lua.options import Scriptlet as Options
from angarium.modules.lua.packages import declare_all
from angarium.modules.lua.runtime import State
from angarium.modules.lua.schemes import ScriptScheme
from angarium.modules.lua.services import Services
from angarium.modules.lua.values import TableHandle
from angarium.modules.means import Means
from angarium.net.dnscache import Resolver
from angarium.policy.endpoints import Endpoint, Request, Response
from angarium.policy.guard import Handler, PolicyError
from angarium.policy.hooks import ABSENT, HOOKS, Dealloc, Hook
from angarium.policy.module import Command, Stops
from angarium.policy.shared.node import Shared


class Scriptlet:
    """The module: loads its scripts, and asks them."""

    def __init__(self, name: str, options: Options, means: Means) -> None:
        """Raises PolicyError: a script cannot be used."""
        declare_all()
        self._means = means
        self._panic = partial(means.panic, STANZA)
        self._collecting = Collecting(options)
        services = Services(means.clock, panic=self._panic, show=shown(self._panic))
        services.parts |= {
            Means: means,
            Resolver: means.resolver,
            Shared: means.shared,
            Datasources: means.datasources,
        }
        self._loader = Loader(means.configuration.search)
        limits = Limits(
            seconds=options.time_limit,
            memory=options.memory_limit,
            jit=options.jit,
            spare=options.max_spare_per_master,
            uses=options.max_uses_per_thread or 0,
            fresh=options.use_reusable_thread is False,
        )
        self.state = State(services, limits, self._loader.find)
        self._collecting.set_up(self.state)
        self._records = Records(self.state)
        self._scripts = [
            (each, source) for each, source in _scripts(name, means) if source is not None
        ]
        for each, source in self._scripts:
            self._load(each, source)
        self._modules = self._registered()
        for life in ("init", "rsrc_setup"):
            for each, table in self._modules.items():
                self._live(each, table, life)

    # Its life.

    def _load(self, name: str, source: str) -> None:
        try:
            text, place = self._loader.source(source)
            self.state.run_now(self.state.load(text, place))
        except ScriptError as error:
            raise _refused(name, error) from error

    def _registered(self) -> dict[str, TableHandle]:
        """Return what was registered under the name of a stanza, in the order of those."""
        found = registered(self.state).modules
        names = [name for name, _ in self._scripts]
        for name in found:
            if name not in names:
                self._panic(f"module '{name}' is registered, and no script of that name is there")
        tables = {name: found[name] for name in names if name in found}
        return {name: each for name, each in tables.items() if isinstance(each, TableHandle)}

    def _live(self, name: str, table: TableHandle, what: str) -> None:
        """Call init or rsrc_setup. Raises PolicyError unless it says true."""
        function = table.get(what)
        if function is None:
            return
        try:
            answer = self.state.run_now(self.state.get(table.native, what.encode()), table.native)
        except ScriptError as error:
            raise _refused(name, error, f"{what} failed: ") from error
        if not answer or answer[0] is not True:
            said = "nothing" if not answer or answer[0] is None else answer[0]
            raise PolicyError(
                f'{what} of script "{name}" returned {said}, and must return true',
                stanza=STANZA,
                script=name,
            )

    def start(self) -> None:
        """Its generation comes into force."""
        timers(self.state).start()

    def stop(self) -> None:
        """Its last session is gone."""
        for name, table in self._modules.items():
            try:
                self._live(name, table, "deinit")
            except PolicyError as error:
                self._panic(error.message)
        parts = self.state.services.parts
        for kind in (Timers, Tasks, Requests, OtherServers):
            found = parts.pop(kind, None)
            if isinstance(found, Stops):
                found.stop()

    @property
    def commands(self) -> Mapping[str, Command]:
        """What scripts have added to the console."""
        return commands_of(self.state)

    @property
    def endpoints(self) -> list[Endpoint]:
        """What scripts answer by HTTP."""
        return [
            Endpoint(each.method, each.path, partial(self._answer, each.function))
            for each in registrations(self.state).known
        ]

    async def _answer(self, function: Function, request: Request) -> Response:
        """Call the function of an endpoint. Raises PolicyError: it failed."""
        session = HttpSession(request)
        try:
            await function(session)
        except ScriptError as error:
            raise located(error) from error
        finally:
            self._collecting.called()
        return session.response()

    @property
    def schemes(self) -> Mapping[str, Authenticator]:
        """Who knows users, of what scripts have registered."""
        return {
            name.lower(): ScriptScheme(name, table, self._panic)
            for name, table in added(self.state).schemes.items()
        }

    # What it is asked.

    def handlers(self) -> Sequence[tuple[type[Hook], Handler]]:
        """Return a handler for each callout, script by script."""
        found: list[tuple[type[Hook], Handler]] = []
        for name, table in self._modules.items():
            for key in [key for key, _ in table.items()]:
                called = key.decode("utf-8", "replace") if isinstance(key, bytes) else ""
                if called in ABSENT:
                    self._panic(
                        f'script "{name}": {called} is never called, it needs {ABSENT[called]}'
                    )
            found += [
                (hook, self._handler(name, table, hook))
                for hook in HOOKS.values()
                if table.get(hook.name) is not None and hook is not Dealloc
            ]
        if found:
            tables = [table for table in self._modules.values() if table.get(Dealloc.name)]
            gone = Gone([self._asked(each, Dealloc) for each in tables])
            found.append((Dealloc, Handler(gone, STANZA, f"{STANZA} {Dealloc.name}")))
        return found

    def _handler(self, name: str, table: TableHandle, hook: type[Hook]) -> Handler:
        asked = self._asked(table, hook)
        return Handler(asked.call, STANZA, f"script {name} {hook.name}", file=name)

    def _asked(self, table: TableHandle, hook: type[Hook]) -> Asked:
        return Asked(self.state, table, hook, self._records, self._collecting, self._panic)


def _scripts(name: str, means: Means) -> list[tuple[str, str | None]]:
    """Return the scripts of the stanza, in their order."""
    configuration = means.configuration
    section = configuration.root.get(STANZA, name)
    inner = {} if section is None else section.all("scriptlet.script")
    return [(each, configuration.of(ScriptOptions, found).source) for each, found in inner.items()]


def _refused(name: str, error: ScriptError, what: str = "") -> PolicyError:
    found = located(error)
    return PolicyError(
        f'script "{name}": {what}{found.message}', stanza=STANZA, script=name, **found.fields
    )
