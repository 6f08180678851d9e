"""Sends spans to a collector of OpenTelemetry; bounded, and nothing waits for it.

Rule: **a collector which is slow or away costs spans, and nothing else**: what does not fit into
the queue is dropped and counted.
"""

import asyncio
import contextlib
import enum
from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

from angarium.events.metrics import Metrics, counter
from angarium.web.spans import request_of

MOST_WAITING: Final = 4096  # spans, of less than 2 KB each
MOST_AT_ONCE: Final = 512  # in one request
SECONDS: Final = 10.0  # for a request
FIRST_WAIT: Final = 1.0  # after a failure; doubled with each one
LONGEST_WAIT: Final = 60.0

SENT: Final = counter("trace_spans_sent", "Spans which the collector took.")
DROPPED: Final = counter("trace_spans_dropped", "Spans which were dropped, as it did not.")
FAILED: Final = counter("trace_requests_failed", "Requests to the collector which failed.")

# OTLP/HTTP: these may be tried again, and no others.
_AGAIN: Final = frozenset({429, 502, 503, 504})
_encode: Final = msgspec.json.Encoder().encode


class Outcome(enum.Enum):
    """What came of a request."""

    TAKEN = enum.auto()
    AGAIN = enum.auto()
    NEVER = enum.auto()


class Collector:
    """The way to a collector.

    Args:
        endpoint: URL.
        about: what we are: attributes of the resource.
    """

    def __init__(self, endpoint: str, about: Mapping[str, str], metrics: Metrics) -> None:
        self._endpoint = endpoint
        self._about = about
        self._waiting: deque[Mapping[str, Any]] = deque()
        self._sent = metrics.cell(SENT)
        self._dropped = metrics.cell(DROPPED)
        self._failed = metrics.cell(FAILED)
        self._some = asyncio.Event()

    def add(self, spans: Iterable[Mapping[str, Any]]) -> None:
        """Send them soon; the oldest are dropped where there are too many."""
        self._waiting.extend(spans)
        while len(self._waiting) > MOST_WAITING:
            self._waiting.popleft()
            self._dropped.value += 1
        if self._waiting:
            self._some.set()

    async def run(self) -> None:
        """Send what there is, until cancelled."""
        import aiohttp  # noqa: PLC0415 - 10 MB, for those who trace

        timeout = aiohttp.ClientTimeout(total=SECONDS)
        wait = FIRST_WAIT
        async with aiohttp.ClientSession(timeout=timeout) as session:
            while True:
                await self._some.wait()
                batch = [self._waiting.popleft() for _ in range(self._next)]
                if not self._waiting:
                    self._some.clear()
                outcome = Outcome.AGAIN
                with contextlib.suppress(aiohttp.ClientError, TimeoutError, OSError):
                    outcome = await self._post(session, batch)
                if outcome is Outcome.TAKEN:
                    self._sent.value += len(batch)
                    wait = FIRST_WAIT
                    continue
                self._failed.value += 1
                if outcome is Outcome.AGAIN:
                    self._put_back(batch)
                else:
                    self._dropped.value += len(batch)
                await asyncio.sleep(wait)
                wait = min(2 * wait, LONGEST_WAIT)

    @property
    def _next(self) -> int:
        return min(len(self._waiting), MOST_AT_ONCE)

    def _put_back(self, batch: list[Mapping[str, Any]]) -> None:
        room = max(0, MOST_WAITING - len(self._waiting))
        kept = batch[len(batch) - room :] if room < len(batch) else batch
        self._dropped.value += len(batch) - len(kept)
        self._waiting.extendleft(reversed(kept))
        if self._waiting:
            self._some.set()

    async def _post(self, session: Any, batch: list[Mapping[str, Any]]) -> Outcome:
        async with session.post(
            self._endpoint,
            data=_encode(request_of(batch, self._about)),
            headers={"content-type": "application/json"},
            allow_redirects=False,
        ) as answer:
            if answer.status < 300:
                return Outcome.TAKEN
            return Outcome.AGAIN if answer.status in _AGAIN else Outcome.NEVER
