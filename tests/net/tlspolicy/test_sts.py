"""Policies of MTA-STS: records, documents, patterns of hosts (RFC 8461)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from angarium.net.tlspolicy.sts import (
    MAX_AGE_SECONDS,
    MAX_OCTETS,
    Mode,
    Policy,
    StsError,
    parsed,
    policy_id,
)

# Section 3.2, the example of the RFC.
EXAMPLE = b"""version: STSv1\r
mode: enforce\r
mx: mail.example.com\r
mx: *.example.net\r
mx: backupmx.example.com\r
max_age: 604800\r
"""


def test_the_record_of_the_rfc_names_its_policy() -> None:
    assert policy_id([b"v=STSv1; id=20160831085700Z;"]) == "20160831085700Z"


@pytest.mark.parametrize(
    "records",
    [
        [],
        [b"v=spf1 -all"],
        [b"v=STSv1"],
        [b"v=STSv1;"],
        [b"v=STSv1; id=;"],
        [b"v=STSv1; id=with space"],
        [b"v=STSv1; id=" + b"a" * 33],
        [b"v=STSv1; id=1; id=2"],
        [b"v=STSv1;; id=1"],
        [b"v=STSv2; id=1"],
        [b" v=STSv1; id=1"],
        [b"v=STSv1; id=\xc3\xa4"],
        [b"v=STSv1; id=1;", b"v=STSv1; id=2;"],
    ],
)
def test_what_is_no_record_or_not_the_only_one_names_none(records: list[bytes]) -> None:
    assert policy_id(records) is None


def test_other_records_and_fields_beside_it_do_not_matter() -> None:
    assert policy_id([b"spf2.0/pra", b"v=STSv1 ; id=1 ; later=x.y:z"]) == "1"


def test_the_policy_of_the_rfc_is_read() -> None:
    policy = parsed(EXAMPLE)
    assert policy == Policy(
        Mode.ENFORCE, 604800, ("mail.example.com", "*.example.net", "backupmx.example.com")
    )
    assert parsed("\n".join(policy.lines()).encode()) == policy


@pytest.mark.parametrize(
    ("host", "allowed"),
    [
        ("mail.example.com", True),
        ("MAIL.Example.com.", True),
        ("mx.example.net", True),
        ("example.net", False),
        ("a.mx.example.net", False),
        ("mail2.example.com", False),
        ("", False),
        (".example.net", True),  # no name DNS gives; the pattern is met all the same
    ],
)
def test_a_star_stands_for_one_label(host: str, allowed: bool) -> None:
    assert parsed(EXAMPLE).allows(host) is allowed


def test_what_is_said_twice_counts_once_and_the_first_time() -> None:
    policy = parsed(EXAMPLE + b"mode: none\nmax_age: 1\nmx: mail.example.com\n")
    assert (policy.mode, policy.max_age, len(policy.hosts)) == (Mode.ENFORCE, 604800, 3)


def test_a_policy_without_effect_needs_no_hosts() -> None:
    assert parsed(b"version: STSv1\nmode: none\nmax_age: 86400\n") == Policy(Mode.NONE, 86400)


def test_a_policy_is_kept_for_a_year_at_most() -> None:
    text = b"version: STSv1\nmode: testing\nmx: a.example\nmax_age: 9999999999"
    assert parsed(text).max_age == MAX_AGE_SECONDS


@pytest.mark.parametrize(
    ("document", "why"),
    [
        (b"", "version"),
        (b"mode: enforce\nmx: a.example\nmax_age: 1", "version"),
        (b"version: STSv2\nmode: enforce\nmx: a.example\nmax_age: 1", "version"),
        (b"version: STSv1\nmode: maybe\nmx: a.example\nmax_age: 1", "mode"),
        (b"version: STSv1\nmode: enforce\nmx: a.example\nmax_age: -1", "how long"),
        (b"version: STSv1\nmode: enforce\nmx: a.example", "how long"),
        (b"version: STSv1\nmode: enforce\nmax_age: 1", "names no mail server"),
        (b"version: STSv1\nmode: enforce\nmx: a..b\nmax_age: 1", "no name"),
        (b"version: STSv1\nmode: enforce\nmx: mail.*.example\nmax_age: 1", "no name"),
        (b"<html>not found</html>", "colon"),
        (b"\xff\xfe", "UTF-8"),
        (b"a" * (MAX_OCTETS + 1), "too long"),
        (b"version: STSv1\n" + b"mx: %d.example\n" * 1, "no name"),
    ],
)
def test_a_document_which_is_no_policy_is_told_what_is_wrong(document: bytes, why: str) -> None:
    with pytest.raises(StsError, match=why):
        parsed(document)


@given(st.binary(max_size=300) | st.text(alphabet=":\r\n versionmdxagSTv1.*", max_size=200))
def test_any_octets_are_a_policy_or_an_error(document: bytes | str) -> None:
    octets = document if isinstance(document, bytes) else document.encode()
    try:
        policy = parsed(octets)
    except StsError:
        return
    assert parsed("\n".join(policy.lines()).encode()) == policy


@given(st.lists(st.binary(max_size=80) | st.just(b"v=STSv1; id=1"), max_size=3))
def test_any_records_have_an_id_or_none(records: list[bytes]) -> None:
    found = policy_id(records)
    assert found is None or found.isalnum()
