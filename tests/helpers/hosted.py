"""A server and the hosts it sends to, each with an address and a certificate of its own.

async with Hosted(tmp_path, config, zone) as world:
    await world.host("good", "127.0.2.1", world.showing("good", pair))
    await world.mail("b@good.test")
    letter = await world.taken("good", "b@good.test")
"""

import ssl
from types import TracebackType
from typing import Self

from angarium.lab.received import Received
from helpers.certificates import Pair, server_context
from helpers.outlook import Outlook, Watched


class Hosted(Outlook):
    """They listen at the port of the world's sink, and end with it."""

    sinks: dict[str, Watched]

    async def __aenter__(self) -> Self:
        self.sinks = {}
        return await super().__aenter__()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for sink in self.sinks.values():
            await sink.stop()
        await super().__aexit__(kind, error, trace)

    def showing(self, name: str, pair: Pair | None) -> ssl.SSLContext | None:
        """Return by what a host begins TLS; None: it does not."""
        if pair is None:
            return None
        (self.folder / name).mkdir()
        return server_context(self.folder / name, pair)

    async def host(
        self, name: str, address: str, context: ssl.SSLContext | None, script: str = ""
    ) -> None:
        """Start a host."""
        self.sinks[name] = sink = Watched(script, [(address, self.sink.port)], tls=context)
        await sink.start()

    async def taken(self, name: str, recipient: str) -> Received:
        """Wait until a host has taken a message for somebody."""
        sink = self.sinks[name]

        def found() -> list[Received]:
            return [each for each in sink.accepted if recipient in each.recipients]

        await self.until(found, f"mail for {recipient}")
        return found()[0]

    async def put_off(self, domain: str) -> list[str]:
        """Wait until mail for a domain has failed for now; return the fields of that."""
        return (await self.records("mainlog", "T", domain))[0]
