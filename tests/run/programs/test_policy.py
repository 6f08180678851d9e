"""angarium policy: its subcommands."""

from click.testing import CliRunner

from angarium.run.programs.policy import SUBCOMMANDS, command


def test_each_subcommand_is_there() -> None:
    for name in SUBCOMMANDS:
        result = CliRunner().invoke(command, [name, "--help"])
        assert result.exit_code == 0, result.output
