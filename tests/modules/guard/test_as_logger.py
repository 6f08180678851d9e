"""as_logger: which series are written, and when."""

import asyncio
from pathlib import Path

import pytest

from angarium.core.errors import Error
from angarium.modules.guard.as_logger import SeriesLogger
from angarium.policy.shared.series_file import read
from helpers.guards import Place, until

OFTEN = "base_dir = out log_interval = 0.02"


def written(folder: Path) -> dict[str, float]:
    """Return the counts of the key `k` in the files, by series."""
    found: dict[str, float] = {}
    for path in (folder / "out").glob("[!.]*"):
        saved = read(path)
        count = sum(totals.get(b"k", 0) for totals in saved.kept.values())
        found[saved.name] = found.get(saved.name, 0) + count
    return found


def logging(folder: Path, options: str) -> tuple[Place, SeriesLogger]:
    place = Place(folder, f"as_logger {{ {options} }}")
    for name in ("mine", "yours", "ours"):
        place.shared.define_series(name, "string", 60, 2).add(b"k", 3)
    return place, place.module(SeriesLogger)


@pytest.mark.effect(
    "as_logger.base_dir", "as_logger.log_interval", "as_logger.series_include_default"
)
async def test_series_are_written_and_begin_anew(tmp_path: Path) -> None:
    place, module = logging(tmp_path, f"{OFTEN} series_include_default = all")
    module.start()
    await until(lambda: written(tmp_path) == {"mine": 3, "yours": 3, "ours": 3})
    assert place.shared.series("mine").count(b"k") == 0
    module.stop()


@pytest.mark.effect("as_logger.series_include", "as_logger.series_exclude")
@pytest.mark.parametrize(
    ("options", "names"),
    [
        ('series_include = ( "^m" "yours" )', {"mine", "yours"}),
        ('series_include_default = all series_exclude = ( "^.?ours$" )', {"mine"}),
    ],
)
async def test_patterns_say_which(tmp_path: Path, options: str, names: set[str]) -> None:
    place, module = logging(tmp_path, f"{OFTEN} {options}")
    module.start()
    await until(lambda: written(tmp_path).keys() == names)
    left = {each.name for each in place.shared.all_series() if each.count(b"k")}
    assert left == {"mine", "yours", "ours"} - names
    module.stop()


@pytest.mark.effect("as_logger.enabled")
async def test_off_it_writes_nothing(tmp_path: Path) -> None:
    place, module = logging(tmp_path, f"{OFTEN} series_include_default = all enabled = false")
    module.start()
    await asyncio.sleep(0.1)
    assert place.shared.series("mine").count(b"k") == 3
    module.stop()


async def test_another_worker_does_it_for_all(tmp_path: Path) -> None:
    place, module = logging(tmp_path, f"{OFTEN} series_include_default = all")
    place.shared.alive = lambda: [(-1, 1), (0, 1)]
    module.start()
    await asyncio.sleep(0.1)
    assert place.shared.series("mine").count(b"k") == 3
    module.stop()


async def test_what_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("in the way")
    place, module = logging(tmp_path, f"{OFTEN} series_include_default = all")
    module.start()
    await until(lambda: place.panics)
    assert "is not written" in place.panics[0][1]
    module.stop()


async def test_without_a_folder_the_configuration_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Error, match="needs base_dir"):
        logging(tmp_path, "")
