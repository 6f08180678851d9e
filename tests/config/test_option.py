"""The declaration of options: registered once, frozen, in slots."""

from collections.abc import Iterator

import pytest

from angarium.config.kinds import Bool, Int, Secret, Text
from angarium.config.option import CLASSES, OPTIONS, Options, State, accepted, option
from angarium.config.scope import STANZAS, Scope, Standing
from angarium.core.errors import Error


@pytest.fixture
def _registries() -> Iterator[None]:
    """Leave the registries as they were: a name is declared once per process."""
    options, stanzas, classes = dict(OPTIONS), dict(STANZAS), dict(CLASSES)
    yield
    for registry, before in ((OPTIONS._declared, options), (STANZAS._declared, stanzas)):
        for name in set(registry) - set(before):
            del registry[name]
    for name in set(CLASSES) - set(classes):
        del CLASSES[name]


pytestmark = pytest.mark.usefixtures("_registries")


def test_an_option_is_itself_on_the_class_and_its_value_on_an_instance() -> None:
    class Some(Options):
        some_number = option(Int(), 7, scopes=Scope.GLOBAL, doc="A number.")

    assert Some.some_number.name == "some_number"
    assert OPTIONS["some_number"] is Some.some_number
    assert Some.make().some_number == 7
    assert Some.make(some_number=8).some_number == 8
    assert isinstance(Some.make(), Some)


def test_options_are_frozen_and_in_slots() -> None:
    class Some(Options):
        some_number = option(Int(), 7, scopes=Scope.GLOBAL, doc="A number.")

    options = Some.make()
    with pytest.raises(AttributeError, match="frozen"):
        options.some_number = 8
    assert options.some_number == 7
    assert "some_number" in type(options).__slots__


def test_a_copy_differs_where_it_is_said_to() -> None:
    class Some(Options):
        first = option(Int(), 1, scopes=Scope.GLOBAL, doc="One.")
        second = option(Int(), 2, scopes=Scope.GLOBAL, doc="Two.")

    changed = Some.make(first=5).replace(second=6)
    assert (changed.first, changed.second) == (5, 6)
    with pytest.raises(Error, match="no such option"):
        changed.replace(third=1)


def test_two_classes_share_a_declaration_by_naming_it() -> None:
    class One(Options):
        shared = option(Int(), 1, scopes=Scope.GLOBAL, doc="One.")

    class Two(Options):
        shared = One.shared

    assert Two.shared is One.shared
    assert Two.make().shared == 1


def test_a_name_declared_twice_is_an_error() -> None:
    class One(Options):
        same = option(Int(), 1, scopes=Scope.GLOBAL, doc="One.")

    with pytest.raises(Error, match="declared twice"):

        class Two(Options):
            same = option(Int(), 1, scopes=Scope.GLOBAL, doc="One.")

    assert One.same.default == 1
    assert "Two" not in CLASSES


def test_options_of_a_stanza_have_its_name_before_theirs() -> None:
    class Module(Options, stanza="some_module"):
        """A module."""

        heartbeat = option(Int(), 60, doc="A time.")

    assert OPTIONS["some_module.heartbeat"] is Module.heartbeat
    assert STANZAS["some_module"].doc == "A module."
    assert CLASSES["some_module"] is Module


def test_a_name_in_the_file_may_differ_from_the_attribute() -> None:
    class Some(Options):
        unsafe = option(Int(), 1, name="_unsafe", scopes=Scope.GLOBAL, doc="One.")

    assert OPTIONS["_unsafe"] is Some.unsafe
    assert Some.make(unsafe=2).unsafe == 2


def test_an_option_without_effect_says_why() -> None:
    class Some(Options):
        idle = accepted(Int(), 1, reason="Nothing to tune.", doc="One.")

    assert Some.idle.state is State.ACCEPTED
    assert Some.idle.reason == "Nothing to tune."
    assert Some.idle.direction == "na"


def test_each_class_of_a_template_has_options_of_its_own() -> None:
    class Module(Options, template=True):
        enabled = option(Bool(), True, doc="Whether it works.")
        level = option(Int(), 1, doc="How much it says.")

    class One(Module, stanza="one_module"):
        level = option(Int(), 5, doc="More.")

    class Two(Module, stanza="two_module"):
        pass

    assert OPTIONS["one_module.enabled"] is One.enabled
    assert OPTIONS["two_module.enabled"] is Two.enabled
    assert OPTIONS["two_module.enabled"].owner is Two
    assert (One.make().level, Two.make().level) == (5, 1)
    assert Two.make(enabled=False).enabled is False
    assert not {"enabled", "level"} & set(OPTIONS)


def test_options_came_with_their_stanza_unless_they_say_otherwise() -> None:
    class Late(Options, stanza="late_module", since="5.3"):
        first = option(Int(), 1, doc="One.")
        second = option(Int(), 1, since="5.4", doc="Two.")

    assert (Late.first.since, Late.second.since) == ("5.3", "5.4")


def test_the_options_of_a_stanza_we_do_not_have_are_as_it_is() -> None:
    class Scanner(
        Options, stanza="some_scanner", standing=Standing(State.PLANNED, "Not yet.", "Unscanned")
    ):
        size = option(Int(), 1, doc="A size.")
        pool = accepted(Int(), 1, scopes=Scope.OWN, reason="No threads.", doc="A pool.")

    class Engine(Options, stanza="some_scanner.engine", inside=("some_scanner",)):
        host = option(Text(), "", doc="A host.")

    assert (Scanner.size.state, Scanner.size.reason) == (State.PLANNED, "Not yet.")
    assert (Scanner.pool.state, Scanner.pool.reason) == (State.ACCEPTED, "No threads.")
    assert Engine.host.state is State.PLANNED
    assert STANZAS["some_scanner.engine"].standing is STANZAS["some_scanner"].standing


def test_a_secret_is_not_printed() -> None:
    class Some(Options):
        password = option(Secret(), None, scopes=Scope.GLOBAL, doc="A secret.")
        login = option(Text(), None, scopes=Scope.GLOBAL, doc="A name.")

    shown = repr(Some.make(password="hidden", login="bob"))
    assert "hidden" not in shown
    assert "bob" in shown


def test_values_are_given_for_every_option() -> None:
    class Some(Options):
        first = option(Int(), 1, scopes=Scope.GLOBAL, doc="One.")

    with pytest.raises(ValueError, match="zip"):
        Some.of([1, 2])
