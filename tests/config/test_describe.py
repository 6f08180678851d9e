"""The one description of an option."""

import pytest

from angarium.config.describe import describe, options_of, stanza_kinds, text
from angarium.config.grammar import Setting, parse
from angarium.config.kinds import Secret
from angarium.config.load import declarations
from angarium.config.option import OPTIONS, Option, State
from angarium.config.scope import STANZAS, TOP, Scope

declarations()


@pytest.mark.parametrize("declared", OPTIONS.values(), ids=lambda each: each.key)
def test_every_option_is_fully_described(declared: Option[object]) -> None:
    about = describe(declared)
    assert about.scopes
    assert about.doc.endswith((".", ")"))
    assert about.kind
    assert about.since
    assert declared.direction in ("sending", "receiving", "both", "na")
    assert declared.state is not State.ACCEPTED or about.reason


@pytest.mark.parametrize("declared", OPTIONS.values(), ids=lambda each: each.key)
def test_a_default_as_written_is_the_default(declared: Option[object]) -> None:
    default = describe(declared).default
    if default:
        setting = parse("x", f"x = {default}".encode()).items[0]
        assert isinstance(setting, Setting)
        value = declared.kind.parse(setting.value)
        assert value == declared.default or str(value) == str(declared.default)


def test_a_host_says_what_unset_means_there() -> None:
    assert describe(OPTIONS["max_outbound_connections"]).unset == (("host", "-1"),)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("fips_mode", "Any value but false refuses the file. TLS goes by"),
        ("retry_interval", ""),
    ],
)
def test_what_is_refused_is_said(name: str, told: str) -> None:
    assert describe(OPTIONS[name]).reason.startswith(told)


def test_a_secret_is_not_shown() -> None:
    class Hidden(Option[str]):
        pass

    assert text(Hidden(Secret(), ""), "swordfish") == "***"


def test_options_of_a_stanza_are_those_which_may_stand_there() -> None:
    assert OPTIONS["retry_interval"] in options_of(STANZAS["domain"])
    assert OPTIONS["spoolbase"] not in options_of(STANZAS["domain"])
    assert OPTIONS["ec_logger.mainlog"] in options_of(STANZAS["ec_logger"])
    assert OPTIONS["ec_logger.mainlog"] not in options_of(TOP)


def test_the_file_itself_is_a_stanza_too() -> None:
    assert {each.key for each in stanza_kinds()} == {"", *STANZAS}
    assert Scope.GLOBAL is TOP.scope
