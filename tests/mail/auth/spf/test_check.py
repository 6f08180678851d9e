"""The check of SPF: limits, errors, and what it tells, beside the official suite."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from angarium.mail.auth.asking import NameTrouble, NoSuchName, Record, at_once
from angarium.mail.auth.spf.check import Finding, Limits, check_host, out_of_time
from angarium.mail.auth.spf.client import Client, client_address
from angarium.mail.auth.spf.record import Result, parsed
from helpers.zones import Entry, Records

JOE = Client(client_address("192.0.2.1"), "mx.a.example", "joe@a.example")


def _found(policy: str, client: Client = JOE, **names: list[Entry]) -> Finding:
    zone: dict[str, list[Entry]] = {"a.example": [("TXT", policy.encode())]}
    zone |= {f"{name}.example": entries for name, entries in names.items()}
    return at_once(check_host(Records(zone), client))


def test_a_finding_says_what_matched_and_why() -> None:
    finding = _found("v=spf1 a:b.example ~all", b=[("A", "192.0.2.1")])
    assert finding == Finding(
        Result.PASS,
        "a.example",
        "mailfrom",
        "a.example lets 192.0.2.1 send",
        "a:b.example",
        terms=1,
    )


def test_a_domain_which_does_not_exist_is_told_apart() -> None:
    nobody = Client(JOE.address, "h", "joe@gone.example")
    finding = at_once(check_host(Records({}), nobody))
    assert (finding.result, finding.missing) == (Result.NONE, True)
    assert not _found("some text").missing


def test_the_null_sender_is_checked_by_its_hello() -> None:
    client = Client(JOE.address, "a.example", "")
    assert _found("v=spf1 -all", client).identity == "helo"


def test_a_default_holds_for_who_says_nothing_but_not_for_who_is_not_there() -> None:
    zone = Records({"a.example": [("A", "192.0.2.1")]})
    finding = at_once(check_host(zone, JOE, default=parsed(b"a -all")))
    assert (finding.result, finding.mechanism) == (Result.PASS, "a")
    gone = Client(JOE.address, "h", "joe@gone.example")
    assert at_once(check_host(zone, gone, default=parsed(b"-all"))).result is Result.NONE


def test_limits_can_be_set() -> None:
    zone = Records({"a.example": [("TXT", b"v=spf1 a a a all")]})
    assert at_once(check_host(zone, JOE, limits=Limits(terms=2))).result is Result.PERMERROR
    assert at_once(check_host(zone, JOE, limits=Limits(voids=3))).result is Result.PASS


def test_a_circle_of_includes_ends_at_the_limit() -> None:
    zone = Records({"a.example": [("TXT", b"v=spf1 include:a.example -all")]})
    finding = at_once(check_host(zone, JOE))
    assert finding.result is Result.PERMERROR
    assert len(zone.asked) == 11


def test_a_local_part_of_other_letters_matches_nothing() -> None:
    client = Client(JOE.address, "h", "jörg@a.example")
    for term in ("exists:%{l}.b.example", "include:%{l}.b.example", "a:%{s}.b.example"):
        assert _found(f"v=spf1 {term} -all", client).mechanism == "-all"


@pytest.mark.parametrize("text", [b"caf\xe9", b"a\r\nb", b"%{x}", b"%{L} \x00", b""])
def test_an_explanation_which_cannot_be_shown_is_none(text: bytes) -> None:
    finding = _found("v=spf1 -all exp=why.example", why=[("TXT", text)])
    assert (finding.result, finding.explanation) == (Result.FAIL, "")


def test_an_explanation_asks_what_it_needs_without_counting() -> None:
    finding = _found(
        "v=spf1 a:g1.example a:g2.example -all exp=why.example",
        why=[("TXT", b"%{p} is not %{d}")],
    )
    assert finding.explanation == "unknown is not a.example"
    assert finding.voids == 2


def test_a_check_whose_time_is_up_is_a_temporary_error() -> None:
    assert out_of_time(JOE).result is Result.TEMPERROR


NAMES = st.sampled_from(["a.example", "b.example", "%{d}", "%{l}.x.example", "%{p}.y.example"])
TERMS = st.one_of(
    st.builds("{}:{}".format, st.sampled_from(["a", "-mx", "include", "exists", "ptr"]), NAMES),
    st.builds("{}={}".format, st.sampled_from(["redirect", "exp", "other"]), NAMES),
    st.sampled_from(["-all", "ip4:192.0.2.0/24", "?ptr", "mx"]),
    st.text("aimx:%{}.=/", max_size=8),
)
ANSWERS = st.one_of(
    st.just(NoSuchName("none")),
    st.just(NameTrouble("trouble")),
    st.lists(st.sampled_from(["192.0.2.1", "::1", "b.example", "no address", ""]), max_size=3),
    st.lists(st.tuples(st.integers(0, 3), st.sampled_from(["b.example", "", "."])), max_size=12),
    st.lists(TERMS, max_size=6).map(lambda terms: [f"v=spf1 {' '.join(terms)}".encode()]),
    st.lists(st.binary(max_size=10), max_size=2),
)


@settings(deadline=None)
@given(st.data(), st.text(max_size=20), st.text(max_size=20))
def test_whatever_dns_and_peers_say_there_is_a_result_and_a_bound(
    data: st.DataObject, helo: str, local: str
) -> None:
    asked = 0

    async def ask(name: str, kind: str, /) -> tuple[Record, ...]:
        nonlocal asked
        asked += 1
        answer = data.draw(ANSWERS)
        if isinstance(answer, Exception):
            raise answer
        return tuple(answer)

    client = Client(JOE.address, helo, f"{local}@a.example")
    finding = at_once(check_host(ask, client))
    assert finding.result in Result
    # The policy, ten terms of eleven questions, the client's names, and an explanation.
    assert asked <= 1 + 10 * 11 + 11 + 1
