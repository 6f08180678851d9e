"""Where scripts are looked for."""

from pathlib import Path

import pytest

from angarium.modules.lua.errors import ScriptError
from angarium.modules.lua.loader import MOST_OCTETS, Loader


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("one/policy/a.lua", "two/policy/a.lua", "two/lua/b.lua", "own/c.lua"):
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(name)
    return tmp_path


def found(loader: Loader, name: str, path: str = "") -> str | None:
    text = loader.find(name, path)
    return None if text is None else text[0].decode()


def test_the_first_directory_counts_and_dots_are_slashes(folder: Path) -> None:
    loader = Loader([f"{folder}/one", f"{folder}/two"])
    assert found(loader, "policy.a") == "one/policy/a.lua"
    assert found(loader, "policy/a") == "one/policy/a.lua"
    assert found(loader, "policy.a.lua") == "one/policy/a.lua"
    assert found(loader, "b") == "two/lua/b.lua"
    assert found(loader, "none") is None


def test_package_path_adds_directories(folder: Path) -> None:
    loader = Loader([])
    assert found(loader, "c", f"./?.lua;{folder}/none/?.lua;{folder}/own/?.lua") == "own/c.lua"
    assert found(loader, "c", "./?.lua") is None


def test_a_whole_path_is_itself_and_what_it_requires_is_beside_it(folder: Path) -> None:
    loader = Loader([])
    assert loader.source(f"{folder}/own/c.lua")[1] == f"{folder}/own/c.lua"
    assert loader.source(f"{folder}/two/policy/a")[0] == b"two/policy/a.lua"
    assert found(loader, "c") == "own/c.lua"


@pytest.mark.parametrize("name", ["", "..", "../etc/passwd", "a\0b", "."])
def test_names_lead_nowhere_else(folder: Path, name: str) -> None:
    assert Loader([str(folder)]).find(name) is None


def test_built_in_scripts_have_no_text() -> None:
    assert Loader([]).source("msys.boot") == (b"", "msys.boot")
    assert Loader([]).source("msys/default_policy")[0] == b""


def test_what_is_missing_or_too_large_says_so(folder: Path) -> None:
    loader = Loader([str(folder)])
    with pytest.raises(ScriptError, match="there is no script 'none' in"):
        loader.source("none")
    (folder / "large.lua").write_bytes(b"-" * (MOST_OCTETS + 1))
    with pytest.raises(ScriptError, match="more than"):
        loader.source("large")
