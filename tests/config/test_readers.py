"""An option which is said to work is read by somebody, and `readers` finds who it is."""

from typing import Any

import pytest

from angarium.config import readers as searched
from angarium.config.load import declarations
from angarium.config.option import CLASSES, OPTIONS, Option, State
from angarium.config.readers import holders, modules_with, readers
from angarium.modules.options import PolicyModule

declarations()

# Read of objects whose class is not named: the module which does it.
LOGGERS = ("bounce", "custom", "custom_bounce", "exim", "postfix", "sendmail")
OF_ANY = {f"{each}_logger.enabled": "angarium.run.hose" for each in LOGGERS}
OF_ANY |= {
    f"{stanza}.{name}": "angarium.run.policing"
    for stanza, declared in CLASSES.items()
    if issubclass(declared, PolicyModule)
    for name in ("enabled", "debug_level")
}
# Modules of policy which also look by themselves: they have work beside their hooks.
THEMSELVES = {
    "fingerprint.enabled", "httpsrv.enabled", "inbound_audit.enabled", "outbound_audit.enabled",
}  # fmt: skip
OF_ANY = {key: module for key, module in OF_ANY.items() if key not in THEMSELVES}
# Another option of the same name is read where both classes are named.
ALIKE = {"concurrency": "eventloop.concurrency"}
WORKING = [each for each in OPTIONS.values() if each.state is State.WORKS]


@pytest.mark.parametrize("declared", WORKING, ids=lambda each: each.key)
def test_an_option_which_works_is_read(declared: Option[Any]) -> None:
    if declared.key in OF_ANY:
        assert OF_ANY[declared.key] in modules_with(f".{declared.attribute}")
    else:
        assert readers(declared), "nobody reads it: wire it, or let its state say why not"


def test_what_is_read_in_another_way_needs_to_be() -> None:
    needless = {each for each in OF_ANY if readers(OPTIONS[each])}
    assert (needless, OF_ANY.keys() - {each.key for each in WORKING}) == (set(), set())


@pytest.mark.parametrize(
    "declared",
    [each for each in OPTIONS.values() if each.state is not State.WORKS],
    ids=lambda each: each.key,
)
def test_an_option_which_does_nothing_is_read_by_nobody_and_says_why(declared: Option[Any]) -> None:
    if declared.key not in ALIKE:
        assert readers(declared) == [], "it does something"
    if declared.reason or declared.state is State.ACCEPTED:
        assert len(declared.reason) > 20
        assert declared.reason.endswith(".")


def told(key: str) -> list[tuple[str, str]]:
    return [(each.module, each.function) for each in readers(OPTIONS[key])]


def test_a_reader_is_a_function_which_takes_the_attribute() -> None:
    assert ("angarium.queue.retry", "next_due") in told("retry_interval")
    assert ("angarium.run.programs.doctor", "machine") in told("spoolbase")


def test_a_class_which_carries_the_options_is_as_good_as_theirs() -> None:
    # Sessions have a `Profile`, whose field `options` is of the class `Reception`.
    assert holders(OPTIONS["static_banner"]) == {("Reception", "static_banner")}
    assert any(module.startswith("angarium.inbound.") for module, _ in told("static_banner"))


def test_the_rules_and_the_checks_read_by_name() -> None:
    assert ("angarium.config.check", "Checked._report_unknown_stanzas") in told("accept_unknown")
    assert any(module == "angarium.config.rules" for module, _ in told("relay_hosts"))


def test_a_line_is_where_it_is_read() -> None:
    reader = next(
        each for each in readers(OPTIONS["retry_interval"]) if each.function == "next_due"
    )
    source = searched._sources()[reader.module].split("\n")
    assert ".retry_interval" in source[reader.line - 1]
    assert str(reader) == f"angarium.queue.retry:{reader.line} next_due"
