"""What an author's domain wants, and whether it stands behind a message."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from angarium.mail.auth.asking import NameTrouble, NoSuchName, Record, at_once
from angarium.mail.auth.dmarc.evaluate import (
    Proven,
    Result,
    authors,
    discover,
    evaluate,
    evaluate_all,
)
from angarium.mail.auth.dmarc.record import Policy
from helpers.zones import Entry, Records

NOTHING = Proven()


def _zone(**records: str) -> Records:
    names: dict[str, list[Entry]] = {
        f"_dmarc.{name.replace('_', '.')}.example": [("TXT", text.encode())]
        for name, text in records.items()
    }
    return Records(names)


@pytest.mark.parametrize(
    ("record", "proven", "result"),
    [
        ("p=reject", Proven("a.example"), Result.PASS),
        ("p=reject", Proven("mail.a.example"), Result.PASS),
        ("p=reject; aspf=s", Proven("mail.a.example"), Result.FAIL),
        ("p=reject", Proven("", ("b.example", "x.a.example")), Result.PASS),
        ("p=reject; adkim=s", Proven("", ("x.a.example",)), Result.FAIL),
        ("p=reject; adkim=s", Proven("b.example", ("a.example",)), Result.PASS),
        ("p=reject", Proven("b.example", ("b.example",)), Result.FAIL),
        ("p=reject", NOTHING, Result.FAIL),
    ],
)
def test_one_proof_of_an_aligned_domain_is_enough(
    record: str, proven: Proven, result: Result
) -> None:
    found = at_once(evaluate(_zone(a=f"v=DMARC1; {record}"), "a.example", proven))
    assert found.result is result
    assert found.disposition is (Policy.REJECT if result is Result.FAIL else Policy.NONE)
    assert found.policy is Policy.REJECT


def test_names_below_have_the_policy_for_them_unless_they_say_more() -> None:
    zone = _zone(a="v=DMARC1; p=reject; sp=quarantine", own_a="v=DMARC1; p=none; sp=reject")
    below = at_once(evaluate(zone, "x.y.a.example", NOTHING))
    assert (below.policy, below.published) == (Policy.QUARANTINE, "a.example")
    own = at_once(evaluate(zone, "own.a.example", NOTHING))
    assert (own.policy, own.published) == (Policy.NONE, "own.a.example")


@pytest.mark.parametrize("kind", ["A", "AAAA", "MX", "TXT", ""])
def test_names_which_do_not_exist_have_a_policy_of_their_own(kind: str) -> None:
    zone = _zone(a="v=DMARC1; p=none; np=reject")
    if kind:
        zone.names["x.a.example"] = [(kind, "192.0.2.1")]
    policy = Policy.REJECT if kind in ("", "TXT") else Policy.NONE
    assert at_once(evaluate(zone, "x.a.example", NOTHING)).policy is policy


@pytest.mark.parametrize(
    ("policy", "percent", "sample", "disposition"),
    [
        ("reject", 10, 9, Policy.REJECT),
        ("reject", 10, 10, Policy.QUARANTINE),
        ("quarantine", 10, 10, Policy.NONE),
        ("none", 0, 99, Policy.NONE),
        ("reject", 100, 99, Policy.REJECT),
        ("reject", 0, 0, Policy.QUARANTINE),
    ],
)
def test_sampling_makes_it_milder_by_one(
    policy: str, percent: int, sample: int, disposition: Policy
) -> None:
    zone = _zone(a=f"v=DMARC1; p={policy}; pct={percent}")
    found = at_once(evaluate(zone, "a.example", NOTHING, sample))
    assert found.disposition is disposition
    assert found.spared is (found.disposition is not found.policy)


def test_without_a_record_there_is_no_result() -> None:
    assert at_once(evaluate(_zone(), "a.example", NOTHING)).result is Result.NONE
    two = Records({"_dmarc.a.example": [("TXT", b"v=DMARC1; p=reject")] * 2})
    assert at_once(evaluate(two, "a.example", NOTHING)).result is Result.NONE
    broken = _zone(a="v=DMARC1; p=reject", x_a="v=DMARC1; p=what")
    assert at_once(evaluate(broken, "x.a.example", NOTHING)).result is Result.NONE


def test_where_nobody_can_tell_it_is_a_temporary_error() -> None:
    zone = Records({"_dmarc.a.example": [("TIMEOUT", "")]})
    assert at_once(evaluate(zone, "a.example", NOTHING)).result is Result.TEMPERROR


def test_two_names_are_asked_at_most() -> None:
    zone = _zone()
    at_once(discover(zone, "w.x.y.a.example"))
    assert [name for name, _ in zone.asked] == ["_dmarc.w.x.y.a.example", "_dmarc.a.example"]
    zone.asked.clear()
    at_once(discover(zone, "a.example"))
    assert len(zone.asked) == 1


@pytest.mark.parametrize(
    ("values", "domains"),
    [
        ([b"Joe <joe@A.example>"], ("a.example",)),
        ([b"joe@a.example, ann@a.example"], ("a.example",)),
        ([b"joe@a.example", b"ann@b.example"], ("a.example", "b.example")),
        ([b'"a@b.example" <joe@c.example>'], ("c.example",)),
        (["jörg@müller.example".encode()], ("xn--mller-kva.example",)),
        ([b"joe"], ("",)),
        ([b"joe@[192.0.2.1]"], ("",)),
        ([b"joe@a..example"], ("",)),
        ([b""], ()),
        ([], ()),
    ],
)
def test_authors_are_the_domains_of_all_who_stand_in_from(
    values: list[bytes], domains: tuple[str, ...]
) -> None:
    assert authors(values) == domains


def test_of_several_authors_the_most_severe_failure_counts() -> None:
    zone = _zone(a="v=DMARC1; p=none", b="v=DMARC1; p=reject", c="v=DMARC1; p=quarantine")
    names = ("a.example", "b.example", "c.example")
    found = at_once(evaluate_all(zone, names, Proven("a.example")))
    assert (found.domain, found.disposition) == ("b.example", Policy.REJECT)
    found = at_once(evaluate_all(zone, names[:2], Proven("b.example")))
    assert (found.domain, found.result) == ("a.example", Result.FAIL)
    found = at_once(evaluate_all(zone, ("d.example", "b.example"), Proven("b.example")))
    assert found.result is Result.PASS


@pytest.mark.parametrize("domains", [(), ("",), ("a.example", ""), ("a.example",) * 11])
def test_who_does_not_say_clearly_who_wrote_it_is_a_fault(domains: tuple[str, ...]) -> None:
    assert at_once(evaluate_all(_zone(), domains, NOTHING)).result is Result.PERMERROR


@settings(deadline=None)
@given(st.data(), st.text(max_size=30))
def test_whatever_dns_and_authors_say_there_is_a_result(data: st.DataObject, author: str) -> None:
    async def ask(name: str, kind: str, /) -> tuple[Record, ...]:
        match data.draw(st.integers(0, 3)):
            case 0:
                raise NoSuchName("none")
            case 1:
                raise NameTrouble("trouble")
            case 2:
                return ()
            case _:
                return (b"v=DMARC1; " + data.draw(st.binary(max_size=30)),)

    domains = authors([author.encode("utf-8", "surrogatepass"), b"joe@x.a.example"])
    assert at_once(evaluate_all(ask, domains, NOTHING)).result in Result
