"""Endpoints of HTTP: what policy answers beside mail.

Which one answers is decided by `found`, in the process which listens and in the worker alike: the
first whose method is that of the request, or none, and whose path is that of the request or one
above it. "/a" is above "/a/" and "/a/b", and not above "/ab".
"""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Protocol, TypeVar, runtime_checkable

from angarium.wire.channel import HttpRequest, HttpResponse


@dataclass(frozen=True, slots=True)
class Request:
    """A request with its content."""

    head: HttpRequest
    content: bytes = b""


@dataclass(frozen=True, slots=True)
class Response:
    """An answer with its content."""

    head: HttpResponse
    content: bytes = b""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Who answers what: `method` is "" for all, `path` has no slash at its end.

    Attributes:
        answer: raises what a handler may raise; `policy/guard` stands before it.
    """

    method: str
    path: str
    answer: Callable[[Request], Awaitable[Response]]


@runtime_checkable
class Offers(Protocol):
    """A module which has endpoints: scripts."""

    @property
    def endpoints(self) -> list[Endpoint]: ...


@runtime_checkable
class Serves(Protocol):
    """The module which lets endpoints be asked."""

    async def serve(self, endpoint: Endpoint, request: Request) -> Response:
        """Ask an endpoint; whatever it does wrong is an answer too."""
        ...


class Placed(Protocol):
    """What has a method and a path."""

    @property
    def method(self) -> str: ...

    @property
    def path(self) -> str: ...


P = TypeVar("P", bound=Placed)


def normal(path: str) -> str:
    """Return the path of an endpoint without the slash at its end, which may be left out."""
    return path.rstrip("/")


def _above(base: str, path: str) -> bool:
    return path == base or path.startswith(f"{base}/")


def found(places: Iterable[P], method: str, path: str) -> P | None:
    """Return who answers a request."""
    for each in places:
        if each.method in ("", method) and _above(each.path, path):
            return each
    return None


def methods(places: Iterable[Placed], path: str) -> list[str]:
    """Return the methods which are answered at a path."""
    return sorted({each.method for each in places if _above(each.path, path)})
