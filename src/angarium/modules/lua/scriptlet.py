"""scriptlet: runs policy in Lua.

    scriptlet "scriptlet" {
      script "mine" { source = "policy.mine" }
    }

All scripts of a worker share one Lua, which lives as long as its generation of the configuration.
What a script registers under the name of its stanza is asked, script by script in their order.
"""

import re
from collections.abc import Coroutine, Mapping, Sequence
from functools import partial
from time import perf_counter
from typing import Any, Final

from angarium.data.sources import Datasources
from angarium.inbound.authenticators import Authenticator
from angarium.modules.lua.api.control import added, commands_of, shown
from angarium.modules.lua.api.dns import OtherServers
from angarium.modules.lua.api.http import Requests
from angarium.modules.lua.api.httpsrv import HttpSession, registrations
from angarium.modules.lua.api.register import registered
from angarium.modules.lua.api.threads import Tasks
from angarium.modules.lua.api.timers import Timers, timers
from angarium.modules.lua.bind import Function
from angarium.modules.lua.callouts import IN_ORDER, Callout, NoAnswerError
from angarium.modules.lua.errors import ScriptError
from angarium.modules.lua.loader import Loader
from angarium.modules.lua.options import Script as ScriptOptions
from angarium.modules.lua.options import Scriptlet as Options
from angarium.modules.lua.packages import declare_all
from angarium.modules.lua.runtime import Limits, State
from angarium.modules.lua.schemes import ScriptScheme
from angarium.modules.lua.services import Services
from angarium.modules.lua.values import Held, TableHandle
from angarium.modules.means import Means
from angarium.net.dnscache import Resolver
from angarium.policy.context import Session, Which
from angarium.policy.endpoints import Endpoint, Request, Response
from angarium.policy.guard import Handler, PolicyError
from angarium.policy.hooks import ABSENT, HOOKS, Answer, Dealloc, Hook
from angarium.policy.mail import Mail
from angarium.policy.module import Command, Stops
from angarium.policy.shared.node import Shared
from angarium.policy.verdict import CONT, Verdict

STANZA: Final = "scriptlet"
# Octets of messages which Lua may hold without knowing it.
_OCTETS: Final = 32 << 20
_PLACE: Final = re.compile(r"(.+?):(\d+): (.*)", re.DOTALL)


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
            raise _located(error) from error
        finally:
            self._collecting.called(None)
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
            gone = Gone([self._asked("", each, Dealloc) for each in tables])
            found.append((Dealloc, Handler(gone, STANZA, f"{STANZA} {Dealloc.name}")))
        return found

    def _handler(self, name: str, table: TableHandle, hook: type[Hook]) -> Handler:
        asked = self._asked(name, table, hook)
        return Handler(asked, STANZA, f"script {name} {hook.name}", file=name)

    def _asked(self, name: str, table: TableHandle, hook: type[Hook]) -> "Asked":
        return Asked(self.state, table, hook, self._records, self._collecting, self._panic)


class Records:
    """What Lua keeps for each session: its objects, its own globals, its tables `self`."""

    def __init__(self, state: State) -> None:
        self._make = state.records()
        self.none = self._make(None)

    def of(self, session: Session | None) -> object:
        """Return the record of a session, made with the first call for it."""
        if session is None:
            return self.none
        found = session.tables.get(STANZA)
        if found is None:
            found = session.tables[STANZA] = self._make(session)
        return found


class Asked:
    """One callout of one script, as a handler of its hook."""

    __slots__ = ("_callout", "_collecting", "_enter", "_panic", "_records", "_state", "_waits")

    def __init__(
        self,
        state: State,
        table: TableHandle,
        hook: type[Hook],
        records: Records,
        collecting: "Collecting",
        panic: Any,
    ) -> None:
        self._state = state
        self._callout = Callout(hook)
        self._records = records
        self._collecting = collecting
        self._panic = panic
        self._waits = hook.waits
        self._enter = state.entrance(
            self._callout.wrapper(), hook.name, table.native, may_wait=hook.waits
        )

    def __call__(self, event: Hook) -> Answer:
        """Ask it. Raises PolicyError: it failed."""
        session, mail = event.about
        stand_in: Session | None = None
        callout = self._callout
        if session is None and mail is not None and callout.has_session:
            session = stand_in = _stand_in(mail)
        extras = callout.extras(event) if callout.kinds else ()
        passed = callout.passed(extras) if callout.kinds else ()
        record = session and session.tables.get(STANZA)
        if record is None:
            record = self._records.of(session)
        given = Held(mail) if callout.has_message and mail is not None else None
        try:
            came = self._state.call_out(self._enter, event, self._waits, record, given, passed)
        except ScriptError as error:
            _forget(stand_in)
            raise _located(error) from error
        if came.__class__ is int and stand_in is None and callout.plain and 0 <= came <= 2:
            if self._collecting.counts or (mail is not None and mail.whole):
                self._collecting.called(mail)
            return IN_ORDER[came]
        if isinstance(came, Coroutine):
            return self._later(event, came, extras, stand_in)
        return self._done(event, came if isinstance(came, tuple) else (came,), extras, stand_in)

    async def _later(
        self,
        event: Hook,
        coming: Coroutine[Any, Any, tuple[object, ...]],
        extras: tuple[object, ...],
        stand_in: Session | None,
    ) -> Verdict:
        try:
            came = await coming
        except ScriptError as error:
            raise _located(error) from error
        finally:
            _forget(stand_in)
        return self._done(event, came, extras, stand_in)

    def _done(
        self,
        event: Any,
        came: tuple[object, ...],
        extras: tuple[object, ...],
        stand_in: Session | None,
    ) -> Verdict:
        if stand_in is not None:
            _forget(stand_in)
            _apply(event, stand_in)
        self._collecting.called(event.about[1])
        try:
            return self._callout.verdict(event, came[0] if came else None, extras)
        except NoAnswerError:
            # As Momentum says it; what then becomes of the mail it does not say.
            self._panic(f"{type(event).name} error: (null)")
            return CONT


class Gone:
    """A session is over: validate_dealloc of those scripts which saw it, then it is forgotten."""

    def __init__(self, asked: Sequence[Asked]) -> None:
        self._asked = asked

    def __call__(self, event: Dealloc) -> Answer:
        if STANZA not in event.session.tables:
            return CONT
        try:
            for each in self._asked:
                each(event)
        finally:
            event.session.tables.pop(STANZA, None)
        return CONT


class Collecting:
    """Garbage of Lua: when it is collected, beside what Lua does by itself.

    To Lua a message is a few octets, whatever it holds here; so it is told of so many octets.

    Attributes:
        counts: each call is to be told, not only those with a content.
    """

    def __init__(self, options: Options) -> None:
        self._pause, self._step = options.gc_pause, options.gc_stepmul
        self._every = 1 if options.always_gc else options.gc_every or 0
        self._steps = bool(options.gc_step_on_recycle)
        self._warn = options.warn_on_log_gc
        self.counts = bool(self._every or self._steps)
        self._calls = self._octets = self._last = 0
        self._state: State | None = None

    def set_up(self, state: State) -> None:
        state.collect(b"setpause", self._pause)
        state.collect(b"setstepmul", self._step)
        self._state = state

    def called(self, mail: Mail | None) -> None:
        """A callout is done, which had this message in its hands."""
        if mail is not None and mail.whole and (not self._last or mail.message.batch != self._last):
            self._last = mail.message.batch  # Once, however many callouts see it one after another.
            self._octets += mail.message.body.size
            if self._octets > _OCTETS:
                self._octets = 0
                self._collect(b"collect")
        if not self.counts:
            return
        self._calls += 1
        if self._every and self._calls % self._every == 0:
            self._collect(b"collect")
        elif self._steps:
            self._collect(b"step")

    def _collect(self, how: bytes) -> None:
        state = self._state
        assert state is not None
        began = perf_counter()
        state.collect(how)
        taken = (perf_counter() - began) * 1000
        if self._warn is not None and taken > self._warn:
            state.panic(f"collecting garbage took {taken:.0f} ms")


def _scripts(name: str, means: Means) -> list[tuple[str, str | None]]:
    """Return the scripts of the stanza, in their order."""
    configuration = means.configuration
    section = configuration.root.get(STANZA, name)
    inner = {} if section is None else section.all("scriptlet.script")
    return [(each, configuration.of(ScriptOptions, found).source) for each, found in inner.items()]


def _located(error: ScriptError) -> PolicyError:
    """A failure with the place it names."""
    found = _PLACE.fullmatch(error.message)
    if found is None:
        return PolicyError(error.message)
    return PolicyError(found[3], file=found[1], line=int(found[2]))


def _refused(name: str, error: ScriptError, what: str = "") -> PolicyError:
    found = _located(error)
    return PolicyError(
        f'script "{name}": {what}{found.message}', stanza=STANZA, script=name, **found.fields
    )


def _stand_in(mail: Mail) -> Session:
    """A session for a message which comes without one: from the queue, or made here."""
    made = Session(connection=mail.message.connection, service="")
    made.variables = dict(mail.message.session_variables)
    made.mail, made.step = mail, mail.step
    return made


def _forget(session: Session | None) -> None:
    """Let a session go that is none: Lua holds it by its record, and it holds the record."""
    if session is not None:
        session.tables.pop(STANZA, None)


def _apply(event: Any, session: Session) -> None:
    """What a script did to a session that is none is done to its message."""
    mail = session.mail
    assert mail is not None
    before = mail.message.session_variables
    for key, value in session.variables.items():
        if before.get(key) != value:
            mail.set(Which.CONNECTION, key, value)
    for key in [each for each in before if each not in session.variables]:
        mail.delete(Which.CONNECTION, key)
    if session.reply is not None and session.refused:
        event.refuse(session.reply)
