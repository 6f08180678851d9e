"""Names in maps: what they stand for, and what does when they are empty."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from angarium.core.errors import Error
from angarium.inbound.authenticators import Visit
from angarium.modules.auth.expand import NAMES, OF_RADIUS, checked, expanded, values_of
from angarium.wire.sasl.exchange import Claim, DigestWanted, ScramWanted


@pytest.mark.parametrize(
    ("template", "found"),
    [
        ("%{username}", "tim@a.example"),
        ("%{username_localpart}@%{username_domain||b.example}", "tim@a.example"),
        ("x%{realm||none}y", "xnoney"),
        ("%{password}", "p%{username}"),
        ("%%{username}", "%tim@a.example"),
        ("%{}", ""),
        ("{username}", "{username}"),
    ],
)
def test_names_stand_for_values_which_are_not_looked_into(template: str, found: str) -> None:
    claim = Claim("PLAIN", "tim@a.example", "clear", "p%{username}")
    assert expanded(template, values_of(claim, Visit(uri="users://"))) == found


def test_a_name_without_a_domain_has_none() -> None:
    values = values_of(ScramWanted("tim"), Visit())
    assert (values["username_localpart"], values["username_domain"]) == ("tim", "")


def test_each_question_has_what_it_is_about() -> None:
    cram = values_of(Claim("CRAM-MD5", "t", "hmac_md5", "00", "<1@x>"), Visit(uri="u://"))
    assert (cram["crypt"], cram["nonce"], cram["uri"]) == ("hmac_md5", "<1@x>", "u://")
    digest = values_of(DigestWanted("t", "realm", "smtp/x", "n"), Visit())
    assert (digest["crypt"], digest["digest-uri"]) == ("digest-md5", "smtp/x")
    assert set(cram) == set(digest) == set(NAMES)


def test_a_name_nobody_knows_refuses_the_configuration() -> None:
    with pytest.raises(Error, match="is not known"):
        checked({"x": "%{user}"})
    with pytest.raises(Error, match="nonce"):
        checked({"x": "%{nonce}"}, OF_RADIUS)
    assert checked({"x": "%{nonce}"}) == {"x": "%{nonce}"}


@given(st.text(max_size=60))
def test_any_template_is_filled(template: str) -> None:
    assert isinstance(expanded(template, {"username": "x"}), str)
