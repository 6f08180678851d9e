"""Files of `name = value`."""

from pathlib import Path

import pytest

from angarium.run.keyed import MOST, SettingsError, read

TEXT = """
# comment
enabled=yes
logfiles =  /a/mainlog.ec \\
            /a/paniclog.ec \\
            /a/b c.ec
Retention = 7
retention = 8
empty =
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "x.conf"
    path.write_text(text)
    return path


def test_the_form_of_momentum(tmp_path: Path) -> None:
    found = read(written(tmp_path, TEXT), ("enabled", "logfiles", "retention", "empty"))
    assert found == {
        "enabled": "yes",
        "logfiles": found["logfiles"],
        "retention": "8",
        "empty": "",
    }
    assert found["logfiles"].split() == ["/a/mainlog.ec", "/a/paniclog.ec", "/a/b", "c.ec"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a = 1\\\n 2\nb = 3\n", "line=3"),
        ("a = 1\nwhat is this\n", "line=2"),
        ("$(reboot) = 1\n", "line=1"),
    ],
)
def test_what_is_not_understood_is_told_with_its_line(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(SettingsError) as raised:
        read(written(tmp_path, text), ("a",))
    assert told in str(raised.value)


def test_a_file_which_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError):
        read(tmp_path / "missing", ())
    with pytest.raises(SettingsError):
        read(written(tmp_path, "#" * (MOST + 1)), ())
    (tmp_path / "latin").write_bytes(b"a = \xff")
    with pytest.raises(SettingsError):
        read(tmp_path / "latin", ("a",))
