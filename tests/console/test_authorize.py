"""Roles allow commands; what none allows is refused; changes count at once."""

import os
from pathlib import Path

import pytest

from angarium.config.load import load_text
from angarium.config.resolve import Configuration
from angarium.console import authorize
from angarium.console.authorize import Authority, rules
from angarium.console.errors import CommandError

TEXT = """
authorization {
  role "root" { allow = ( ".*" ) }
  role "admin" { allow = ( "^config" "^summary$" ) }
  role "john" { allow = ( "^pid$" ) }
}
"""


@pytest.fixture
def conf() -> Configuration:
    return load_text(TEXT)


@pytest.fixture
def groups(tmp_path: Path) -> Path:
    path = tmp_path / "groups"
    path.write_text("# roles\nadmin:serv,ec\nroot:x:root, boss\nadmin:late\nbroken\n")
    return path


@pytest.mark.parametrize(
    ("user", "command", "allowed"),
    [
        ("ec", "config set hostname x", True),
        ("ec", "summary", True),
        ("ec", "summary reset", False),
        ("late", "summary", True),
        ("boss", "anything at all", True),
        ("john", "pid", True),
        ("john", "config get hostname", False),
        ("nobody", "pid", False),
        ("", "pid", False),
    ],
)
def test_a_command_is_allowed_by_a_role_or_refused(
    conf: Configuration, groups: Path, user: str, command: str, allowed: bool
) -> None:
    assert Authority(user, f"groups://{groups}").allows(conf, command) is allowed


def test_a_name_is_a_role_where_no_groups_are(conf: Configuration) -> None:
    assert Authority("john", "").roles == ["john"]
    assert Authority("john", "").allows(conf, "pid")


def test_who_is_put_into_a_group_is_there_at_once(groups: Path) -> None:
    authority = Authority("ec", f"groups://{groups}")
    assert authority.roles == ["ec", "admin"]
    groups.write_text("root:ec\n")
    os.utime(groups, ns=(1, 1))
    assert authority.roles == ["ec", "root"]


def test_without_the_file_of_groups_nothing_is_allowed(
    conf: Configuration, groups: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(CommandError, match="cannot be read"):
        Authority("john", "groups:///none").allows(conf, "pid")
    monkeypatch.setattr(authorize, "MAX_FILE", 3)
    with pytest.raises(CommandError, match="too long"):
        Authority("john", f"groups://{groups}").allows(conf, "pid")


@pytest.mark.effect("authorization.role.allow")
def test_the_rules_are_those_of_the_file(conf: Configuration) -> None:
    assert [name for name, _ in rules(conf)] == ["root", "admin", "john"]
    assert rules(load_text("")) == []
    assert not Authority("john", "").allows(load_text(TEXT.replace("^pid", "^nothing")), "pid")
