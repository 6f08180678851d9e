"""Each kind keeps to what a driver is."""

import pytest

from angarium.data.driver import Driver, Limits
from angarium.data.statement import bound
from angarium.data.uri import KINDS, parse

URIS = {
    "sqlite": ("/nonexistent", "SELECT :a"), "pgsql": ("dbname=x;password=secret", "SELECT :a"),
    "mysql": ("dbname=x;password=secret", "SELECT :a"), "redis": ("password=secret", "GET $a"),
    "ldap": ("//h/????x-bindpw=secret", "ldap:///??sub?(a=$a)"),
    "ldaps": ("//h/????x-bindpw=secret", "ldap:///??sub?(a=$a)"),
    "csv": ("/x", "?$a"), "cdb": ("/x", "?$a"), "iowrapper": ("", "$a"),
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_a_driver_is_made_and_binds_without_asking_anybody(kind: str) -> None:
    rest, query = URIS[kind]
    uri = parse(f"{kind}:{rest}")
    driver: Driver = uri.driver().Driver(uri, Limits())
    template = driver.template(query)
    statement = driver.bind(query, template, bound(template, {"a": "/x"}))
    if driver.probe:
        assert driver.bind(driver.probe, driver.template(driver.probe), ()).text
    connection = driver.connection(statement)
    assert not connection.alive
    assert connection.close() is None
    assert "secret" not in driver.label + repr(connection)
