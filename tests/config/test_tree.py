"""Files which include each other."""

import os
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from angarium.config import tree
from angarium.config.errors import ConfigError
from angarium.config.grammar import File, Setting, parse
from angarium.config.load import check_snapshot, snapshot
from angarium.config.tree import (
    MAX_INCLUDE_DEPTH,
    SEARCH_PATH,
    Disk,
    Document,
    Snapshot,
    outline,
    read,
    search_path,
)


def document(files: dict[str, str], search: tuple[str, ...] = (), **listings: str) -> Document:
    """Read /etc/main from files in memory; listings are directories: name="a b"."""
    octets = {path: text.encode() for path, text in files.items()}
    directories = {f"/etc/{name}": tuple(names.split()) for name, names in listings.items()}
    return read("/etc/main", Snapshot("/etc/main", search, octets, directories), search)


def messages(found: Document) -> list[str]:
    return [f"{each.file}:{each.line}: {each.message}" for each in found.faults()]


def test_a_file_is_looked_for_beside_the_including_one_first() -> None:
    found = document(
        {
            "/etc/main": 'include "sub/a"',
            "/etc/sub/a": 'include "b"',
            "/etc/sub/b": "x = 1",
            "/else/b": "x = 2",
        },
        search=("/else",),
    )
    assert not messages(found)
    assert list(found.files) == ["/etc/main", "/etc/sub/a", "/etc/sub/b"]


def test_then_in_the_search_path_in_its_order() -> None:
    files = {"/etc/main": 'include "b"', "/two/b": "", "/three/b": ""}
    assert list(document(files, search=("/one", "/two", "/three")).files) == ["/etc/main", "/two/b"]


def test_a_file_url_is_a_path() -> None:
    assert not messages(document({"/etc/main": 'include "file:///x/b"', "/x/b": ""}))


def test_a_missing_file_is_a_fault_where_it_is_included() -> None:
    found = document({"/etc/main": '\n include "b"'}, search=("/one",))
    assert messages(found) == ["/etc/main:2: there is no file b"]
    assert found.faults()[0].advice == "looked in /etc, /one"


def test_a_directory_gives_its_files_in_order_without_hidden_ones() -> None:
    files = {"/etc/main": 'include "d"', "/etc/d/b": "", "/etc/d/a": "", "/etc/d/.c": "%"}
    found = document(files, d=".c a b")
    assert list(found.files) == ["/etc/main", "/etc/d/a", "/etc/d/b"]


def test_includes_stand_in_stanzas_too() -> None:
    found = document({"/etc/main": 'domain x { include "b" }', "/etc/b": "x = 1"})
    assert [file.path for files in found.included.values() for file in files] == ["/etc/b"]


def test_a_circle_is_a_fault_which_names_it() -> None:
    found = document({"/etc/main": 'include "a"', "/etc/a": 'include "b"', "/etc/b": 'include "a"'})
    assert messages(found) == ["/etc/b:1: this file includes itself: /etc/a -> /etc/b -> /etc/a"]


def test_a_file_may_not_include_itself() -> None:
    assert "includes itself" in messages(document({"/etc/main": 'include "main"'}))[0]


def test_a_chain_has_an_end() -> None:
    files = {f"/etc/{n}": f'include "{n + 1}"' for n in range(MAX_INCLUDE_DEPTH + 5)}
    found = document({"/etc/main": 'include "0"', **files})
    assert "deep" in messages(found)[0]


def test_a_file_included_twice_is_read_once_and_readonly() -> None:
    found = document({"/etc/main": 'include "a" include "a"', "/etc/a": "x = 1"})
    assert found.readonly == {"/etc/a"}
    first, second = found.included.values()
    assert first[0] is second[0]


def test_readonly_include_makes_readonly() -> None:
    assert document({"/etc/main": 'readonly_include "a"', "/etc/a": ""}).readonly == {"/etc/a"}


@pytest.mark.effect("local_changes_file")
def test_local_changes_are_read_last() -> None:
    files = {"/etc/main": "local_changes_file = /etc/local", "/etc/local": "x = 1"}
    found = document(files)
    assert found.local is not None
    assert isinstance(found.local.items[0], Setting)
    assert list(found.files) == ["/etc/main", "/etc/local"]


def test_local_changes_need_not_exist() -> None:
    assert document({"/etc/main": "local_changes_file = /etc/none"}).local is None


def test_a_main_file_which_is_not_there_is_an_error() -> None:
    with pytest.raises(ConfigError, match="/etc/main: cannot be read: No such file"):
        document({})


def test_the_search_path_may_be_set_in_the_environment() -> None:
    assert search_path({}) == SEARCH_PATH
    assert search_path({"EC_CONF_SEARCH_PATH": "/a:/b:"}) == ("/a", "/b")


def test_a_node_of_a_cluster_looks_into_its_own_directory_before_the_default_one() -> None:
    first, common, default = SEARCH_PATH
    own = "/opt/msys/ecelerity/etc/conf/node1"
    assert search_path({"EC_NODE_NAME": "node1"}) == (first, common, own, default)
    assert search_path({"EC_NODE_NAME": "node1", "EC_CONF_SEARCH_PATH": "/a"}) == ("/a",)
    assert search_path({"EC_NODE_NAME": "../../tmp"}) == SEARCH_PATH


@pytest.mark.parametrize("scheme", ["http", "https", "persist", "ftp"])
def test_what_is_elsewhere_is_not_fetched(scheme: str) -> None:
    found = document({"/etc/main": f'include "{scheme}://example.com/x"'})
    assert messages(found) == [f"/etc/main:1: {scheme}:// cannot be included"]


def test_an_outline_leads_to_every_file() -> None:
    files = {
        "/etc/main": 'Local_Changes_File = "/etc/local"\nInclude "a"\n',
        "/etc/a": "x = 1\n" * 3 + 'domain x { READONLY_INCLUDE "b" }',
        "/etc/b": "x = 2",
        "/etc/local": 'include "c"',
        "/etc/c": "x = 3",
    }
    taken = Snapshot("/etc/main", (), {name: each.encode() for name, each in files.items()}, {})
    found = read("/etc/main", taken, (), outline)
    assert set(found.files) == set(files)
    assert not found.files["/etc/b"].items


def test_directories_in_directories_are_not_read(tmp_path: Path) -> None:
    (tmp_path / "main").write_text('include "d"')
    (tmp_path / "d" / "below").mkdir(parents=True)
    (tmp_path / "d" / "below" / "c").write_text("%")
    (tmp_path / "d" / "a").write_text("x = 1")
    found = read(str(tmp_path / "main"), Disk(), ())
    assert [Path(each).name for each in found.files] == ["main", "a"]


@pytest.mark.parametrize("parse", [parse, outline])
def test_a_snapshot_reads_as_the_disk_did(
    tmp_path: Path, parse: Callable[[str, bytes], File]
) -> None:
    main = tmp_path / "main"
    main.write_text('include "d"\ninclude "one"\n')
    (tmp_path / "one").write_text("x = 1")
    (tmp_path / "d" / "deeper").mkdir(parents=True)
    (tmp_path / "d" / "a").write_text("y = 1")
    disk = Disk()
    first = read(str(main), disk, (), parse)
    data = msgspec.msgpack.encode(Snapshot(str(main), (), disk.files, disk.directories))
    (tmp_path / "one").unlink()
    (tmp_path / "d" / "b").write_text("%")
    second = read(str(main), msgspec.msgpack.decode(data, type=Snapshot), ())
    assert not messages(first)
    assert not messages(second)
    assert list(second.files) == list(first.files)


@pytest.mark.parametrize("inside", ["include", "readonly_include", "local_changes_file ="])
def test_what_is_no_file_is_a_fault_and_not_waited_for(inside: str, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for name in (str(tmp_path / "pipe"), "/dev/zero"):
        main = tmp_path / "main"
        main.write_text(f'{inside} "{name}"\n')
        found = check_snapshot(snapshot(main)).faults
        assert [each.message for each in found] == [f"{name} cannot be read: it is no regular file"]


def test_the_main_file_is_a_file(tmp_path: Path) -> None:
    for name in ("/dev/zero", str(tmp_path)):
        with pytest.raises(ConfigError, match="cannot be read"):
            snapshot(name)


def test_why_a_file_cannot_be_read_is_told_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "main").write_text('include "loop"\n')
    (fault,) = check_snapshot(snapshot(tmp_path / "main")).faults
    assert "cannot be read: Too many levels" in fault.message


def test_a_file_is_not_larger_than_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tree, "MAX_FILE", 10)
    (tmp_path / "main").write_text("hostname = a.b.c\n")
    with pytest.raises(ConfigError, match="too large"):
        snapshot(tmp_path / "main")
