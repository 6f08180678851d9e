"""What hooks have in common; they themselves stand in `hooks`."""

import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Final, TypeVar

from angarium.core.registry import Registry
from angarium.core.reply import Reply
from angarium.policy.context import Session, Steps
from angarium.policy.mail import Mail
from angarium.policy.verdict import Verdict

HOOKS: Final = Registry["type[Hook]"]("hook")
SMTP: Final = "SMTP reception"
ALL: Final = "every way in"
LOG: Final = "the end of an attempt"
DIAL: Final = "a connection to a host"
SEEDS: Final = "the module seedlist"


class Hook:
    """What all hooks have in common.

    Attributes:
        name: as scripts register it.
        arguments: what scripts are called with.
        waits: a handler may wait for something; else it must answer at once.
        asked: by what.
        step: how far the session is.
    """

    __slots__ = ()
    name: ClassVar[str] = ""
    arguments: ClassVar[tuple[str, ...]] = ()
    waits: ClassVar[bool] = True
    asked: ClassVar[str] = SMTP
    step: ClassVar[Steps] = Steps.CONNECT

    def __init_subclass__(
        cls,
        *,
        name: str = "",
        arguments: tuple[str, ...] = (),
        waits: bool = True,
        asked: str = SMTP,
        step: Steps = Steps.CONNECT,
    ) -> None:
        # A dataclass with slots is made twice; the second one counts, and it has no keywords.
        if name:
            cls.name, cls.arguments, cls.waits = name, arguments, waits
            cls.asked, cls.step = asked, step

    @property
    def about(self) -> tuple[Session | None, Mail | None]:
        """The session and the message it is asked about."""
        raise NotImplementedError

    def refuse(self, reply: Reply) -> None:
        """Say no to what is asked, as far as this hook can."""
        raise NotImplementedError


@dataclass(slots=True)
class TlsParameters:
    """What TLS to a host is to be like, by the names scripts know.

    Attributes:
        use_tls: 0 no, 1 ifavailable, 2 required.
        tls_verify: 0 no, 1 ca, 2 host.
    """

    use_tls: int = 0
    tls_verify: int = 0
    certfile: str = ""
    keyfile: str = ""
    ca: str = ""
    cipherlist: str = ""


H = TypeVar("H", bound=type[Hook])


def hook(cls: H) -> H:
    """Declare a hook."""
    HOOKS.add(cls.name, cls, depth=2)
    return cls


@dataclass(slots=True)
class OfSession(Hook):
    """What is asked about a session; `session.mail` is the message under way, if there is one."""

    session: Session

    @property
    def about(self) -> tuple[Session | None, Mail | None]:
        return self.session, self.session.mail

    def refuse(self, reply: Reply) -> None:
        self.session.reply = reply


@dataclass(slots=True)
class OfMail(Hook):
    """What is asked about a message, and the session which brings it, if there is one."""

    mail: Mail
    session: Session | None = None

    @property
    def about(self) -> tuple[Session | None, Mail | None]:
        return self.session, self.mail

    def refuse(self, reply: Reply) -> None:
        if self.session is not None:
            self.session.reply = reply
        else:
            self.mail.reply = reply


F = TypeVar("F", bound=Callable[..., Any])
Answer = Verdict | None | Awaitable[Verdict | None]


def on(which: type[Hook]) -> Callable[[F], F]:
    """Mark a method of a module as a handler of a hook; it may have several marks."""

    def mark(method: F) -> F:
        method.__dict__.setdefault("hooks", []).append(which)
        return method

    return mark


def marked(module: object) -> list[tuple[type[Hook], Callable[[Any], Answer]]]:
    """Return the hooks a module handles, and the methods which do, in the order of hooks."""
    found = [
        (which, method)
        for _, method in inspect.getmembers(module, inspect.ismethod)
        for which in getattr(method, "hooks", ())
    ]
    order = list(HOOKS.values())
    return sorted(found, key=lambda each: order.index(each[0]))
