"""`ec_md5passwd`: lines that DIGEST-MD5 can use, in a file that stays as it was."""

import hashlib
from pathlib import Path

import pytest
from click.testing import CliRunner

from angarium.run.programs.passwd import command

HASH = hashlib.md5(b"fred:Momentum Console:secret", usedforsecurity=False).hexdigest()
LINE = f"fred:Momentum Console:{HASH}"


def run(*words: str, said: str = "") -> tuple[int, str]:
    result = CliRunner().invoke(command, list(words), input=said, env={"EC_DIGEST_REALM": None})
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result.exit_code, result.output


@pytest.fixture(autouse=True)
def _title(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("setproctitle.setproctitle", lambda _: None)


def test_without_a_file_the_line_is_printed() -> None:
    result = CliRunner().invoke(command, ["fred", "secret"])
    assert result.stdout == LINE + "\n"
    assert run("fred", said="secret\n")[1].endswith(LINE + "\n")


def test_the_realm_is_named_or_in_the_environment() -> None:
    result = CliRunner().invoke(command, ["fred", "x"], env={"EC_DIGEST_REALM": "Mail"})
    assert result.stdout.startswith("fred:Mail:")
    result = CliRunner().invoke(command, ["-r", "Web", "fred", "x"])
    assert result.stdout.startswith("fred:Web:")


def test_a_file_is_made_for_the_server_only(tmp_path: Path) -> None:
    file = tmp_path / "console_passwd"
    assert run("-f", str(file), "fred", "secret") == (0, "Password updated.\n")
    assert file.read_text() == LINE + "\n"
    assert not file.stat().st_mode & 0o027


def test_other_lines_and_the_mode_stay(tmp_path: Path) -> None:
    file = tmp_path / "passwd"
    file.write_text("# users\nanna:Momentum Console:1\nfred:Momentum Console:old\nfred:Other:2")
    file.chmod(0o640)
    link = tmp_path / "link"
    link.symlink_to(file)
    run("-f", str(link), "fred", "secret")
    assert file.read_text() == (f"# users\nanna:Momentum Console:1\n{LINE}\nfred:Other:2\n")
    assert file.stat().st_mode & 0o777 == 0o640
    assert link.is_symlink()


@pytest.mark.parametrize("user", ["a:b", "a\nroot", "", "#x"])
def test_a_name_that_would_be_another_line_is_refused(tmp_path: Path, user: str) -> None:
    file = tmp_path / "passwd"
    code, _ = run("-f", str(file), user or "-r", "x") if user else run("-r", "", "u", "x")
    assert code == 2
    assert not file.exists()


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    code, told = run("-f", str(tmp_path / "no" / "passwd"), "fred", "secret")
    assert code == 1
    assert "secret" not in told
