"""Passwords of datasources from a store."""

from pathlib import Path

import pytest

from angarium.config.load import load_text
from angarium.core.errors import Error
from angarium.data.credentials import Keys, Login, Store
from angarium.data.uri import parse
from angarium.modules.auth.ds_core import settings_of

SOURCES = """
    datasource "one" { uri = "pgsql:host=db.example.com;dbname=mail;user=mail" }
    datasource "two" { uri = "ldap://h/dc=x????bindname=cn=me%2cdc=x" }
    datasource "own" { uri = "pgsql:dbname=mail;user=mail;password=own" }
    datasource "none" { uri = ( "sqlite:/a" "sqlite:/b" ) }
"""


@pytest.fixture
def stanza(tmp_path: Path) -> str:
    """Return a stanza of a store which has two passwords."""
    keys, path = Keys.made(), tmp_path / "credentials.db"
    keys.write(tmp_path / "credentials.key", lambda _handle: None)
    Store.create(path, lambda _handle: None)
    store = Store(path, keys)
    store.set(Login("db.example.com", "mail", "pgsql"), "p;'x")
    store.set(Login("h", "cn=me,dc=x", "ldap"), "a,b?c")
    return f'credentials = "{path}" key = "{tmp_path}/credentials.key"'


@pytest.mark.effect("securecreds.credentials", "securecreds.key")
def test_a_source_without_a_password_has_the_one_of_the_store(stanza: str) -> None:
    found = settings_of(load_text(f"securecreds {{ {stanza} }} {SOURCES}"))
    assert [each.passwords for each in found] == [("p;'x",), ("a,b?c",), ("",), ("", "")]
    uri = parse(found[0].uris[0]).with_password("p;'x")
    assert (uri.parameters["password"], uri.has_password) == ("p;'x", True)
    uri = parse(found[1].uris[0]).with_password("a,b?c")
    assert uri._extensions == {"bindname": "cn=me,dc=x", "x-bindpw": "a,b?c"}
    assert "a,b" not in repr(found) + uri.label


@pytest.mark.effect("securecreds.enabled")
def test_without_the_module_or_where_it_is_off_there_is_none(stanza: str) -> None:
    for text in (SOURCES, f"securecreds {{ {stanza} enabled = false }} {SOURCES}"):
        assert {each.passwords[0] for each in settings_of(load_text(text))} == {""}


def test_a_password_which_is_not_there_refuses_the_configuration(stanza: str) -> None:
    other = 'datasource "x" { uri = "mysql:dbname=mail;user=mail" }'
    with pytest.raises(Error, match=r"no password.*localhost.*mail.*mysql"):
        settings_of(load_text(f"securecreds {{ {stanza} }} {other}"))
    with pytest.raises(Error, match="no key"):
        settings_of(load_text('securecreds { key = "/nonexistent" }' + SOURCES))
    settings_of(load_text('securecreds { key = "/nonexistent" }'))
