"""Policy in Python: what a script imports.

    from angarium.policy.script import Message, Refuse, Session, on

    @on.recipient
    def no_relay_by_night(address: str, session: Session) -> None:
        if session.address == "192.0.2.1":
            raise Refuse(550, "5.7.1 not from there")

A handler takes what its parameters name by their types, in any order: `Session`, `Message`,
`Server`, `str` (the text of the command, where there is one), and the event itself. It may be
`async`; then only its own session waits. It says yes by returning, no by raising `Refuse`, and
`Discard` drops the message while the sender hears yes. `raise Stop` ends the chain without either.
"""

import enum
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeVar

from angarium.core.address import split
from angarium.core.ident import printed
from angarium.core.lane import CLASSES
from angarium.core.message import Recipient
from angarium.core.reply import from_text
from angarium.mail.format.draft import Draft
from angarium.policy import context, given, hooks
from angarium.policy.authentication import Authentication as Authentication
from angarium.policy.authentication import Signature as Signature
from angarium.policy.context import Which
from angarium.policy.given import Headers, Strings, Variables
from angarium.policy.mail import Mail

Function = TypeVar("Function", bound=Callable[..., Any])


class Stop(Exception):  # noqa: N818 - a script says what is to be done, not what went wrong
    """Ask no further handler of this hook; neither yes nor no."""


class Refuse(Exception):  # noqa: N818
    """Say no, with a reply: `Refuse(550, "5.7.1 not here")`, or a whole one, `Refuse("450 ...")`.

    Args:
        hang_up: end the session then.
    """

    def __init__(self, code: int | str, text: str = "", *, hang_up: bool = False) -> None:
        super().__init__(code, text)
        self.reply = from_text(f"{code} {text}" if isinstance(code, int) else code, 550)
        self.hang_up = hang_up
        if self.reply.positive:
            raise ValueError(f"{self.reply} refuses nothing")


class Discard(Exception):  # noqa: N818
    """Drop the message; its sender hears yes. The reason stands in rejectlog."""

    def __init__(self, reason: str = "5.7.0 discarded by policy") -> None:
        super().__init__(reason)
        self.reply = from_text(f"550 {reason}")


class Moment(enum.Enum):
    """When a function is called that handles no hook."""

    START = "the generation comes into force"
    STOP = "its last session has gone"
    EVERY = "so many seconds have passed"


@dataclass(frozen=True, slots=True)
class Mark:
    """What a decorator has written at a function."""

    what: type[hooks.Hook] | Moment
    seconds: float = 0.0


def _marking(what: type[hooks.Hook] | Moment, seconds: float = 0.0) -> Callable[[Any], Any]:
    def mark(function: Any) -> Any:
        function.__dict__.setdefault("__policy__", []).append(Mark(what, seconds))
        return function

    return mark


class _On:
    """The decorators: `@on.data`, or by the name Lua has for a hook, `@on("validate_data")`."""

    def __call__(self, name: str) -> Callable[[Function], Function]:
        if name not in hooks.HOOKS:
            raise ValueError(f"there is no hook {name!r}; known are {', '.join(hooks.HOOKS)}")
        return _marking(hooks.HOOKS[name])

    accept = staticmethod(_marking(hooks.Accept))
    connect = staticmethod(_marking(hooks.Connect))
    hello = staticmethod(_marking(hooks.Ehlo))
    sender = staticmethod(_marking(hooks.MailFrom))
    recipient = staticmethod(_marking(hooks.RcptTo))
    recipients = staticmethod(_marking(hooks.RcptToListFinal))
    data = staticmethod(_marking(hooks.Data))
    message = staticmethod(_marking(hooks.DataSpool))
    each_recipient = staticmethod(_marking(hooks.EachRcpt))
    routing = staticmethod(_marking(hooks.RoutingDomain))
    binding = staticmethod(_marking(hooks.SetBinding))
    signing = staticmethod(_marking(hooks.FinalValidation))
    sealing = staticmethod(_marking(hooks.PostFinalValidation))
    delivered = staticmethod(_marking(hooks.LogDelivery))
    failed = staticmethod(_marking(hooks.LogPermanentFailure))
    deferred = staticmethod(_marking(hooks.LogTransientFailure))
    requeued = staticmethod(_marking(hooks.Requeue))
    report = staticmethod(_marking(hooks.GenerateReport))
    closed = staticmethod(_marking(hooks.Dealloc))
    start = staticmethod(_marking(Moment.START))
    stop = staticmethod(_marking(Moment.STOP))

    @staticmethod
    def every(seconds: float) -> Callable[[Function], Function]:
        """Call a function each so many seconds, in each worker."""
        if seconds < 0.1:
            raise ValueError("more than ten times a second is no interval")
        return _marking(Moment.EVERY, seconds)


on: Final = _On()


class Message:
    """The message under way. What belongs to one recipient is set from `on.each_recipient` on."""

    __slots__ = ("mail",)

    def __init__(self, mail: Mail) -> None:
        self.mail = mail

    @property
    def id(self) -> str:
        """Its id, as logs have it."""
        return printed(self.mail.message.batch)

    @property
    def sender(self) -> str:
        """The envelope sender; "" is the null sender. May be set."""
        return self.mail.sender

    @sender.setter
    def sender(self, address: str) -> None:
        self.mail.sender = given.address(address, "the sender")

    @property
    def sender_domain(self) -> str:
        return split(self.mail.sender)[1].lower() if self.mail.sender else ""

    @property
    def recipient(self) -> str:
        """The address it is about, or the last one named. May be set in `on.each_recipient`."""
        return self.mail.rcptto

    @recipient.setter
    def recipient(self, address: str) -> None:
        self.mail.readdress(given.address(address, "the recipient"))

    @property
    def recipient_domain(self) -> str:
        return split(self.mail.rcptto)[1].lower()

    @property
    def recipients(self) -> Sequence[str]:
        """The addresses of all recipients."""
        return [each.address for each in self.mail.recipients]

    def add_recipient(self, address: str) -> None:
        """Add one, before `on.each_recipient`; a blind copy, for instance."""
        self._still_open()
        if given.address(address, "the recipient") not in self.recipients:
            self.mail.recipients.append(Recipient(address, split(address)[1].lower()))

    def remove_recipient(self, address: str) -> None:
        """Remove one, before `on.each_recipient`. Raises KeyError."""
        self._still_open()
        found = [each for each in self.mail.recipients if each.address == address]
        if not found:
            raise KeyError(address)
        self.mail.recipients.remove(found[0])

    def _still_open(self) -> None:
        if self.mail.recipient is not None:
            raise RuntimeError("the recipients are settled: each one has a message of its own now")

    @property
    def headers(self) -> Headers:
        """The header."""
        return Headers(self.mail)

    @property
    def body(self) -> bytes:
        """The body, as it came. May be set."""
        return self.mail.draft.body_octets

    @body.setter
    def body(self, body: bytes) -> None:
        self.mail.edited.set_body(given.octets(body, "the body"))

    @property
    def raw(self) -> bytes:
        """All of it."""
        return self.mail.draft.whole()

    @property
    def draft(self) -> Draft:
        """The content as `mail/format/draft` has it: for what is not here, such as its parts."""
        return self.mail.edited

    @property
    def size(self) -> int:
        return self.mail.size

    @property
    def variables(self) -> Variables:
        """The message's dictionary."""
        return Variables(self.mail, Which.MESSAGE)

    @property
    def connection(self) -> Variables:
        """The dictionary of the session which brought it; it is kept with the message."""
        return Variables(self.mail, Which.CONNECTION)

    @property
    def binding(self) -> str:
        """By which binding it leaves; "" as long as nobody has said. Set it in `on.binding`."""
        recipient = self.mail.recipient
        return "" if recipient is None else recipient.binding

    @property
    def binding_group(self) -> str:
        recipient = self.mail.recipient
        return "" if recipient is None else recipient.binding_group

    @property
    def routing_domain(self) -> str:
        """By which domain it is routed. May be set, for one recipient or for all."""
        return self.mail.routing_domain

    @routing_domain.setter
    def routing_domain(self, domain: str) -> None:
        self.mail.routing_domain = given.domain(domain, "the routing domain")

    @property
    def priority(self) -> int:
        return self.mail.priority

    @priority.setter
    def priority(self, priority: int) -> None:
        self.mail.priority = given.whole(priority, "the priority", CLASSES - 1)

    @property
    def fairness_key(self) -> str:
        """Whose turns it takes in a queue: a tenant, a campaign. May be set."""
        return self.mail.fairness_key

    @fairness_key.setter
    def fairness_key(self, key: str) -> None:
        self.mail.fairness_key = given.text(key, "the fairness key")

    @property
    def reply(self) -> str:
        """What a host said, in `on.delivered`, `on.failed` and `on.deferred`. May be set there."""
        return "" if self.mail.reply is None else str(self.mail.reply)

    @reply.setter
    def reply(self, line: str) -> None:
        self.mail.reply = from_text(given.text(line, "the reply"))


class Session:
    """The session which brings mail."""

    __slots__ = ("context",)

    def __init__(self, of: context.Session) -> None:
        self.context = of

    @property
    def id(self) -> str:
        return printed(self.context.connection)

    @property
    def address(self) -> str:
        """IP address of the client."""
        return self.context.address

    @property
    def port(self) -> int:
        return self.context.port

    @property
    def local_address(self) -> str:
        return self.context.local_address

    @property
    def local_port(self) -> int:
        return self.context.local_port

    @property
    def pathway(self) -> str:
        return self.context.pathway

    @property
    def hello(self) -> str:
        """What the client calls itself."""
        return self.context.variables.get("ehlo_domain", "")

    @property
    def variables(self) -> MutableMapping[str, str]:
        """The connection's dictionary."""
        return Strings(self.context.variables)

    @property
    def state(self) -> dict[str, Any]:
        """Anything scripts want to remember until the session ends; never logged or stored."""
        found: dict[str, Any] = self.context.tables.setdefault("python", {})
        return found

    @property
    def message(self) -> Message | None:
        """The message under way."""
        return None if self.context.mail is None else Message(self.context.mail)

    @property
    def trusted(self) -> bool:
        """Whether it may send to any domain. May be set."""
        return self.context.trusted

    @trusted.setter
    def trusted(self, trusted: bool) -> None:
        self.context.variables["can_relay"] = "true" if trusted else "false"

    @property
    def talks_early(self) -> bool:
        """Whether it has sent something before it was asked to, which mail servers never do."""
        return self.context.heard()

    def tarpit(self, seconds: float) -> None:
        """Let the next answer wait."""
        self.context.tarpit = max(self.context.tarpit, given.span(seconds, "a tarpit"))

    def offer(self, line: str) -> None:
        """Offer an extension in the answer to EHLO."""
        self.context.added.append(given.address(line, "an extension"))

    def withhold(self, word: str) -> None:
        """Do not offer an extension."""
        self.context.removed.add(given.text(word, "an extension").upper())


Row = Mapping[str, Any]


class Server(Protocol):
    """What is around a script: names, databases, what the workers share, mail of its own."""

    @property
    def name(self) -> str:
        """Our host name."""
        ...

    @property
    def settings(self) -> Mapping[str, str]:
        """What else stands in the stanza of the script."""
        ...

    def now(self) -> float:
        """Return Unix time."""
        ...

    def log(self, text: str) -> None:
        """Write a line to paniclog."""
        ...

    def sleep(self, seconds: float) -> Awaitable[None]:
        """Wait; only the session waits with it."""
        ...

    async def lookup(self, name: str, kind: str = "A") -> list[str]:
        """Ask DNS: A, AAAA, MX, TXT, PTR (of an address) and others; [] if there is nothing.

        Raises:
            LookupError: it could not be found out.
        """
        ...

    async def query(self, source: str, statement: str, *values: Any, **named: Any) -> list[Row]:
        """Ask a datasource, by its name; values go where `?` or `:name` stands in the statement."""
        ...

    def counter(self, name: str, add: float = 0) -> float:
        """Add to a counter of the node, and return what it is."""
        ...

    def series(self, name: str, key: str, add: float = 1, *, seconds: int = 60) -> float:
        """Add to the sliding window of a key, and return its sum: for limits by rate."""
        ...

    def remember(self, name: str, key: str, value: str, seconds: float) -> None:
        """Keep a value for all workers of the node, for so long."""
        ...

    def recall(self, name: str, key: str) -> str | None:
        """Return what was kept, None if nothing is."""
        ...

    def bindings(self, group: str = "") -> list[str]:
        """Return the names of the bindings of a group, or of all."""
        ...

    def bind(self, message: Message, binding: str = "", *, group: str = "") -> bool:
        """Let a message leave by a binding, or by one of a group; say whether there is such a one.

        Only in `on.binding`.
        """
        ...

    async def send(self, sender: str, recipients: Sequence[str], content: bytes) -> str:
        """Hand in mail of our own; when this returns it is on the disk. Returns its id.

        Raises:
            RuntimeError: it was not taken.
        """
        ...

    def authentication(self, message: Message) -> Authentication:
        """Return what spf_v1, dkim_validate, openarc and dmarc have found about a message so far.

        From `on.data` on, as far as they are in the configuration.
        """
        ...

    async def signatures(self, message: Message) -> list[Signature]:
        """Check the signatures of DKIM as the message is now, and return them from the top."""
        ...

    async def sign(
        self,
        message: Message,
        *,
        domain: str = "",
        selector: str = "",
        key: str = "",
        headers: Sequence[str] = (),
        oversign: Sequence[str] = (),
        canon: str = "",
        identity: str = "",
    ) -> None:
        """Put a signature of DKIM before a message, in `on.signing`; RSA is computed in a thread.

        What is not said is as in the stanza opendkim, which may have `enabled = false`. `key` is a
        file, in which %{d} and %{s} stand for domain and selector, or the key itself in PEM;
        `canon` is relaxed (also where there is no such stanza) or simple.

        Raises:
            ValueError: there is no selector or no key, or it is not one for this.
        """
        ...

    async def seal(
        self, message: Message, *, domain: str, selector: str, key: str, results: str = ""
    ) -> bool:
        """Put a set of ARC before a message, in `on.sealing`; say whether anybody may add one.

        `results` is what was found, in the words of Authentication-Results; "": what those fields
        of ours say.

        Raises:
            ValueError: there is no key there, or it is not one for this.
        """
        ...
