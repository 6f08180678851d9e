"""Files which could be read at the start only: what stands in for them, and where it is told."""

import os
from pathlib import Path

import msgspec
import pytest

from angarium.config.held import NOTHING, Held


def test_what_can_be_read_still_is_read_from_the_disk(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_bytes(b"old")
    held = Held.of([str(path)])
    path.write_bytes(b"new")
    assert not held.stands_in(str(path))
    assert held.read(str(path)) == b"new"
    with held.place(str(path)) as name:
        assert name == str(path)
    assert held.needed() == NOTHING


def test_what_has_gone_is_what_it_was_at_the_start(tmp_path: Path) -> None:
    # Nobody may hide a file from root, but in a chroot it is gone; a test may run as root.
    path = tmp_path / "key"
    path.write_bytes(b"old")
    held = Held.of([str(path), str(tmp_path / "none")])
    path.unlink()
    held = held.needed()
    assert held.stands_in(str(path))
    assert held.read(str(path)) == b"old"
    with held.place(str(path)) as name:
        assert name.startswith("/proc/self/fd/")
        assert Path(name).read_bytes() == b"old"
    assert not os.path.exists(name)


def test_nobody_waits_for_who_writes_to_a_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert Held.of([str(tmp_path / "pipe"), str(tmp_path)]) == NOTHING


def test_what_was_never_there_is_not_there(tmp_path: Path) -> None:
    held = Held.of([str(tmp_path / "none")])
    with pytest.raises(FileNotFoundError):
        held.read(str(tmp_path / "none"))
    with held.place(str(tmp_path / "none")) as name:
        assert name == str(tmp_path / "none")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody who may not read")
def test_a_user_who_may_not_read_has_it_all_the_same(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_bytes(b"secret")
    path.chmod(0o600)
    held = Held.of([str(path)])
    pid = os.fork()
    if pid == 0:
        os.setresuid(65534, 65534, 65534)
        with held.needed().place(str(path)) as name, open(name, "rb") as file:
            found = file.read()
        os._exit(0 if found == held.read(str(path)) == b"secret" else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def test_it_goes_from_process_to_process_and_into_no_line_of_a_log() -> None:
    held = Held({"/etc/key": b"secret"})
    assert repr(held) == f"{held}" == "Held(/etc/key)"
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(held), type=Held) == held
