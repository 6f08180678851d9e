"""What is carried to an authority and back, over TLS."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from angarium.net.acme import client
from angarium.net.acme.client import Client, seconds_of
from angarium.wire.acme import jose
from angarium.wire.acme.errors import AcmeError
from angarium.wire.acme.order import Ask, Look, Reply, Rest, Show, Steps
from helpers.acme import AcmeServer
from helpers.certificates import client_context

KEY = jose.generated()


@pytest.fixture
async def ca() -> AsyncIterator[AcmeServer]:
    async with AcmeServer().serving() as made:
        yield made


class Asking:
    """A client which notes what it waits for and shows."""

    def __init__(self) -> None:
        self.rests: list[float] = []
        self.shown: list[tuple[str, str]] = []
        self._client = Client(
            client_context(), KEY, lambda *each: self.shown.append(each), self._rest
        )

    async def _rest(self, seconds: float) -> None:
        self.rests.append(seconds)

    async def run(self, *steps: Look | Ask | Rest | Show) -> list[Reply | None]:
        def all_() -> Steps[list[Reply | None]]:
            replies: list[Reply | None] = []
            for each in steps:
                reply = yield each
                replies.append(reply)
            return replies

        return await self._client.run(all_())


def account(ca: AcmeServer) -> Ask:
    return Ask(f"{ca.base}/account", b'{"termsOfServiceAgreed":true}', "", f"{ca.base}/nonce")


async def test_nonces_are_fetched_once_and_then_taken_from_answers(ca: AcmeServer) -> None:
    asking = Asking()
    first, second = await asking.run(account(ca), account(ca))
    assert first is not None
    assert second is not None
    assert (first.status, second.status) == (201, 200)
    assert first.location.startswith(f"{ca.base}/acct/")
    assert ca.requests == ["HEAD /nonce", "POST /account", "POST /account"]


async def test_a_nonce_which_is_used_up_is_no_answer(ca: AcmeServer) -> None:
    ca.stale = 2
    asking = Asking()
    [reply] = await asking.run(account(ca))
    assert reply is not None
    assert (reply.status, asking.rests) == (201, [])
    ca.stale = 99
    with pytest.raises(AcmeError, match="used up") as caught:
        await asking.run(account(ca))
    assert caught.value.kind == "badNonce"


async def test_a_server_which_is_broken_is_asked_again_and_later_each_time(ca: AcmeServer) -> None:
    ca.broken = 2
    asking = Asking()
    [reply] = await asking.run(Look(ca.directory))
    assert reply is not None
    assert (reply.status, asking.rests) == (200, [1.0, 2.0])
    ca.broken = 99
    with pytest.raises(AcmeError, match="answers 503"):
        await asking.run(Look(ca.directory))


async def test_steps_which_are_no_requests_are_done(ca: AcmeServer) -> None:
    asking = Asking()
    await asking.run(Rest(7.0), Show("token", "text"))
    assert (asking.rests, asking.shown) == ([7.0], [("token", "text")])


async def test_a_server_which_nobody_vouches_for_hears_nothing(ca: AcmeServer) -> None:
    asking = Asking()
    with pytest.raises(AcmeError, match="cannot be asked"):
        await asking.run(Look(ca.directory.replace("localhost", "127.0.0.2")))
    assert ca.requests == []


async def test_what_is_too_long_or_too_late_is_no_answer(
    ca: AcmeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "MOST_CHAIN", 10)
    with pytest.raises(AcmeError, match="too long"):
        await Asking().run(Look(ca.directory))
    monkeypatch.setattr(client, "ORDER_SECONDS", 0.01)
    slow = Client(client_context(), KEY, print, asyncio.sleep)

    def waits() -> Steps[None]:
        yield Rest(3600.0)

    with pytest.raises(AcmeError, match="not done in"):
        await slow.run(waits())


async def test_nobody_is_followed_to_another_place(ca: AcmeServer) -> None:
    [reply] = await Asking().run(Look(f"{ca.base}/elsewhere"))
    assert reply is not None
    assert reply.status == 405


NOW = 1_792_000_000.0  # 2026-10-14 17:46:40 GMT


@pytest.mark.parametrize(
    ("field", "seconds"),
    [
        ("", 0.0), ("120", 120.0), (" 5 ", 5.0), ("9" * 30, client.MOST_WAIT), ("-5", 0.0),
        ("Wed, 14 Oct 2026 17:48:40 GMT", 120.0), ("Wed, 14 Oct 2020 18:28:40 GMT", 0.0),
        ("tomorrow", 0.0), ("٣", 0.0), ("1.5", 0.0),
    ],
)  # fmt: skip
def test_when_to_ask_again_is_a_number_or_a_date(field: str, seconds: float) -> None:
    assert seconds_of(field, NOW) == seconds


@given(st.text(max_size=40))
def test_any_text_is_a_wait_which_is_bounded(field: str) -> None:
    assert 0.0 <= seconds_of(field, NOW) <= client.MOST_WAIT
