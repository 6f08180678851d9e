"""HOST:PORT on a command line, read as the configuration reads it."""

import click

from angarium.config.places import HostPort


class Endpoint(click.ParamType[tuple[str, int]]):
    """A host and a port, as a pair. `bound`: to listen on, where "*" and port 0 mean any."""

    name = "endpoint"

    def __init__(self, *, bound: bool = False) -> None:
        self._bound = bound

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, int]:
        if isinstance(value, tuple):  # A default, already converted.
            return value
        try:
            place = HostPort(bound=self._bound).parse(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)
        if not place.port and not self._bound:
            self.fail(f"{value!r} has no port", param, ctx)
        return "0.0.0.0" if place.host in ("", "*") else place.host, place.port
