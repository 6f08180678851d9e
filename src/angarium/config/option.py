"""The declaration of options.

    class Shape(Options, direction="sending"):
        retry_interval = option(Duration(), 1200.0, scopes=SHAPING, doc="...")

One `option(...)` in a class body is the only place which names an option. The checks, the manual,
the console's `config` and the forms of the UI read OPTIONS, so none of them can disagree with the
code. On the class, the attribute is the `Option`; on an instance it is the value, in a slot.

What many stanzas have in common stands in a template: `class Module(Options, template=True)`. Each
`class X(Module, stanza="x")` has options of its own with these names, but for those it declares.

An option which two classes read is declared in one of them and named in the other:
`max_recipients_per_batch = Shape.max_recipients_per_batch`.
"""

import copy
import inspect
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Final, Generic, Literal, Self, TypeVar, overload

from angarium.config.kinds import Kind, Secret
from angarium.config.scope import STANZAS, WORKS, Naming, Scope, Standing, stanza
from angarium.config.scope import State as State
from angarium.core.errors import Error
from angarium.core.registry import Registry

T = TypeVar("T")

Direction = Literal["sending", "receiving", "both", "na"]
OURS: Final = "Angarium 1"  # the `since` of options which Momentum does not have


class Option(Generic[T]):
    """One option. Read through an instance of its class it is the plain value."""

    scopes: Scope
    doc: str
    unset: Mapping[Scope, T]
    dynamic: bool
    since: str
    state: State
    reason: str
    example: str
    safe: tuple[T, ...] | None
    only: tuple[str, ...]

    def __init__(self, kind: Kind[T], default: T, name: str = "") -> None:
        self.kind = kind
        self.default = default
        self.name = name
        self.attribute = ""
        self.stanza = ""
        self.direction: Direction | None = None
        self.owner: type[Options] | None = None  # the class which declares it

    def __set_name__(self, owner: type, name: str) -> None:
        if not self.attribute:
            self.attribute = name
            self.name = self.name or name

    @property
    def key(self) -> str:
        """Return the name in OPTIONS: "retry_interval", or "ec_logger.mainlog"."""
        return f"{self.stanza}.{self.name}" if self.stanza else self.name

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...
    @overload
    def __get__(self, instance: "Options", owner: type) -> T: ...
    def __get__(self, instance: "Options | None", owner: type) -> Self | T:
        return self if instance is None else self.default

    def __repr__(self) -> str:
        return f"<Option {self.key}>"


OPTIONS: Final[Registry[Option[Any]]] = Registry("option")
CLASSES: Final[dict[str, type["Options"]]] = {}  # stanza key to the class of its options


def option(  # noqa: PLR0913 - a declaration has this many sides
    kind: Kind[T],
    default: T,
    *,
    scopes: Scope = Scope.OWN,
    doc: str,
    name: str = "",
    unset: Mapping[Scope, T] | None = None,
    dynamic: bool = True,
    since: str = "",
    state: State = State.WORKS,
    reason: str = "",
    direction: Direction | None = None,
    example: str = "",
    safe: tuple[T, ...] | None = None,
    only: tuple[str, ...] = (),
) -> Option[T]:
    """Declare an option.

    Args:
        scopes: the stanzas in which it may stand; left out where the class names its stanza.
        name: in the file, where that is no name for an attribute.
        unset: for scopes which do not fall back, the value where it is not set.
        dynamic: a change is effective without a restart.
        since: version of Momentum which brought it, or OURS; left out: that of the class.
        reason: for a state other than WORKS: why, and what we do instead.
        direction: where it differs from that of the class.
        example: a value as it is written in a file, for the manual; it is tested.
        safe: as of `planned`, where it is not in `only`.
        only: the stanzas in which it works, "" for the file itself; elsewhere it is planned. ()
            is all.
    """
    made = Option(kind, default, name)
    made.scopes = scopes
    made.doc = inspect.cleandoc(doc)
    made.unset = unset or {}
    made.dynamic = dynamic
    made.since = since
    made.state = state
    made.direction = direction
    made.reason = " ".join(reason.split())
    made.example = example
    made.safe = safe
    made.only = only
    return made


def accepted(  # noqa: PLR0913 - a declaration has this many sides
    kind: Kind[T],
    default: T,
    *,
    reason: str,
    doc: str,
    scopes: Scope = Scope.GLOBAL,
    direction: Direction | None = None,
    dynamic: bool = True,
    since: str = "",
    name: str = "",
    example: str = "",
) -> Option[T]:
    """Declare an option which is understood and without effect here; `reason` says why."""
    return option(
        kind,
        default,
        doc=doc,
        scopes=scopes,
        dynamic=dynamic,
        since=since,
        state=State.ACCEPTED,
        reason=reason,
        direction=direction,
        name=name,
        example=example,
    )


def planned(  # noqa: PLR0913 - a declaration has this many sides
    kind: Kind[T],
    default: T,
    *,
    doc: str,
    scopes: Scope = Scope.OWN,
    direction: Direction | None = None,
    dynamic: bool = True,
    since: str = "",
    name: str = "",
    example: str = "",
    reason: str = "",
    unset: Mapping[Scope, T] | None = None,
    safe: tuple[T, ...] | None = None,
) -> Option[T]:
    """Declare an option which we do not have yet.

    Args:
        reason: what can be done instead, if anything.
        safe: for an option which protects somebody, the values which ask for no protection. Any
            other value refuses the file: going on without would leave somebody unprotected.
    """
    made = option(
        kind,
        default,
        doc=doc,
        scopes=scopes,
        dynamic=dynamic,
        since=since,
        state=State.PLANNED,
        reason=reason,
        direction=direction,
        name=name,
        example=example,
        unset=unset,
    )
    made.safe = safe
    return made


class Options:
    """The values of a class of options at one place of the configuration, frozen.

    Values live in slots of a subclass made at declaration: reading an option is one slot read.
    """

    __slots__ = ()

    stanza: ClassVar[str] = ""
    declared: ClassVar[tuple[Option[Any], ...]] = ()
    position: ClassVar[Mapping[str, int]] = {}  # name in the file to index in `declared`
    _template: ClassVar[bool] = False
    _slotted: ClassVar[type["Options"]]
    _setters: ClassVar[tuple[Any, ...]] = ()

    def __init_subclass__(
        cls,
        *,
        stanza: str = "",
        inside: tuple[str, ...] = ("",),
        naming: Naming = Naming.NEVER,
        direction: Direction = "na",
        free: bool = False,
        standing: Standing | None = None,
        since: str = "4.0",
        template: bool = False,
        slotted: bool = False,
    ) -> None:
        """Register the options of a class, and its stanza.

        Args:
            stanza: its key, see STANZAS; "" for options of the scopes which they name.
            inside: the keys of the stanzas it stands in; "" is the file itself.
            free: other options may stand in it and are kept as they are written.
            standing: of the stanza, and of its options which declare no state; else that of the
                stanza it stands in.
            since: version of Momentum which brought the options that do not say it.
            template: its options are copied to each class made of it, and are none themselves.
        """
        if slotted:
            return
        cls._template = template
        if template:
            return
        cls._take_templates()
        cls.stanza = stanza
        cls.declared = tuple(each for each in vars(cls).values() if isinstance(each, Option))
        cls.position = {each.name: index for index, each in enumerate(cls.declared)}
        standing = standing or (STANZAS[inside[0]].standing if inside[0] in STANZAS else WORKS)
        for each in cls.declared:
            if each.key not in OPTIONS or OPTIONS[each.key] is not each:
                each.owner, each.stanza = cls, stanza
                each.direction = each.direction or direction
                each.since = each.since or since
                if each.state is State.WORKS:
                    each.state, each.reason = standing.state, standing.reason
                OPTIONS.add(each.key, each, depth=2)
        if stanza:
            CLASSES[stanza] = cls
            declare_stanza(stanza, inside, naming, cls.__doc__ or "", standing, free=free)
        names = [name for name, value in vars(cls).items() if isinstance(value, Option)]
        cls._slotted = type(cls.__name__, (cls,), {"__slots__": names}, slotted=True)
        cls._setters = tuple(vars(cls._slotted)[name].__set__ for name in names)

    @classmethod
    def _take_templates(cls) -> None:
        """Give the class options of its own for those of the templates it is made of."""
        for base in cls.__mro__[1:]:
            if issubclass(base, Options) and base._template:
                for name, value in vars(base).items():
                    if isinstance(value, Option) and name not in vars(cls):
                        setattr(cls, name, copy.copy(value))

    @classmethod
    def of(cls, values: Iterable[object]) -> Self:
        """Return the instance with `values`, in the order of `declared`."""
        self = object.__new__(cls._slotted)
        for setter, value in zip(cls._setters, values, strict=True):
            setter(self, value)
        assert isinstance(self, cls)
        return self

    @classmethod
    def make(cls, **changes: object) -> Self:
        """Return the defaults with some values changed, by attribute; they are not checked."""
        known = {each: index for index, each in enumerate(cls.attributes())}
        values = [each.default for each in cls.declared]
        for name, value in changes.items():
            if name not in known:
                raise Error("no such option", option=name, where=cls.__name__)
            values[known[name]] = value
        return cls.of(values)

    def replace(self, **changes: object) -> Self:
        """Return a copy with some values changed, by attribute; they are not checked."""
        now = {name: getattr(self, name) for name in self.attributes()}
        return type(self).make(**now | changes)

    @classmethod
    def attributes(cls) -> tuple[str, ...]:
        """Return the names of the attributes, in the order of `declared`."""
        return tuple(each.attribute for each in cls.declared)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"options are frozen: {name}")

    def __repr__(self) -> str:
        shown = []
        for each in self.declared:
            value = getattr(self, each.attribute)
            if value != each.default:
                text = "***" if isinstance(each.kind, Secret) else repr(value)
                shown.append(f"{each.name}={text}")
        return f"<{type(self).__name__} {' '.join(shown)}>"


def declare_stanza(
    key: str, inside: tuple[str, ...], naming: Naming, doc: str, standing: Standing, *, free: bool
) -> None:
    """Declare the stanza which a class of options belongs to."""
    about = inspect.cleandoc(doc)
    stanza(key, Scope.OWN, inside, naming, free=free, doc=about, standing=standing)
