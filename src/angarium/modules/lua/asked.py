"""What asks a script: a callout of one script as the handler of its hook.

    handler = Handler(Asked(state, table, hook, records, collecting, panic).call, ...)

The rule which keeps it simple: `fully` does what any hook may need. What a message meets at each
step needs little of it: that is written out in `_quickly`, which leaves the rest to the other.
"""

import re
from collections.abc import Callable, Coroutine, Sequence
from time import perf_counter
from typing import Any, Final

from angarium.modules.lua.callouts import IN_ORDER, Callout, NoAnswerError
from angarium.modules.lua.errors import ScriptError
from angarium.modules.lua.options import Scriptlet as Options
from angarium.modules.lua.runtime import FAULT, State, inside
from angarium.modules.lua.values import TableHandle
from angarium.policy.context import Session, Which
from angarium.policy.guard import PolicyError
from angarium.policy.hooks import Answer, Dealloc, Hook, OfMail, OfSession
from angarium.policy.mail import Mail
from angarium.policy.verdict import CONT, Verdict

STANZA: Final = "scriptlet"
# Octets of messages which Lua may hold without knowing it.
_OCTETS: Final = 32 << 20
_PLACE: Final = re.compile(r"(.+?):(\d+): (.*)", re.DOTALL)


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
    """One callout of one script.

    Attributes:
        call: asks it. Raises PolicyError: it failed.
    """

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
        self._callout = callout = Callout(hook)
        self._records = records
        self._collecting = collecting
        self._panic = panic
        self._waits = hook.waits
        self._enter = state.entrance(
            callout.wrapper(), hook.name, table.native, may_wait=hook.waits
        )
        self.call: Callable[[Any], Answer] = self.fully
        texts = "str" in hook.arguments
        if (
            callout.plain
            and not collecting.counts
            and issubclass(hook, OfMail | OfSession)
            and len(callout.kinds) == (1 if texts else 0)
        ):
            self.call = self._quickly(of_mail=issubclass(hook, OfMail), texts=texts)

    def _quickly(self, *, of_mail: bool, texts: bool) -> Callable[[Any], Answer]:
        """Return what asks it about a session, with the text of its hook or with nothing more."""
        state, enter, waits, records = self._state, self._enter, self._waits, self._records
        collecting, fully, end = self._collecting, self.fully, self._end
        has_message = self._callout.has_message

        def call(event: Any) -> Answer:
            session: Session | None = event.session
            if session is None:
                return fully(event)
            record = session.tables.get(STANZA)
            if record is None:
                record = records.of(session)
            number: int | None = None
            if has_message:
                mail: Mail | None = event.mail if of_mail else session.mail
                if mail is not None:
                    number = id(mail)
                    if of_mail and mail.whole:
                        collecting.holds(mail)
            before, state.turn = state.turn, (event, waits, None)
            try:
                if texts:
                    came = enter(record, number, event.text.encode("utf-8", "surrogateescape"))
                else:
                    came = enter(record, number)
                if came.__class__ is tuple:
                    came = state.outcome(came)
            except FAULT as error:
                raise located(inside(error)) from None
            except ScriptError as error:
                raise located(error) from error
            finally:
                state.turn = before
            if came.__class__ is int and 0 <= came <= 2:
                return IN_ORDER[came]
            return end(event, came, (), None)

        return call

    def fully(self, event: Hook) -> Answer:
        """Ask it, whatever hook it is. Raises PolicyError: it failed."""
        session, mail = event.about
        stand_in: Session | None = None
        callout = self._callout
        if session is None and mail is not None and callout.has_session:
            session = stand_in = _stand_in(mail)
        extras = callout.extras(event)
        record = self._records.of(session)
        number: int | None = None
        if callout.has_message and mail is not None:
            number = id(mail)
            if mail.whole:
                self._collecting.holds(mail)
        state = self._state
        before, state.turn = state.turn, (event, self._waits, None)
        try:
            came = self._enter(record, number, *callout.passed(extras))
            if came.__class__ is tuple:
                came = state.outcome(came)
        except FAULT as error:
            _forget(stand_in)
            raise located(inside(error)) from None
        except ScriptError as error:
            _forget(stand_in)
            raise located(error) from error
        finally:
            state.turn = before
        return self._end(event, came, extras, stand_in)

    def _end(
        self, event: Hook, came: Any, extras: tuple[object, ...], stand_in: Session | None
    ) -> Answer:
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
            raise located(error) from error
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
        self._collecting.called()
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
                each.call(event)
        finally:
            event.session.tables.pop(STANZA, None)
        return CONT


class Collecting:
    """Garbage of Lua: when it is collected, beside what Lua does by itself.

    To Lua a message is a few octets, whatever it holds here; so it is told of so many octets.

    Attributes:
        counts: each call is to be told, not only those with a content.
        last: the content which was told of last; 0: none yet.
    """

    def __init__(self, options: Options) -> None:
        self._pause, self._step = options.gc_pause, options.gc_stepmul
        self._every = 1 if options.always_gc else options.gc_every or 0
        self._steps = bool(options.gc_step_on_recycle)
        self._warn = options.warn_on_log_gc
        self.counts = bool(self._every or self._steps)
        self.last = self._calls = self._octets = 0
        self._state: State | None = None

    def set_up(self, state: State) -> None:
        state.collect(b"setpause", self._pause)
        state.collect(b"setstepmul", self._step)
        self._state = state

    def holds(self, mail: Mail) -> None:
        """Lua is given a message whose content is there."""
        batch = mail.message.batch
        if batch != self.last or not batch:  # Once, however many callouts see it in turn.
            self.last = batch
            self._octets += mail.message.body.size
            if self._octets > _OCTETS:
                self._octets = 0
                self._collect(b"collect")

    def called(self) -> None:
        """A callout is done."""
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


def located(error: ScriptError) -> PolicyError:
    """A failure with the place it names."""
    found = _PLACE.fullmatch(error.message)
    if found is None:
        return PolicyError(error.message)
    return PolicyError(found[3], file=found[1], line=int(found[2]))


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
