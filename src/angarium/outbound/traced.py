"""A connection to a host to which somebody listens (`net/tracing`)."""

import asyncio
from collections.abc import Iterable
from typing import Any, cast

from angarium.net.tls.errors import TlsError
from angarium.net.tls.layer import TlsLayer
from angarium.net.tracing import Recorder
from angarium.outbound.secured import Plan
from angarium.outbound.smtp import Session


class TracedSession(Session):
    """As any session; what is said is recorded too."""

    __slots__ = ()  # A session has a place for the recorder, so that every kind may be traced.
    _recorder: Recorder

    def __init__(self, recorder: Recorder, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._recorder = recorder

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        heard = Heard(cast(asyncio.Transport, transport), self._recorder)
        super().connection_made(cast(asyncio.BaseTransport, heard))

    def begin_tls(self, plan: Plan, transport: asyncio.Transport) -> asyncio.Transport:
        heard = cast(Heard, transport)
        self._recorder.note("TLS begins")
        made = super().begin_tls(plan, heard.transport)
        return cast(asyncio.Transport, Heard(made, self._recorder))

    def secured(self, layer: TlsLayer) -> None:
        facts = layer.facts
        self._recorder.note(f"{facts.version} {facts.cipher}{', resumed' if facts.resumed else ''}")
        super().secured(layer)

    def data_received(self, data: bytes) -> None:
        self._recorder.server(data)
        super().data_received(data)

    def connection_lost(self, error: Exception | None) -> None:
        if isinstance(error, TlsError):
            self._recorder.note(f"TLS failed: {error.reason}")
        self._recorder.closed()
        super().connection_lost(error)


class Heard:
    """A transport; what is written is recorded. It has what a session asks of one, no more."""

    def __init__(self, transport: asyncio.Transport, recorder: Recorder) -> None:
        self.transport = transport
        self._recorder = recorder
        self.abort = transport.abort
        self.close = transport.close
        self.set_write_buffer_limits = transport.set_write_buffer_limits
        self.get_extra_info = transport.get_extra_info

    def writelines(self, pieces: Iterable[bytes]) -> None:
        said = list(pieces)
        for each in said:
            self._recorder.client(bytes(each))
        self.transport.writelines(said)
