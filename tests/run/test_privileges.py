import os
import pwd
import resource
import sys
from pathlib import Path

import pytest

from angarium.config.errors import ConfigError
from angarium.config.load import load_text
from angarium.run import privileges
from angarium.run.options import Security
from angarium.run.privileges import PrivilegeError, identity


def test_a_user_nobody_has_is_an_error_with_advice() -> None:
    with pytest.raises(PrivilegeError, match=r"unknown user.*create it.*no-such-user"):
        identity("no-such-user", "")


def test_a_group_nobody_has_is_an_error_with_advice() -> None:
    with pytest.raises(PrivilegeError, match=r"unknown group.*no-such-group"):
        identity(pwd.getpwuid(os.getuid()).pw_name, "no-such-group")


def test_a_user_brings_its_group() -> None:
    me = pwd.getpwuid(os.getuid())
    who = identity(me.pw_name, "")
    assert (who.uid, who.gid, who.groups) == (me.pw_uid, me.pw_gid, ())


def test_the_limit_of_files_is_raised_and_never_lowered() -> None:
    before, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert privileges.allow_descriptors(1) == before
    assert privileges.allow_descriptors(before) == before


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_what_is_given_away_is_given_whole(tmp_path: Path) -> None:
    nobody = identity("nobody", "")
    (tmp_path / "spool").mkdir()
    (tmp_path / "spool" / "000").write_text("x")
    privileges.give(tmp_path, nobody)
    assert (tmp_path / "spool" / "000").stat().st_uid == nobody.uid


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has something to drop")
def test_root_is_dropped_for_good() -> None:
    nobody = identity("nobody", "")
    pid = os.fork()
    if pid == 0:
        privileges.become(nobody)
        try:
            os.setuid(0)
        except PermissionError:
            os._exit(0 if os.getuid() == nobody.uid and os.getgroups() == [nobody.gid] else 1)
        os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def confined(folder: Path) -> str:
    """Let a process confine itself; return what came of it."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            privileges.confine(folder)
            said = " ".join(sorted(os.listdir("/")))
        except PrivilegeError as error:
            said = str(error)
        os.write(writer, said.encode())
        os._exit(0)
    os.close(writer)
    os.waitpid(pid, 0)
    with os.fdopen(reader) as pipe:
        return pipe.read()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can confine anybody")
def test_a_chroot_needs_a_python(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "here").touch()
    assert "there is no Python in the chroot" in confined(tmp_path)
    monkeypatch.setattr(sys, "executable", "/python")
    (tmp_path / "python").touch(0o755)
    assert confined(tmp_path) == "here python"
    assert "chroot of the security stanza failed" in confined(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("cap_net_bind_service+ep", True),
        ("CAP_NET_ADMIN,cap_net_raw=eip cap_sys_resource+ep-i", True),
        ("all=", True),
        ("=ep", True),
        ("cap_net_bind_service", False),
        ("everything", False),
        ("", False),
    ],
)
def test_capabilities_are_written_as_the_system_has_them(text: str, good: bool) -> None:
    def made() -> str | None:
        return load_text(f'security {{ capabilities = "{text}" }}').top(Security).capabilities

    if good:
        assert made() == text
    else:
        with pytest.raises(ConfigError, match="no set of capabilities"):
            made()
