"""The page of programs says what their --help says."""

import click

import reference_programs
from angarium.run.programs import cli


def test_the_page_is_made_from_the_programs_of_today() -> None:
    assert reference_programs.main(["--check"]) == 0


def test_every_program_and_option_is_on_it() -> None:
    page = reference_programs.page()
    group = click.Context(cli.main)
    for name in ("serve", "sink", "send", "doctor"):
        command = cli.main.get_command(group, name)
        assert command is not None
        assert f"## angarium {name}\n" in page
        assert all(f"`{each.opts[0]}" in page for each in command.params)


def test_a_bar_does_not_end_a_column() -> None:
    assert reference_programs.escaped("[a|b]") == r"[a\|b]"
