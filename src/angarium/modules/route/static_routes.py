"""static_routes: sends all mail to one server, but for what has a gateway of its own.

Each domain keeps its own queue and its own connections; only where they lead is the same.
"""

from typing import Final

from angarium.modules.means import Means
from angarium.modules.route.options.routes import StaticRoutes as Options
from angarium.outbound.static import Step


class StaticRoutes:
    """The module: its target is the router's."""

    def __init__(self, name: str, options: Options, means: Means) -> None:
        place = options.target
        self._router = means.router
        self._everywhere: Final = (
            None if place is None else Step(place.host, port=place.port, by_mx=False)
        )

    def start(self) -> None:
        self._router.everywhere = self._everywhere

    def stop(self) -> None:
        if self._router.everywhere is self._everywhere:
            self._router.everywhere = None
