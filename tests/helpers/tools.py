"""Programs on configuration files as an operator runs them."""

from pathlib import Path

from click.testing import CliRunner

from angarium.run.programs.cli import main


def angarium(*words: str | Path) -> tuple[int, str]:
    """Run `angarium` with these words; return its exit code and what it said."""
    result = CliRunner().invoke(main, [str(each) for each in words])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output


def file(folder: Path, text: str | bytes, name: str = "ecelerity.conf") -> Path:
    """Write a file of a configuration."""
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path
