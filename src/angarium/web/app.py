"""What is answered by HTTP: is it alive, is it ready, what does it measure, how is it.

    /healthz        200 while this process runs
    /readyz         200 while mail is taken in and delivered, else 503 with the reasons
    /metrics        for Prometheus
    /status         a page for people, /status.json for programs

Rule: **it looks, and changes nothing**: no other method than GET and HEAD is known.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Protocol

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from angarium.web.overview import History, Queue, overview, problems
from angarium.web.page import POLICY, page
from angarium.web.prometheus import OPENMETRICS, TEXT, exposition, wants_openmetrics

JSON: Final = "application/json"
_encode: Final = msgspec.json.Encoder().encode


class Watched(Protocol):
    """Where the answers come from.

    Attributes:
        history: the samples of the last minute; there is one at least.
    """

    history: History

    def queues(self) -> Sequence[Queue]:
        """Return the busiest queues, of all workers together."""
        ...


class Answers:
    """The answers.

    Args:
        about: what does not change: `node` and `version`.
    """

    def __init__(self, watched: Watched, about: Mapping[str, Any]) -> None:
        self._watched = watched
        self._about = about

    async def alive(self, request: Request) -> Response:
        return PlainTextResponse("alive\n")

    async def ready(self, request: Request) -> Response:
        reasons = [each.text for each in problems(self._watched.history.last) if each.blocks]
        if reasons:
            return PlainTextResponse("".join(f"{each}\n" for each in reasons), 503)
        return PlainTextResponse("ready\n")

    async def metrics(self, request: Request) -> Response:
        openmetrics = wants_openmetrics(request.headers.get("accept", ""))
        text = exposition(
            self._watched.history.last,
            self._watched.queues(),
            openmetrics=openmetrics,
            version=str(self._about["version"]),
        )
        return Response(text, headers={"content-type": OPENMETRICS if openmetrics else TEXT})

    async def status(self, request: Request) -> Response:
        return Response(
            page(self._overview()),
            media_type="text/html",
            headers={"content-security-policy": POLICY},
        )

    async def status_json(self, request: Request) -> Response:
        return Response(_encode(self._overview()), media_type=JSON)

    async def home(self, request: Request) -> Response:
        return RedirectResponse("/status", 302)

    def _overview(self) -> dict[str, Any]:
        return overview(self._watched.history, self._watched.queues(), self._about)


async def _unknown(request: Request, error: Exception) -> Response:
    known = " ".join(PATHS)
    return PlainTextResponse(f"not found; there are {known}\n", 404)


def app(watched: Watched, about: Mapping[str, Any]) -> Starlette:
    """Return the application."""
    answers = Answers(watched, about)
    routes = [Route(path, of(answers)) for path, of in _ROUTES.items()]
    return Starlette(routes=[*routes, Route("/", answers.home)], exception_handlers={404: _unknown})


_ROUTES: Final[Mapping[str, Callable[[Answers], Callable[..., Any]]]] = {
    "/healthz": lambda answers: answers.alive,
    "/readyz": lambda answers: answers.ready,
    "/metrics": lambda answers: answers.metrics,
    "/status": lambda answers: answers.status,
    "/status.json": lambda answers: answers.status_json,
}
PATHS: Final = tuple(_ROUTES)
