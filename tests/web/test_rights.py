"""Who may ask by HTTP: by certificate, by a password nobody else heard, and not too often."""

import base64
from dataclasses import replace
from pathlib import Path

import pytest

from angarium.console.attempts import Attempts
from angarium.web.rights import Refusal, Rights, Visitor
from angarium.wire.sasl.digest import stored
from helpers.clock import FakeClock

HERE = Visitor("192.0.2.1", private=True)
REALM = "mx.example.com"


class Listener:
    """Rights, with what is told and when."""

    def __init__(self, uri: str = "", *, certificate: bool = False) -> None:
        self.clock = FakeClock()
        self.told: list[str] = []
        self.rights = Rights(uri, REALM, certificate, Attempts(self.clock), self.told.append)

    async def ask(
        self, user: str = "", password: str = "", visitor: Visitor = HERE
    ) -> Refusal | None:
        coded = base64.b64encode(f"{user}:{password}".encode())
        fields = [(b"authorization", b"Basic " + coded)] if user else []
        return await self.rights.refusal(visitor, fields)

    async def status(self, user: str = "", password: str = "", visitor: Visitor = HERE) -> int:
        found = await self.ask(user, password, visitor)
        return found.status if found is not None else 200


# Of `openssl passwd -6 -salt saltsalt`: Hello world!
CRYPTED = (
    "$6$saltsalt$pn.eNCAqRIao3pxsOGdjVa9wVR7Rb/3WnbxOluoQKVZPzLuyetx3yF6VIZDfQnn/"
    "arrFVfrq3BqRb9gLqhI5z0"
)


@pytest.mark.parametrize(
    ("scheme", "kept"),
    [
        ("file", "Hello world!"),
        ("digest", f"{REALM}:{stored('tim', REALM, 'Hello world!')}"),
        ("passwd", CRYPTED),
    ],
)
async def test_a_user_of_any_file_may_ask_and_others_may_not(
    tmp_path: Path, scheme: str, kept: str
) -> None:
    (tmp_path / "users").write_text(f"tim:{kept}\n")
    listener = Listener(f"{scheme}://{tmp_path}/users")
    assert await listener.status("tim", "Hello world!") == 200
    assert await listener.status("tim", "hello world!") == 401
    assert await listener.status("tom", "Hello world!") == 401
    assert await listener.status() == 401


async def test_where_nobody_may_ask_no_password_and_no_certificate_counts(tmp_path: Path) -> None:
    (tmp_path / "users").write_text("tim:secret\n")
    listener = Listener(f"file://{tmp_path}/users", certificate=True)
    assert await listener.status("tim", "secret") == 200
    listener.rights = replace(listener.rights, nobody=True)
    for visitor in (HERE, Visitor("192.0.2.1", verified=True, private=True)):
        found = await listener.ask("tim", "secret", visitor)
        assert found == Refusal(403, "nobody may ask here")


async def test_who_is_asked_for_a_password_hears_for_what(tmp_path: Path) -> None:
    (tmp_path / "users").write_text("tim:secret\n")
    listener = Listener(f"file://{tmp_path}/users")
    found = await listener.ask()
    assert found is not None
    assert found.fields == (
        (b"www-authenticate", b'Basic realm="mx.example.com", charset="UTF-8"'),
    )


async def test_a_password_which_others_can_hear_is_not_looked_at(tmp_path: Path) -> None:
    (tmp_path / "users").write_text("tim:secret\n")
    listener = Listener(f"file://{tmp_path}/users")
    far = Visitor("192.0.2.1", private=False)
    assert await listener.status("tim", "secret", far) == 403
    assert await listener.status("tim", "secret") == 200


async def test_who_has_tried_too_many_waits_and_others_do_not(tmp_path: Path) -> None:
    (tmp_path / "users").write_text("tim:secret\n")
    listener = Listener(f"file://{tmp_path}/users")
    for _ in range(5):
        assert await listener.status("tim", "wrong") == 401
    found = await listener.ask("tim", "secret")
    assert found is not None
    assert (found.status, found.fields) == (429, ((b"retry-after", b"10"),))
    assert await listener.status("tim", "secret", Visitor("192.0.2.2", private=True)) == 200
    listener.clock.advance(10.0)
    assert await listener.status("tim", "secret") == 200


async def test_addresses_of_one_customer_try_together(tmp_path: Path) -> None:
    (tmp_path / "users").write_text("tim:secret\n")
    listener = Listener(f"file://{tmp_path}/users")
    for number in range(5):
        visitor = Visitor(f"2001:db8::{number}", private=True)
        assert await listener.status("tim", "wrong", visitor) == 401
    assert await listener.status("tim", "secret", Visitor("2001:db8::9", private=True)) == 429
    assert await listener.status("tim", "secret", Visitor("2001:db8:1::9", private=True)) == 200


@pytest.mark.parametrize(
    "said",
    [
        b"Basic", b"Basic !!!", b"Bearer dGltOnNlY3JldA==", b"Basic " + b"x" * 9999,
        b"Basic " + base64.b64encode(b"\xff\xfe:x"), b"Basic " + base64.b64encode(b"tim"),
        b"Basic " + base64.b64encode(b":secret"), b"",
    ],
)  # fmt: skip
async def test_what_is_no_password_is_a_wrong_one(tmp_path: Path, said: bytes) -> None:
    (tmp_path / "users").write_text("tim:secret\n:secret\n")
    listener = Listener(f"file://{tmp_path}/users")
    found = await listener.rights.refusal(HERE, [(b"authorization", said)])
    assert found is not None
    assert found.status == 401


async def test_two_claims_at_once_are_none(tmp_path: Path) -> None:
    (tmp_path / "users").write_text("tim:secret\n")
    listener = Listener(f"file://{tmp_path}/users")
    claim = (b"authorization", b"Basic " + base64.b64encode(b"tim:secret"))
    assert await listener.rights.refusal(HERE, [claim]) is None
    found = await listener.rights.refusal(HERE, [claim, claim])
    assert found is not None
    assert found.status == 401


async def test_a_certificate_is_enough_only_where_it_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "users").write_text("tim:secret\n")
    shown = Visitor("192.0.2.1", verified=True, private=True)
    uri = f"file://{tmp_path}/users"
    assert await Listener(uri, certificate=True).status(visitor=shown) == 200
    assert await Listener(uri, certificate=True).status() == 401
    assert await Listener(uri).status(visitor=shown) == 401
    assert await Listener(certificate=True).status() == 403


async def test_a_file_which_cannot_be_read_is_told_and_lets_nobody_in(tmp_path: Path) -> None:
    listener = Listener(f"file://{tmp_path}/none")
    assert await listener.status("tim", "secret") == 503
    assert "a file of users cannot be read" in listener.told[0]
