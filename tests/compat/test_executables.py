"""Each option of Momentum's programs is one here, with a value or without.

`executables.json` has the facts: what a program is called with, and whether a value follows.
"""

import json
import tomllib
from importlib import import_module
from pathlib import Path

import click
import pytest

from angarium.run import dump_config, mta_sts_purge, spool_check, validate_config
from angarium.run.programs import (
    certificate,
    credentials,
    ctl,
    dkim_table,
    log_trace,
    passwd,
    rotate,
    sendmail,
    show,
)
from angarium.run.submission.arguments import parse

FACTS = json.loads(Path(__file__).with_name("executables.json").read_text("utf-8"))
COMMANDS: dict[str, click.Command] = {
    "create_ssl_cert": certificate.create_ssl_cert,
    "credmgr": credentials.command,
    "ec_ctl": ctl.command,
    "ec_dkim_ctl": dkim_table.ec_dkim_ctl,
    "ec_dump_config": dump_config.command,
    "ec_log_trace": log_trace.command,
    "ec_md5passwd": passwd.command,
    "ec_mta_sts_purge": mta_sts_purge.command,
    "ec_rotate": rotate.command,
    "ec_show": show.command,
    "ec_spool_check": spool_check.command,
    "validate_config": validate_config.command,
}
SAMPLES = {"-N": "never", "-R": "full"}


def options(command: click.Command) -> dict[str, bool]:
    """Return the options of a program, and whether a value follows."""
    context = click.Context(command, **command.context_settings)
    return {
        name: not (each.is_flag or each.count)
        for each in command.get_params(context)
        if isinstance(each, click.Option)
        for name in each.opts
    }


def test_all_programs_are_looked_at() -> None:
    assert set(FACTS) == {*COMMANDS, "ec_sendmail"}


@pytest.mark.parametrize("name", COMMANDS)
def test_options_are_those_of_momentum(name: str) -> None:
    ours = options(COMMANDS[name])
    missing = {
        option: valued
        for option, valued in FACTS[name].items()
        # Standard input is a name of a file.
        if option != "-" and ours.get(option) is not valued
    }
    assert missing == {}


@pytest.mark.parametrize(("option", "valued"), FACTS["ec_sendmail"].items())
def test_options_of_sendmail(option: str, valued: bool) -> None:
    assert parse([option, "x", "y"]).recipients == (["y"] if valued else ["x", "y"])


def test_each_has_its_name_in_the_package() -> None:
    project = tomllib.loads(
        (Path(__file__).parents[2] / "pyproject.toml").read_text("utf-8")
    )  # fmt: skip
    scripts = project["project"]["scripts"]
    for name in FACTS:
        module, _, function = scripts[name].partition(":")
        assert callable(getattr(import_module(module), function)), name
    assert sendmail.command.name == "sendmail"
