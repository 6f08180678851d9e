"""Challenges of ACME on a listener of HTTP, and what is left to others."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping

import pytest
from uvicorn.server import ServerState

from angarium.lab.sink import stop_listening
from angarium.web.app import app
from angarium.web.challenges import PREFIX, Challenges, is_challenge
from angarium.web.guard import Manners, connections
from helpers.browser import WELL, Watched, ask

SHOWN: Mapping[str, bytes] = {"token": b"token.thumbprint"}


@contextlib.asynccontextmanager
async def serving(*, alone: bool) -> AsyncIterator[int]:
    state = ServerState()
    other = None if alone else app(Watched(WELL), {"node": "mx.node.test", "version": "1"})
    made = connections(
        Challenges(other, SHOWN.get), ["mx.node.test"], state, lambda _: Manners(),
        anyhow=is_challenge,
    )  # fmt: skip
    server = await asyncio.get_running_loop().create_server(made, "127.0.0.1", 0)
    try:
        yield int(server.sockets[0].getsockname()[1])
    finally:
        await stop_listening(server)


@pytest.mark.parametrize("alone", [True, False])
async def test_a_challenge_is_found_by_whatever_name_we_are_called(alone: bool) -> None:
    async with serving(alone=alone) as port:
        for host in ("new.example", "mx.node.test", "127.0.0.1"):
            answer = await ask(port, f"{PREFIX}token", host=host)
            assert (answer.status, answer.body) == (200, b"token.thumbprint")
        assert (await ask(port, f"{PREFIX}token", host="a.example", method="HEAD")).status == 200


@pytest.mark.parametrize("alone", [True, False])
async def test_what_nobody_has_laid_there_is_not_found(alone: bool) -> None:
    async with serving(alone=alone) as port:
        for name in ("", "other", "../token", "%2e%2e/token", "token/x", "token?x"):
            status = (await ask(port, f"{PREFIX}{name}", host="a.example")).status
            assert status == (200 if name == "token?x" else 404), name
        assert (await ask(port, f"{PREFIX}token", method="POST")).status == 405


async def test_a_listener_for_challenges_answers_nothing_else() -> None:
    async with serving(alone=True) as port:
        for path in ("/", "/status", "/metrics", "/healthz", "/.well-known/"):
            assert (await ask(port, path)).status == 404
    async with serving(alone=False) as port:
        assert (await ask(port, "/healthz")).status == 200
        assert (await ask(port, "/healthz", host="a.example")).status == 421
