import os
from pathlib import Path

import pytest

from angarium.events.jlog import Jlog, Place
from angarium.modules.lua.api.files import TRIES, path_of
from angarium.modules.lua.errors import LuaError, ScriptError
from helpers.clock import FakeClock
from helpers.lua import services
from helpers.snippets import run, state

FLAGS = "msys.core.O_CREAT + msys.core.O_APPEND + msys.core.O_WRONLY"


def test_a_file_is_read_by_name_or_uri(tmp_path: Path) -> None:
    file = tmp_path / "a b.txt"
    file.write_bytes(b"some\0thing\n")
    assert run(f'return msys.readfile("{file}")') == b"some\0thing\n"
    assert (
        run(f'return msys.readfile("file://{str(file).replace(" ", "%20")}")') == b"some\0thing\n"
    )


def test_a_file_which_cannot_be_read_is_nil_and_the_reason(tmp_path: Path) -> None:
    assert run(f'return msys.readfile("{tmp_path}/none")') == [
        None, f"{tmp_path}/none: No such file or directory".encode(),
    ]  # fmt: skip
    assert run('return msys.readfile("a\\0b")')[0] is None


def test_a_file_is_read_where_nothing_may_wait(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"x")
    lua = state()
    source = f'return msys.readfile("{tmp_path}/x")'
    assert lua.run_now(lua.load(source.encode(), "t")) == (b"x",)


def test_uris_of_another_kind_are_refused() -> None:
    assert path_of("/a:b") == Path("/a:b")
    with pytest.raises(LuaError, match="'gopher:' is not supported"):
        path_of("gopher://a/b")


def test_a_log_is_appended_to(tmp_path: Path) -> None:
    source = f"""
        for _, line in ipairs({{ "one\\n", "two\\n" }}) do
          local log = msys.core.io_wrapper_open("{tmp_path}/log", {FLAGS}, tonumber("640", 8))
          assert(log:write(line, #line) == 4)
          log:flush()
          log = nil
        end
    """
    run(source)
    assert (tmp_path / "log").read_bytes() == b"one\ntwo\n"
    assert (tmp_path / "log").stat().st_mode & 0o777 == 0o640 & ~_umask()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_only_so_much_is_written(tmp_path: Path) -> None:
    run(f'msys.core.io_wrapper_open("{tmp_path}/log", {FLAGS}, 420):write("abcdef", 3)')
    assert (tmp_path / "log").read_bytes() == b"abc"


def test_a_file_is_read_as_files_of_lua_are(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"first\n 12 0x1F rest\nlast")
    source = f"""
        local f = msys.core.io_wrapper_open("{tmp_path}/x", msys.core.O_RDONLY)
        local t = {{ f:read(), f:read("*n"), f:read("*n"), f:read(2), f:seek() }}
        t[#t + 1] = f:seek("set", 2)
        t[#t + 1] = f:read("*a")
        t[#t + 1] = tostring(f:read("*l")) .. f:read("*a")
        f:seek("set")
        for line in f:lines() do t[#t + 1] = line end
        f:seek("set")
        t[#t + 1] = tostring(f:read("*n"))
        return t
    """
    rest = b"rst\n 12 0x1F rest\nlast"
    assert run(source) == [
        b"first", 12, 31, b" r", 16, 2, rest, b"nil", b"first", b" 12 0x1F rest", b"last", b"nil",
    ]  # fmt: skip


def test_a_file_which_cannot_be_opened_is_nil(tmp_path: Path) -> None:
    assert run(f'return msys.core.io_wrapper_open("{tmp_path}/no/x", {FLAGS}, 420)') is None
    assert run(f'return msys.core.io_wrapper_open("jlog://{tmp_path}\\0/x", 0, 420)') is None


@pytest.mark.parametrize(
    ("call", "said"),
    [
        ('f:read("*a")', "Bad file descriptor"),
        ("f:read(-1)", "cannot be read at once"),
        ('f:read("*x")', "is read by"),
        ('f:seek("up")', "set, cur or end"),
        ("(function() f:close(); f:close(); f:write('x') end)()", "is closed"),
    ],
)
def test_what_cannot_be_done_with_a_file_is_an_error(call: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(ScriptError, match=said):
        run(f'local f = msys.core.io_wrapper_open("{tmp_path}/x", {FLAGS}, 420); return {call}')


def test_a_handle_nobody_holds_is_closed(tmp_path: Path) -> None:
    lua = state()
    run(f'msys.core.io_wrapper_open("{tmp_path}/x", {FLAGS}, 420); collectgarbage()', lua)
    run("collectgarbage()", lua)
    open_files = [os.path.realpath(f"/proc/self/fd/{n}") for n in os.listdir("/proc/self/fd")]
    assert str(tmp_path / "x") not in open_files


def test_a_jlog_is_made_with_its_subscriber_and_written(tmp_path: Path) -> None:
    source = f"""
        local log = msys.core.io_wrapper_open("jlog://{tmp_path}/j=>reader", {FLAGS}, 432)
        log:write("one"); log:write("two", 3)
        local ok, err = pcall(function() return log:read() end)
        return ok, err
    """
    ok, said = run(source, state(services(clock=FakeClock())))
    assert ok is False
    assert b"written only" in said
    jlog = Jlog(tmp_path / "j")
    assert list(jlog.subscribers()) == ["reader"]
    assert [message for _, message in jlog.read(Place(0, 0))] == [b"one", b"two"]


def test_a_jlog_without_a_named_subscriber_has_one_all_the_same(tmp_path: Path) -> None:
    run(f'msys.core.io_wrapper_open("jlog://{tmp_path}/j", 0, 432):write("x")')
    assert list(Jlog(tmp_path / "j").subscribers()) == ["master"]


def test_a_jlog_which_is_none_is_nil(tmp_path: Path) -> None:
    (tmp_path / "metastore").write_bytes(b"?")
    assert run(f'return msys.core.io_wrapper_open("jlog://{tmp_path}=>a", 0, 432)') is None
    assert TRIES > 1


def test_a_file_system_is_looked_at_once_in_its_interval(tmp_path: Path) -> None:
    clock = FakeClock()
    lua = state(services(clock=clock))
    run(f'record = msys.os.statvfs_subscribe("{tmp_path}", 10)', lua)
    source = "local st = msys.os.statvfs_read(record); return st.version, st.kilobytes_total"
    version, total = run(source, lua)
    assert (version, total > 0) == (1, True)
    clock.advance(9.0)
    assert run(source, lua)[0] == 1
    clock.advance(2.0)
    assert run(source, lua)[0] == 2


def test_a_file_system_which_is_not_there_is_nil_and_the_reason(tmp_path: Path) -> None:
    nothing, said = run(f'return msys.os.statvfs_read("{tmp_path}/none")')
    assert nothing is None
    assert b"No such file" in said
    found = run(f'return msys.os.statvfs_read("{tmp_path}")')
    assert sorted(found) == [
        b"kilobytes_available", b"kilobytes_total", b"objects_available", b"objects_total",
        b"version",
    ]  # fmt: skip
