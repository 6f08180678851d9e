"""What an authority may say, and what is made of what it may not."""

import json
from typing import Any

import pytest

from angarium.wire.acme import documents
from angarium.wire.acme.documents import Authorization, Directory, Order, Problem, read
from angarium.wire.acme.errors import AcmeError

BASE = "https://ca.test"
DIRECTORY = {
    "newNonce": f"{BASE}/n", "newAccount": f"{BASE}/a", "newOrder": f"{BASE}/o",
    "revokeCert": f"{BASE}/r", "keyChange": f"{BASE}/k", "renewalInfo": "x",
    "meta": {"externalAccountRequired": True, "caaIdentities": ["ca.test"]},
}  # fmt: skip
CHALLENGE = {"type": "http-01", "url": f"{BASE}/c", "status": "pending", "token": "A" * 43}
AUTHORIZATION = {
    "status": "pending", "expires": "2027-01-01T00:00:00Z",
    "identifier": {"type": "dns", "value": "mx.b.test"},
    "challenges": [{"type": "dns-01", "url": "odd", "token": "?"}, CHALLENGE],
}  # fmt: skip


def of(value: Any) -> bytes:
    return json.dumps(value).encode()


def test_a_directory_is_read_and_what_is_not_used_is_passed_over() -> None:
    found = read(Directory, of(DIRECTORY))
    assert (found.new_nonce, found.new_order) == (f"{BASE}/n", f"{BASE}/o")
    assert found.meta.external_account_required


@pytest.mark.parametrize(
    "changed",
    [
        {"newNonce": "http://ca.test/n"}, {"newOrder": "https:///x"}, {"newOrder": 1},
        {"newOrder": "ftp://x"}, {"newOrder": f"{BASE}/{'x' * 2048}"}, {"newOrder": f"{BASE}/ä"},
        {"newOrder": f"{BASE}/a b"}, {"newOrder": "https://[x/"}, {"meta": 1}, {"newOrder": None},
    ],
)  # fmt: skip
def test_a_directory_with_an_address_that_is_none_is_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(AcmeError, match="no directory"):
        read(Directory, of(DIRECTORY | changed))


def test_the_challenge_by_http_is_found_among_others() -> None:
    found = read(Authorization, of(AUTHORIZATION))
    assert found.challenge is not None
    assert found.challenge.token == "A" * 43
    without = AUTHORIZATION | {"challenges": []}
    assert read(Authorization, of(without)).challenge is None


@pytest.mark.parametrize("token", ["", "short", "../../etc/passwd/xxxx", "A" * 257, "A" * 42 + "="])
def test_a_token_which_could_be_another_file_is_refused(token: str) -> None:
    with pytest.raises(AcmeError):
        read(Authorization, of(AUTHORIZATION | {"challenges": [CHALLENGE | {"token": token}]}))
    assert not documents.is_token(token)


def test_more_challenges_than_anybody_has_are_refused() -> None:
    with pytest.raises(AcmeError, match="more than 32"):
        read(Authorization, of(AUTHORIZATION | {"challenges": [CHALLENGE] * 33}))


def test_a_document_is_bounded() -> None:
    long = of(DIRECTORY | {"x": "y" * documents.MOST_OCTETS})
    with pytest.raises(AcmeError, match="more than"):
        read(Directory, long)
    with pytest.raises(AcmeError):
        read(Directory, b'{"meta":' + b"[" * 60000)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"\xff", b"<html>"])
def test_what_is_no_document_is_refused(body: bytes) -> None:
    with pytest.raises(AcmeError):
        read(Order, body)
    assert documents.problem(body) == Problem()


def test_a_problem_says_what_is_wrong_in_one_line() -> None:
    found = documents.problem(
        of(
            {
                "type": "urn:ietf:params:acme:error:rejectedIdentifier",
                "detail": "two\nare \x1b[31mwrong",
                "subproblems": [{"detail": "a.test"}, {"detail": "b.test", "subproblems": []}],
            }
        )
    )
    assert found.kind == "rejectedIdentifier"
    assert str(found) == "two are  [31mwrong; a.test; b.test"
    assert str(Problem("x:" + "y" * 50)) == "no reason given"
    assert len(str(Problem(detail="z" * 5000))) == documents.MOST_SHOWN
