"""Where mail of this machine goes."""

from pathlib import Path

import pytest

from angarium.run.keyed import SettingsError
from angarium.run.submission.settings import MAILDROP, SERVER, VARIABLE, Settings


def test_what_a_file_says(tmp_path: Path) -> None:
    file = tmp_path / "sendmail.conf"
    file.write_text("server = [::1]:2525\nmaildrop = /x\nhostname = h.test\nmax_size = 1M\n")
    found = Settings.read(file)
    assert found == Settings(("::1", 2525), Path("/x"), "h.test", 1 << 20)
    assert Settings.read(None, {VARIABLE: str(file)}) == found


def test_without_a_file_it_is_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("angarium.run.submission.settings.FILE", Path("/nonexistent"))
    monkeypatch.setattr("socket.gethostname", lambda: "no host name")
    assert Settings.read(None, {}) == Settings(SERVER, MAILDROP, "localhost")


@pytest.mark.parametrize("text", ["server = a b", "max_size = much", "servers = x"])
def test_what_is_wrong_is_told(tmp_path: Path, text: str) -> None:
    (tmp_path / "x").write_text(text)
    with pytest.raises(SettingsError):
        Settings.read(tmp_path / "x")
    with pytest.raises(SettingsError):
        Settings.read(tmp_path / "missing")


def test_the_file_we_ship_is_one() -> None:
    shipped = Path(__file__).parents[3] / "etc/production/sendmail.conf"
    found = Settings.read(shipped)
    assert (found.server, found.maildrop, found.max_size) == (SERVER, MAILDROP, 64 << 20)
