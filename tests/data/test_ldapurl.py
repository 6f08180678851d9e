"""LDAP URLs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from angarium.data.errors import StatementError
from angarium.data.ldapurl import as_it_is, in_filter, in_name, parse

BASE = "ldap://h:390/dc=x?cn?sub?(a=b)?bindname=cn=me%2cdc=x,x-bindpw=p$w"


def test_a_url_is_taken_apart_before_it_is_decoded() -> None:
    url = parse("ldaps://[::1]/ou=a%3fb?cn,mail?ONE?(x=%2c)?!bindname=cn=$u%2cdc=x,x-bindpw=$p")
    assert url.server == ("ldaps", "::1", 636)
    assert (url.attributes, url.scope) == (("cn", "mail"), "one")
    assert url.dn is not None
    assert url.dn.template.texts == ("ou=a?b",)
    assert url.filter is not None
    assert url.filter.template.texts == ("(x=,)",)
    name = url.extensions["bindname"]
    assert name.filled({"u": "a,b"}, in_name) == "cn=a\\2cb,dc=x"


def test_what_a_query_leaves_out_is_the_uris() -> None:
    base = parse(BASE, literal=True)
    url = parse("ldap:///?mail").over(base)
    assert url.server == ("ldap", "h", 390)
    assert url.attributes == ("mail",)
    assert (url.scope, url.dn, url.filter) == ("sub", base.dn, base.filter)
    assert url.extensions["x-bindpw"].filled({}, as_it_is) == "p$w"


def test_another_server_does_not_get_the_password() -> None:
    base = parse(BASE, literal=True)
    assert parse("ldap://other/").over(base).extensions == {}
    assert set(parse("ldap://H:390/").over(base).extensions) == {"bindname", "x-bindpw"}


def test_a_value_which_is_a_whole_name_is_taken_as_it_is() -> None:
    url = parse("ldap:///$dn????bindname=$who")
    assert url.dn is not None
    assert url.dn.filled({"dn": "cn=a,dc=b"}, in_name) == "cn=a,dc=b"
    assert url.extensions["bindname"].filled({"who": "cn=a,dc=b"}, in_name) == "cn=a,dc=b"


def test_a_dollar_can_be_written() -> None:
    url = parse("ldap:///dc=x??sub?(cost=%24name$)")
    assert url.filter is not None
    assert url.filter.filled({}, in_filter) == "(cost=$name$)"


def test_a_filter_may_go_over_several_lines() -> None:
    url = parse("ldap:///dc=x??sub?(|(a=1)\n    (b=$v))")
    assert url.filter is not None
    assert url.filter.filled({"v": "*"}, in_filter) == "(|(a=1)(b=\\2a))"


@pytest.mark.parametrize(
    "text", ["http://x", "ldap:///a?b?c?d?e?f", "ldap://u@h/", "ldap:///??all"]
)
def test_what_is_none_is_refused(text: str) -> None:
    with pytest.raises(StatementError):
        parse(text)


@given(st.text())
def test_nothing_in_a_value_means_something(value: str) -> None:
    quoted = in_filter(value)
    assert not set("*()\0") & set(quoted)
    name = in_name(value)
    assert not set(',+"<>;=\0') & set(name.replace("\\", ""))
