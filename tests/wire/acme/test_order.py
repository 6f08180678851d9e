"""An order, step by step, with an authority which is a list of answers."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from angarium.wire.acme import jose
from angarium.wire.acme.documents import MOST_CHAIN
from angarium.wire.acme.errors import AcmeError
from angarium.wire.acme.order import (
    Ask,
    Look,
    Reply,
    Rest,
    Show,
    Step,
    Wish,
    ordering,
)

KEY = jose.generated()
BASE = "https://ca.test"
TOKEN = "T" * 43
WISH = Wish(f"{BASE}/dir", KEY, ("mx.b.test",), b"csr", ("mailto:a@b.test",))
CHAIN = b"-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n"
PROBLEM = "urn:ietf:params:acme:error:"


def of(value: Any, status: int = 200, location: str = "", wait: float = 0.0) -> Reply:
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    return Reply(status, body, location, wait)


def order(status: str = "pending", **more: Any) -> dict[str, Any]:
    return {
        "status": status, "finalize": f"{BASE}/fin", "authorizations": [f"{BASE}/authz"], **more
    }  # fmt: skip


def authz(status: str = "pending", **more: Any) -> dict[str, Any]:
    challenge = {"type": "http-01", "url": f"{BASE}/ch", "status": "pending", "token": TOKEN}
    return {
        "status": status, "identifier": {"type": "dns", "value": "mx.b.test"},
        "challenges": [challenge | more],
    }  # fmt: skip


DIRECTORY = of({"newNonce": f"{BASE}/n", "newAccount": f"{BASE}/a", "newOrder": f"{BASE}/o"})
ACCOUNT = of({"status": "valid"}, 201, f"{BASE}/acct/1")
ORDER = of(order(), 201, f"{BASE}/order/1")
READY = of(order("ready"))
DONE = of(order("valid", certificate=f"{BASE}/cert"))
WELL = {
    "dir": [DIRECTORY], "a": [ACCOUNT], "o": [ORDER], "authz": [of(authz()), of(authz("valid"))],
    "ch": [of({})], "order/1": [READY], "fin": [DONE], "cert": [of(CHAIN)],
}  # fmt: skip


def played(
    replies: dict[str, list[Reply]], wish: Wish = WISH, most: int = 500
) -> tuple[bytes, list[Step]]:
    """Answer by path, the last answer again and again; return the end and all steps."""
    left = {path: list(each) for path, each in (WELL | replies).items()}
    steps = ordering(wish)
    done: list[Step] = []
    reply: Reply | None = None
    while True:
        try:
            step = steps.send(reply)
        except StopIteration as end:
            return end.value, done
        done.append(step)
        assert len(done) < most, "it never ends"
        reply = None
        if isinstance(step, Look | Ask):
            answers = left[step.url.removeprefix(f"{BASE}/")]
            reply = answers.pop(0) if len(answers) > 1 else answers[0]


def asked(steps: list[Step]) -> list[str]:
    return [each.url.removeprefix(BASE) for each in steps if isinstance(each, Look | Ask)]


def rests(steps: list[Step]) -> list[float]:
    return [each.seconds for each in steps if isinstance(each, Rest)]


def test_an_order_which_goes_well_is_a_certificate() -> None:
    chain, steps = played({})
    assert chain == CHAIN
    assert asked(steps) == [
        "/dir", "/a", "/o", "/authz", "/ch", "/authz", "/order/1", "/fin", "/cert"
    ]  # fmt: skip
    assert Show(TOKEN, jose.key_authorization(TOKEN, KEY)) in steps
    asks = {each.url: each for each in steps if isinstance(each, Ask)}
    assert asks[f"{BASE}/a"].account == ""
    assert json.loads(asks[f"{BASE}/a"].payload) == {
        "termsOfServiceAgreed": True, "contact": ["mailto:a@b.test"]
    }  # fmt: skip
    assert asks[f"{BASE}/cert"].payload == b""
    assert {each.account for each in asks.values()} == {"", f"{BASE}/acct/1"}
    assert json.loads(asks[f"{BASE}/fin"].payload) == {"csr": jose.encoded(b"csr")}


def test_what_can_be_found_is_shown_before_the_authority_is_told_to_look() -> None:
    _, steps = played({})
    places = [each.url if isinstance(each, Ask) else type(each).__name__ for each in steps]
    assert places.index("Show") < places.index(f"{BASE}/ch")


def test_a_name_which_is_proved_already_is_not_proved_again() -> None:
    _, steps = played({"authz": [of(authz("valid"))]})
    assert not any(isinstance(each, Show) for each in steps)


def test_an_account_which_was_there_gets_the_contact_of_now() -> None:
    _, steps = played({"a": [of({}, 200, f"{BASE}/acct/1")], "acct/1": [of({})]})
    said = next(each for each in steps if isinstance(each, Ask) and "acct" in each.url)
    assert json.loads(said.payload) == {"contact": ["mailto:a@b.test"]}


def test_it_waits_as_long_as_the_authority_says_and_longer_each_time() -> None:
    slow = [of(authz(), wait=7.0), of(authz(), wait=7.0), of(authz()), of(authz("valid"))]
    _, steps = played({"authz": [of(authz()), *slow]})
    assert rests(steps) == [7.0, 7.0, 4.0]


def test_an_order_which_is_being_worked_on_is_waited_for() -> None:
    working = of(order("processing"))
    chain, steps = played({"fin": [working], "order/1": [READY, working, DONE]})
    assert chain == CHAIN
    assert rests(steps) == [1.0, 2.0]


@pytest.mark.parametrize(
    "replies",
    [
        {"authz": [of(authz())]},
        {"order/1": [of(order("pending"))]},
        {"fin": [of(order("processing"))], "order/1": [READY, of(order("processing"))]},
    ],
)
def test_nobody_is_waited_for_for_ever(replies: dict[str, list[Reply]]) -> None:
    with pytest.raises(AcmeError, match="takes too long"):
        played(replies)


def test_a_request_whose_answer_was_lost_is_not_the_end() -> None:
    again = of({"type": f"{PROBLEM}orderNotReady", "detail": "it is valid"}, 403)
    assert played({"fin": [again], "order/1": [READY, DONE]})[0] == CHAIN
    with pytest.raises(AcmeError, match="it is valid"):
        played({"fin": [again], "order/1": [READY]})


REFUSED = of({"type": f"{PROBLEM}rateLimited", "detail": "too many"}, 429, wait=600.0)
FAILED = {"type": f"{PROBLEM}unauthorized", "detail": "no such file"}


@pytest.mark.parametrize(
    ("replies", "why"),
    [
        ({"o": [REFUSED]}, "answers 429: too many"),
        ({"dir": [of(b"<html>", 502)]}, "answers 502: no reason given"),
        ({"dir": [of(b"<html>")]}, "no directory"),
        ({"a": [of({}, 201)]}, "does not say where the account is"),
        ({"o": [of(order(), 201)]}, "does not say where an order is"),
        ({"o": [of(order(), 201, "http://ca.test/x")]}, "is not https"),
        ({"authz": [of(authz()), of(authz("invalid", error=FAILED))]}, "not proved: no such file"),
        ({"authz": [of(authz("deactivated"))]}, "authorization is deactivated"),
        ({"authz": [of(authz(type="dns-01"))]}, "no challenge by HTTP"),
        ({"authz": [of(authz() | {"identifier": {"type": "dns", "value": "x.test"}})]},
         "asks about x.test"),
        ({"authz": [of(authz() | {"wildcard": True})]}, "nobody asked for"),
        ({"o": [of(order(authorizations=[f"{BASE}/authz"] * 2), 201, f"{BASE}/order/1")]},
         "more names to be proved"),
        ({"order/1": [of(order("invalid", error=FAILED))]}, "has failed: no such file"),
        ({"order/1": [of(order("odd"))]}, "its status is odd"),
        ({"fin": [of(order("valid"))]}, "has no certificate"),
        ({"cert": [of(b"<html>")]}, "no certificate in PEM"),
        ({"cert": [of(CHAIN + b"x" * MOST_CHAIN)]}, "a chain of more"),
    ],
)  # fmt: skip
def test_what_goes_wrong_is_said(replies: dict[str, list[Reply]], why: str) -> None:
    with pytest.raises(AcmeError, match=why):
        played(replies)


def test_a_refusal_has_its_kind_and_when_to_ask_again() -> None:
    with pytest.raises(AcmeError) as caught:
        played({"o": [REFUSED]})
    assert (caught.value.kind, caught.value.wait) == ("rateLimited", 600.0)


def test_an_account_of_before_is_bound_to_the_new_one() -> None:
    wish = Wish(f"{BASE}/dir", KEY, ("mx.b.test",), b"csr", (), ("kid", b"secret"))
    _, steps = played({}, wish)
    said = next(each for each in steps if isinstance(each, Ask) and each.url == f"{BASE}/a")
    binding = json.loads(said.payload)["externalAccountBinding"]
    assert json.loads(jose.decoded(binding["protected"]))["kid"] == "kid"
    meta = {"meta": {"externalAccountRequired": True}}
    needs = of(json.loads(DIRECTORY.body) | meta)
    with pytest.raises(AcmeError, match="asks for an external account"):
        played({"dir": [needs]})


def test_no_secret_is_shown() -> None:
    wish = Wish(f"{BASE}/dir", KEY, external=("kid", b"secret"))
    assert "secret" not in repr(wish)


DOCUMENTS: list[Callable[..., dict[str, Any]]] = [order, authz]
ANSWERS = st.builds(
    of,
    st.sampled_from(
        [
            *(make(status) for make in DOCUMENTS for status in ("pending", "valid", "invalid")),
            order("ready"), order("processing"), json.loads(DONE.body), {}, b"", CHAIN,
            {"type": f"{PROBLEM}orderNotReady"}, json.loads(DIRECTORY.body),
        ]
    ),
    st.sampled_from([200, 201, 400, 500]),
    st.sampled_from(["", f"{BASE}/order/1"]),
    st.floats(0.0, 1e9),
)  # fmt: skip


@given(st.lists(ANSWERS, min_size=1, max_size=12))
def test_whatever_is_answered_there_is_an_end(answers: list[Reply]) -> None:
    steps, reply, number = ordering(WISH), None, 0
    for _ in range(500):
        try:
            step = steps.send(reply)
        except (AcmeError, StopIteration):
            return
        reply = None
        if isinstance(step, Look | Ask):
            # At first as it should be, so that more than the directory is reached.
            begin = [DIRECTORY, ACCOUNT, ORDER]
            known = [*begin[: len(answers) % 4], *answers]
            reply, number = known[min(number, len(known) - 1)], number + 1
    raise AssertionError("it never ends")
