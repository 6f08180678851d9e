"""httpsrv: lets endpoints which scripts have registered be asked by HTTP.

    httpsrv { }
    http_listener { listen "127.0.0.1:2081" { } }

The process `web` listens and asks a worker (`run/channel`); here stands what a worker does about a
request. Rule: **an endpoint that fails is a 500 with nothing of the failure in it**: who asks may
be anybody, and what failed stands in paniclog with its place.
"""

from time import perf_counter
from typing import Any, Final

from angarium.modules.means import Means
from angarium.policy.endpoints import Endpoint, Request, Response
from angarium.wire.channel import HttpResponse

STANZA: Final = "httpsrv"
FAILED: Final = Response(
    HttpResponse(500, [(b"content-type", b"text/plain; charset=utf-8")]), b"the endpoint failed\n"
)


class HttpServer:
    """The module."""

    def __init__(self, name: str, options: Any, means: Means) -> None:
        self._guard = means.guard
        self._tell = means.tell

    async def serve(self, endpoint: Endpoint, request: Request) -> Response:
        """Ask an endpoint."""
        head = request.head
        began = perf_counter()
        name = f"endpoint {endpoint.method or 'any method'} {endpoint.path or '/'}"
        response = await self._guard.wait(STANZA, name, endpoint.answer(request))
        if response is None:
            response = FAILED
        taken = (perf_counter() - began) * 1000
        self._tell(
            "DEBUG",
            f"{head.address or '-'} {head.method} {head.target} {response.head.status} "
            f"{taken:.3f} ms",
        )
        return response
