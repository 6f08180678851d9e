"""Loads a script of policy, and makes handlers of its decorated functions.

    script = load(name, path, generation)       the file, run once
    script.handlers(server, guard)              hooks and handlers, in the order of the file

A script is a module of its own in each generation, so a reload brings in what has changed and
sessions that are under way keep what they began with. What is wrong with it is told with file and
line, and refuses the configuration.
"""

import asyncio
import hashlib
import importlib.util
import inspect
import stat
import sys
import traceback
import typing
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from angarium.policy.guard import FAULTS, Handler, PolicyError
from angarium.policy.hooks import Answer, Hook, OfMail, OfSession
from angarium.policy.injected import HANDLED
from angarium.policy.runaway import MARK, Runaway
from angarium.policy.script import (
    Discard,
    Mark,
    Message,
    Moment,
    Refuse,
    Server,
    Session,
    Stop,
    on,
)
from angarium.policy.verdict import CONT, DONE, Verdict

STANZA: Final = "python"
# A file may take so long to load: what it imports is read from the disk. The watchdog has 60 s.
LOAD_SECONDS: Final = 30.0
Getter = Callable[[Any], Any]


class ScriptError(PolicyError):
    """A script cannot be used: `file` and `line` in the fields."""


@dataclass(frozen=True, slots=True)
class Function:
    """A decorated function, in the order of the file."""

    call: Callable[..., Any]
    mark: Mark
    line: int


class Script:
    """A script which was loaded.

    Attributes:
        name: of its stanza.
        functions: what it has for hooks and moments.
    """

    def __init__(self, name: str, path: Path, module: ModuleType) -> None:
        self.name = name
        self.path = path
        self.module = module
        self.functions = _functions(module)

    def handlers(self, server: Server) -> list[tuple[type[Hook], Handler]]:
        """Return a handler for each function that handles a hook.

        Raises:
            ScriptError: a function wants what its hook cannot give.
        """
        found = []
        for each in self.functions:
            if isinstance(each.mark.what, Moment):
                continue
            hook = each.mark.what
            call = _caller(each, hook, server, self.path)
            name = f"{self.name} {each.call.__name__}"
            found.append((hook, Handler(call, STANZA, name, file=str(self.path))))
        return found

    def moments(self, moment: Moment, server: Server) -> list[tuple[Mark, Callable[[], Any]]]:
        """Return what is to be called at a moment; it may return a coroutine."""
        return [
            (each.mark, _bare(each, server, self.path))
            for each in self.functions
            if each.mark.what is moment
        ]


def load(name: str, path: Path, generation: int, seconds: float = 0.0) -> Script:
    """Run the file.

    Args:
        seconds: its functions may run without a rest; 0: as long as the watchdog lets them.

    Raises:
        ScriptError: it cannot be read, others may write it, or it fails.
    """
    try:
        mode = path.stat().st_mode
    except OSError as error:
        raise ScriptError(f"script {name} cannot be read: {error.strerror}", file=path) from error
    if mode & stat.S_IWOTH:
        raise ScriptError(f"script {name} may be written by everybody: chmod o-w", file=path)
    digest = hashlib.sha256(str(path).encode()).hexdigest()[:8]
    title = f"angarium_policy_{digest}_{generation}"
    spec = importlib.util.spec_from_file_location(title, path)
    if spec is None or spec.loader is None:
        raise ScriptError(f"script {name} is no Python file", file=path)
    module = importlib.util.module_from_spec(spec)
    # Dataclasses and annotations look their module up by name.
    sys.modules[title] = module
    vars(module)[MARK] = LOAD_SECONDS
    sys.path.insert(0, str(path.parent))
    try:
        spec.loader.exec_module(module)
    except SyntaxError as error:
        raise ScriptError(
            f"script {name}: {error.msg}", file=error.filename or path, line=error.lineno or 0
        ) from error
    except FAULTS as error:
        line = _line_of(error, path)
        said = f"script {name}: {_reason(error)}"
        raise ScriptError(said, file=path, line=line) from error
    finally:
        sys.path.remove(str(path.parent))
    vars(module)[MARK] = seconds
    return Script(name, path, module)


def _reason(error: BaseException) -> str:
    if isinstance(error, AttributeError) and error.obj is on:
        known = ", ".join(each for each in dir(on) if not each.startswith("_"))
        return f"there is no hook on.{error.name}; there are {known}"
    return str(error) if isinstance(error, Runaway) else f"{type(error).__name__}: {error}"


def unload(script: Script) -> None:
    """Forget a module whose generation is gone."""
    sys.modules.pop(script.module.__name__, None)


def _line_of(error: BaseException, path: Path) -> int:
    frames = traceback.extract_tb(error.__traceback__)
    lines = [each.lineno for each in frames if each.filename == str(path)]
    return lines[-1] or 0 if lines else 0


def _functions(module: ModuleType) -> list[Function]:
    found = [
        Function(value, mark, value.__code__.co_firstlineno)
        for value in dict(vars(module)).values()
        if inspect.isfunction(value)
        for mark in reversed(getattr(value, "__policy__", ()))
    ]
    return sorted(found, key=lambda each: each.line)


# What a parameter gets, by its annotation.


def _session(event: Any) -> Session:
    return Session(event.session)


def _message(event: Any) -> Message:
    return Message(event.mail)


def _message_of_session(event: Any) -> Message:
    return Message(event.session.mail)


def _text(event: Any) -> str:
    text: str = event.text
    return text


def _itself(event: Any) -> Any:
    return event


def _getters(each: Function, hook: type[Hook] | None, server: Server, path: Path) -> list[Getter]:
    try:
        hints = typing.get_type_hints(each.call)
    except (NameError, TypeError) as error:
        raise _wrong(each, path, f"its annotations cannot be understood: {error}") from error
    getters = []
    for name, parameter in inspect.signature(each.call).parameters.items():
        wanted = hints.get(name)
        getter = None if wanted is None else _getter(wanted, hook, server)
        if getter is None:
            if parameter.default is not parameter.empty:
                break
            raise _wrong(
                each, path,
                f"its parameter {name} is of no type which {hook.name if hook else 'it'} can give:"
                f" {_offer(hook)}",
            )  # fmt: skip
        getters.append(getter)
    return getters


def _getter(wanted: Any, hook: type[Hook] | None, server: Server) -> Getter | None:
    if wanted is Server:
        return lambda _event: server
    if hook is None:
        return None
    of_session, of_mail = issubclass(hook, OfSession), issubclass(hook, OfMail)
    if wanted is Session and of_session:
        return _session
    if wanted is Message and (of_mail or of_session):
        return _message if of_mail else _message_of_session
    if wanted == Session | None and of_mail:
        return lambda event: None if event.session is None else Session(event.session)
    if wanted is Session and of_mail and hook.asked == "SMTP reception":
        return _session
    if wanted is str and "text" in hook.__dataclass_fields__:  # type: ignore[attr-defined]
        return _text
    return _itself if wanted is hook else None


def _offer(hook: type[Hook] | None) -> str:
    if hook is None:
        return "Server"
    kinds = ["Session", "Message", "Server", hook.__name__]
    if issubclass(hook, OfMail) and hook.asked != "SMTP reception":
        kinds[0] = "Session | None"
    if "text" in hook.__dataclass_fields__:  # type: ignore[attr-defined]
        kinds.append("str")
    return ", ".join(kinds)


def _wrong(each: Function, path: Path, what: str) -> ScriptError:
    return ScriptError(f"{each.call.__name__}: {what}", file=path, line=each.line)


def _bare(each: Function, server: Server, path: Path) -> Callable[[], Any]:
    getters = _getters(each, None, server, path)
    return lambda: each.call(*[get(None) for get in getters])


def _caller(
    each: Function, hook: type[Hook], server: Server, path: Path
) -> Callable[[Any], Answer]:
    getters = tuple(_getters(each, hook, server, path))
    function = each.call
    if inspect.iscoroutinefunction(function) and not hook.waits:
        raise _wrong(each, path, f"{hook.name} cannot wait, so it may not be async")

    sends = _has_server(each)

    def call(event: Any) -> Answer:
        before = HANDLED.set(event) if sends else None
        try:
            answer = function(*[get(event) for get in getters])
        except (Refuse, Discard, Stop) as wish:
            return _granted(event, wish)
        finally:
            if before is not None:
                HANDLED.reset(before)
        if answer is None:
            return None
        if asyncio.iscoroutine(answer):
            return _awaited(event, answer)
        return _meant(event, answer)

    return call


def _has_server(each: Function) -> bool:
    """Whether it may send mail, which is to know what it was sent about."""
    return Server in typing.get_type_hints(each.call).values()


async def _awaited(event: Any, answer: Awaitable[Any]) -> Verdict:
    HANDLED.set(event)  # in a task of its own
    try:
        return _meant(event, await answer)
    except (Refuse, Discard, Stop) as wish:
        return _granted(event, wish)


def _meant(event: Any, answer: Any) -> Verdict:
    if answer is None or answer is True:
        return CONT
    if isinstance(answer, Verdict):
        return answer
    if isinstance(answer, (Refuse, Discard, Stop)):
        return _granted(event, answer)
    raise PolicyError(f"a handler returns nothing, a Verdict, or what it refuses with: {answer!r}")


def _granted(event: Any, wish: Refuse | Discard | Stop) -> Verdict:
    """Do what a handler has raised."""
    if isinstance(wish, Refuse):
        event.refuse(wish.reply)
        if wish.hang_up and event.session is not None:
            event.session.disconnect = True
    elif isinstance(wish, Discard):
        _, mail = event.about
        if mail is None:
            raise PolicyError("there is no message which could be discarded")
        mail.discard(wish.reply)
    return DONE


def check(scripts: Sequence[Script], server: Server) -> None:
    """Raise ScriptError for a function which cannot be called."""
    for script in scripts:
        script.handlers(server)
        for moment in Moment:
            script.moments(moment, server)
