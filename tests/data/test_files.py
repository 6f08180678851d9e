"""Datasources which are files: how a query names one."""

import pytest

from angarium.data.driver import Limits
from angarium.data.errors import StatementError
from angarium.data.files import LARGEST, Files, octets_of, written
from angarium.data.rows import Rows
from angarium.data.statement import bound


def named(query: str, default: str = "", **parameters: str) -> tuple[str, object]:
    def read(*_arguments: object) -> Rows:
        return ()

    driver = Files("csv", default, read, Limits())
    template = driver.template(query)
    found = driver.bind(query, template, bound(template, parameters))
    return found.text, found.values[0]


def test_a_query_is_a_path_and_what_is_looked_for() -> None:
    assert named("/etc/a.csv?cols=2") == ("/etc/a.csv", "cols=2")
    assert named("?$k", "/etc/b", k="x?/y") == ("/etc/b", "x?/y")
    assert named("/etc/$name/$other?a", name="x", other="y z") == ("/etc/x/y z", "a")
    assert named("$path", path="/etc/c") == ("/etc/c", "")
    with pytest.raises(StatementError, match="names a file"):
        named("?x")


@pytest.mark.parametrize("value", ["../x", "a/b", "", "..", "."])
def test_a_value_leads_nowhere_else(value: str) -> None:
    with pytest.raises(StatementError, match="no name of a file"):
        named("/etc/$name", name=value)


def test_a_value_has_no_end_inside_and_is_something() -> None:
    with pytest.raises(StatementError, match="NUL"):
        named("$path", path="/etc/\0")
    with pytest.raises(StatementError, match="nothing"):
        written(None)
    assert [written(each) for each in (5, 5.0, 1.5, True, b"\xff")] == [
        "5", "5", "1.5", "true", "\udcff",
    ]  # fmt: skip


def test_a_file_which_is_too_large_is_not_read() -> None:
    with pytest.raises(StatementError, match="too large"):
        octets_of("/dev/zero")
    assert LARGEST < 2**31
