"""The page of commands says what `help` says."""

import reference_commands
from angarium.console.command import COMMANDS, declarations


def test_the_page_is_made_from_the_commands_of_today() -> None:
    assert reference_commands.main(["--check"]) == 0


def test_every_command_is_on_it() -> None:
    declarations()
    page = reference_commands.page()
    for name, each in COMMANDS.items():
        assert f"## {name}\n\n    {each.syntax}\n" in page
