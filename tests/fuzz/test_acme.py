"""An authority which answers what nobody wrote: an error of ours, and never another exception.

Short in CI; `make fuzz` runs it long.
"""

import json
from contextlib import suppress
from typing import Any, get_args

from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from angarium.net.acme import certificates
from angarium.wire.acme import jose
from angarium.wire.acme.documents import Authorization, Directory, Order, problem, read
from angarium.wire.acme.errors import AcmeError
from angarium.wire.acme.order import Ask, Look, Reply, Step, Wish, ordering
from helpers.certificates import server

assert set(get_args(Step)) >= {Look, Ask}
KINDS = (Directory, Order, Authorization)
NAMES = (
    "newNonce", "newAccount", "newOrder", "meta", "status", "finalize", "authorizations",
    "certificate", "error", "type", "url", "token", "detail", "subproblems", "identifier",
    "value", "challenges", "wildcard", "externalAccountRequired", "termsOfService",
)  # fmt: skip
TEXTS = st.sampled_from(
    ["https://ca.test/x", "valid", "pending", "invalid", "http-01", "T" * 43, "dns", "mx.b.test"]
)
VALUES = st.recursive(
    TEXTS | st.text(max_size=20) | st.integers() | st.booleans() | st.none(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=8), inner, max_size=8)
    ),
    max_leaves=30,
)
BODIES = st.binary(max_size=300) | VALUES.map(lambda value: json.dumps(value).encode())
WISH = Wish("https://ca.test/x", jose.generated(), ("mx.b.test",), b"csr")
KEY = ec.generate_private_key(ec.SECP256R1())
PEM = server().certificate


@given(BODIES, st.sampled_from(KINDS))
def test_any_document(body: bytes, kind: type[Any]) -> None:
    with suppress(AcmeError):
        read(kind, body)
    assert str(problem(body)).isprintable()


@given(
    st.lists(
        st.builds(
            Reply, st.sampled_from([200, 200, 201, 404]), BODIES,
            st.sampled_from(["https://ca.test/x", ""]) | st.text(max_size=20), st.floats(0, 1e6),
        ),
        max_size=20,
    )
)  # fmt: skip
def test_any_answers(replies: list[Reply]) -> None:
    steps, reply, left = ordering(WISH), None, list(replies)
    with suppress(AcmeError, StopIteration):
        for _ in range(200):
            step = steps.send(reply)
            reply = None
            if isinstance(step, Look | Ask):
                reply = left.pop() if left else Reply(500)


@given(
    st.binary(max_size=300)
    | st.tuples(st.integers(0, len(PEM)), st.integers(0, 8), st.binary(max_size=8)).map(
        lambda edit: PEM[: edit[0]] + edit[2] + PEM[edit[0] + edit[1] :]
    )
)
def test_any_chain(chain: bytes) -> None:
    with suppress(AcmeError):
        certificates.checked(chain, ("mx.example.com",), KEY, 0.0)
    with suppress(AcmeError):
        certificates.held(chain)
    certificates.key_in(chain)


@given(st.text(max_size=60))
def test_any_base64url(text: str) -> None:
    with suppress(ValueError):
        assert len(jose.encoded(jose.decoded(text))) == len(text)
