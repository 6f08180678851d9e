"""A worker's channel out of endpoints of a test, on a real socket."""

from pathlib import Path

from angarium.policy.chain import NO_POLICY
from angarium.policy.endpoints import Endpoint, Request, Response
from angarium.policy.module import Policing
from angarium.run.channel import Channel
from angarium.wire.channel import HttpRequest, HttpResponse


def request(path: str = "/a", method: str = "GET") -> HttpRequest:
    return HttpRequest(method, path, path, [], "192.0.2.1", 9, ("192.0.2.2", 80), 60.0)


async def echo(request: Request) -> Response:
    """Answer with what came."""
    return Response(HttpResponse(200, [(b"x-path", request.head.path.encode())]), request.content)


class Module:
    """A module which has endpoints, and lets them be asked."""

    def __init__(self, *endpoints: Endpoint) -> None:
        self.endpoints = list(endpoints)

    async def serve(self, endpoint: Endpoint, request: Request) -> Response:
        return await endpoint.answer(request)


class Served:
    """A worker, as far as its channel goes."""

    def __init__(self, folder: Path, *endpoints: Endpoint, number: int = 0) -> None:
        self.module = Module(*endpoints)
        self.policing = Policing(NO_POLICY, [self.module])
        self.generation = 1
        self.told: list[str] = []
        self.channel = Channel(
            folder, number, lambda: self.policing, lambda: self.generation, self.told.append
        )
