"""What uris say."""

import pytest

from angarium.data.uri import KINDS, parse


def test_pairs_are_taken_apart() -> None:
    uri = parse("pgsql:host=db;dbname=mail; user = u ;password='a;b=c';port=5433;")
    assert uri.parameters == {
        "host": "db", "dbname": "mail", "user": "u", "password": "a;b=c", "port": "5433",
    }  # fmt: skip
    assert uri.label == "pgsql:host=db;port=5433;dbname=mail"
    assert "a;b" not in repr(uri)


def test_labels_have_no_passwords() -> None:
    assert parse("ldap://h:390/dc=x????bindname=cn=a,x-bindpw=secret").label == "ldap://h:390"
    assert parse("sqlite:/a/b").label == "sqlite:/a/b"
    assert parse("redis:host=/run/s;password=p").label == "redis:host=/run/s"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("nothing", "a kind and a colon"),
        ("oracle:x", "oracle is no kind"),
        ("odbc:DSN=x;UID=u;PWD=secret", "no driver for ODBC"),
        ("sqlite:", "path of the database is missing"),
        ("pgsql:host=db", "dbname is missing"),
        ("pgsql:dbname=a;pass=secret", "no parameter pass"),
        ("pgsql:dbname=a;dbname=b", "twice"),
        ("mysql:dbname=a;secret", "pair 2 is none"),
        ("mysql:dbname=a;port=x", "port is no number"),
        ("mysql:dbname=a;port=65536", "port is no number"),
        ("mysql:dbname=a;sslmode=prefer", "sslmode is none of"),
        ("ldap://h/dc=x?a?b", "scope"),
        ("ldap://h/????x-secret=secret", "an extension"),
        ("ldap://h:99999/", "host of the LDAP URL"),
    ],
)
def test_what_is_wrong_is_said_without_secrets(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said) as caught:
        parse(text)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_has_a_driver(kind: str) -> None:
    rest = "dbname=x" if kind in ("pgsql", "mysql") else "" if kind == "redis" else "//h"
    assert parse(f"{kind}:{rest}").driver().Driver
