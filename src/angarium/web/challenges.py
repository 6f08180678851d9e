"""Challenges of ACME by HTTP (RFC 8555 section 8.3), before everything else a listener answers.

    /.well-known/acme-challenge/TOKEN       what an order has laid there to be found

Whoever asks gets an answer, by whatever name he calls us: it is the names which are to be proved,
and what is found is no secret. The rule: a token is looked for in one directory, and is nothing
but letters, digits, - and _.
"""

import asyncio
from collections.abc import Callable
from typing import Final

from angarium.web.guard import App, Receive, Scope, Send, answer

PREFIX: Final = "/.well-known/acme-challenge/"
_TEXT: Final = (b"content-type", b"text/plain; charset=utf-8")
_OCTETS: Final = (b"content-type", b"application/octet-stream")


def is_challenge(path: str) -> bool:
    return path.startswith(PREFIX)


class Challenges:
    """An application which answers challenges, and leaves all else to another one.

    Args:
        otherwise: None: there is nothing else.
        shown: returns what is to be found by a token, which may be anything; None: nothing.
    """

    def __init__(self, otherwise: App | None, shown: Callable[[str], bytes | None]) -> None:
        self._otherwise = otherwise
        self._shown = shown

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"]
        if is_challenge(path) and scope["method"] in ("GET", "HEAD"):
            text = await asyncio.to_thread(self._shown, path.removeprefix(PREFIX))
            if text is not None:
                await answer(send, 200, text, (_OCTETS,))
                return
        if self._otherwise is not None:
            await self._otherwise(scope, receive, send)
        else:
            await answer(send, 404, b"not found\n", (_TEXT,))
