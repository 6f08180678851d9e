"""What may come next on a line."""

import pytest

from angarium.console.completion import candidates

COMMANDS = ["config get", "config set", "config history", "help", "memory", "pid", "authz id"]


@pytest.mark.parametrize(
    ("line", "begun", "found"),
    [
        (
            "",
            "",
            ["\\pager", "authz", "config", "exit", "help", "memory", "pid", "quit", "watch", "xml"],
        ),
        ("p", "p", ["pid"]),
        ("CONFIG ge", "ge", ["get"]),
        ("config ", "", ["get", "history", "set"]),
        ("xml me", "me", ["memory"]),
        ("watch 2 me", "me", ["memory"]),
        ("help auth", "auth", ["authz"]),
        ("pid ", "", []),
        ("nothing such", "such", []),
    ],
)
def test_words_of_commands_are_known(line: str, begun: str, found: list[str]) -> None:
    assert candidates(line, COMMANDS) == (begun, found)


def test_scopes_and_options_are_known_in_their_places() -> None:
    assert candidates("config get retry_int", COMMANDS)[1] == ["retry_interval"]
    assert candidates("config set esmtp_l", COMMANDS)[1] == ["esmtp_listener"]
    inside = candidates("config set domain example.com ", COMMANDS)[1]
    assert "retry_interval" in inside
    assert "hostname" not in inside
    assert candidates("config set domain ", COMMANDS)[1] == []  # a name has to come
    assert candidates("config set retry_interval ", COMMANDS)[1] == []
