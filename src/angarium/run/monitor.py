"""The process of the monitor: watches the server and tells people, by alerts and by SNMP.

python -m angarium.run.monitor LINK FDS        started by the supervisor, by nobody else
"""

import asyncio

from angarium.config.resolve import Configuration
from angarium.run import link, process
from angarium.run.process import Process


class Monitor(Process):
    """Hears the service log, looks at the readings, tells whom the configuration names."""

    what = "monitor"

    def __init__(self) -> None:
        super().__init__()
        self._stopping = asyncio.Event()

    async def start(
        self, start: link.Start, configuration: Configuration, descriptors: dict[str, int]
    ) -> None:
        self.ready()
        await self._stopping.wait()

    async def drain(self, seconds: float) -> None:
        self._stopping.set()


if __name__ == "__main__":
    process.main(Monitor())
