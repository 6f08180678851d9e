from pathlib import Path

import pytest

from angarium.policy.shared.blocks import packed
from angarium.policy.shared.series_file import Saved, SeriesFileError, path_of, read, write

ADDRESSES = Saved(
    "logins: all", "address", 300, 6, 1_700_000_000_123, ((0, 5), (1, 6)),
    {1_699_999_800: {packed("192.0.2.1"): 3, packed("2001:db8::1"): -1.5}, 1_699_999_500: {}},
)  # fmt: skip
TEXTS = Saved(
    "Ü/x", "string", 60, 1, 7, (), {60: {b"a\tb\n": 1, "ä".encode(): 2, b"\xff": 3, b"x y": 4}}
)


@pytest.mark.parametrize("saved", [ADDRESSES, TEXTS])
def test_what_is_written_is_read(tmp_path: Path, saved: Saved) -> None:
    path = path_of(tmp_path / "new", saved.name, ".1")
    write(path, saved)
    kept = {start: totals for start, totals in saved.kept.items() if totals}
    found = read(path)
    assert found.kept == kept
    assert (found.name, found.kind, found.interval, found.windows) == (
        saved.name, saved.kind, saved.interval, saved.windows,
    )  # fmt: skip
    assert (found.origin, found.by) == ((-2, saved.at), saved.by)
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_the_name_of_a_file_leads_nowhere_else(tmp_path: Path) -> None:
    assert path_of(tmp_path, "../../etc/x").parent == tmp_path


@pytest.mark.parametrize(
    "text",
    [
        "",
        "something else",
        "angarium-series 1\n\n",
        "angarium-series 1\nname: x\ntype: who\ninterval: 1\nwindows: 1\nsaved: 1\nby:\n\n",
        "angarium-series 1\nname: x\ntype: cidr\ninterval: 1\nwindows: 1\nsaved: 1\nby:\n\n1\tx\t1",
        "angarium-series 1\nname: x\ntype: cidr\ninterval: 1\nwindows: 1\nsaved: 1\nby:\n\nnothing",
    ],
)
def test_what_is_no_series_is_an_error(tmp_path: Path, text: str) -> None:
    (tmp_path / "x").write_text(text)
    with pytest.raises(SeriesFileError):
        read(tmp_path / "x")
