"""Destinations of logs, taken apart."""

import pytest

from angarium.modules.loggers.place import FACILITIES, PRIORITIES, Place, parse


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("/var/log/x", Place("file", "/var/log/x")),
        ("x", Place("file", "x")),
        ("file:///var/log/x", Place("file", "/var/log/x")),
        ("jlog:///var/log/q=>me", Place("jlog", "/var/log/q", "me")),
        ("jlog://var/log/q=>me", Place("jlog", "/var/log/q", "me")),
        ("cluster:///var/log/q", Place("jlog", "/var/log/q", "master")),
        ("pipe:///bin/cat", Place("pipe", "/bin/cat")),
        (
            "pipe:///bin/my%20cat?arg2=b&arg1=-a&env1=A%3Db%20c&clear_env=1&reinvoke=0"
            "&shutdown_on_failure=1",
            Place(
                "pipe",
                "/bin/my cat",
                arguments=("-a", "b"),
                environment={"A": "b c"},
                clear_env=True,
                reinvoke=False,
            ),
        ),
        ("syslog://", Place("syslog", "")),
        (
            "syslog://?facility=local7&priority=debug",
            Place("syslog", "", facility="local7", priority="debug"),
        ),
        ("syslog:///run/log?facility=mail", Place("syslog", "/run/log", facility="mail")),
    ],
)
def test_a_destination_is_taken_apart(text: str, place: Place) -> None:
    assert parse(text) == place


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("ftp:///x", "ftp:// is no kind"),
        ("jlog://", "is no jlog"),
        ("jlog:///q=>", "is no jlog"),
        ("pipe://cat", "with its path"),
        ("pipe:///bin/cat?arg=1", "arg=1"),
        ("pipe:///bin/cat?env1=A", "env1=A"),
        ("pipe:///bin/cat?reinvoke=2", "reinvoke=2"),
        ("syslog://?facility=post", "facility=post"),
        ("syslog://?level=err", "level=err"),
        ("syslog://mail", "is no system log"),
    ],
)
def test_what_is_none_says_why(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said.replace("?", r"\?")):
        parse(text)


def test_facilities_and_priorities_have_the_numbers_of_rfc_5424() -> None:
    assert (FACILITIES["mail"], FACILITIES["ftp"], FACILITIES["local7"]) == (2, 11, 23)
    assert (PRIORITIES["emerg"], PRIORITIES["error"], PRIORITIES["debug"]) == (0, 3, 7)
