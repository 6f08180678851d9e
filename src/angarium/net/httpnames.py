"""The worker's resolver, as aiohttp wants one."""

import socket

from aiohttp.abc import AbstractResolver, ResolveResult

from angarium.net.dnscache import Resolver


class Names(AbstractResolver):
    """Asks the worker's resolver for the addresses of hosts."""

    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        families = (socket.AF_INET6, socket.AF_INET) if family == socket.AF_UNSPEC else (family,)
        answer = await self._resolver.address(host, families)
        if not answer.records:
            raise OSError(None, f"{host}: {answer.status.value}")
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for address in answer.records
        ]

    async def close(self) -> None:
        """The resolver is the worker's."""
