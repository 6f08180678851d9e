"""What reception counts: messages taken, and refusals by the phase in which they were made."""

from typing import Final, Protocol

from angarium.core.message import Message
from angarium.events.metrics import Metrics, counter
from angarium.events.stages import Stages
from angarium.inbound.systems import Systems
from angarium.net.tls.errors import Trouble
from angarium.net.tls.facts import Facts

# By the number of the phase in rejectlog; what is in none of them is "other".
PHASES: Final = {
    1: "banner", 2: "ehlo", 4: "mail", 6: "rcpt", 8: "data", 9: "body", 13: "relaying",
    18: "concurrency",
}  # fmt: skip
OTHER: Final = "other"

TAKEN: Final = counter("receptions", "Messages taken in by SMTP.")
OCTETS: Final = counter("reception", "Octets of these messages.", unit="bytes")
CONNECTED: Final = counter("connections_in", "Connections which clients have made.")
REFUSED: Final = counter(
    "refusals",
    "Answers 4xx and 5xx to clients, by the phase in which they were given.",
    label="phase",
    values=(*PHASES.values(), OTHER),
)


ATTEMPTS: Final = counter(
    "authentications",
    "Attempts of clients to authenticate; locked: refused before the password was looked at.",
    label="result",
    values=("pass", "fail", "error", "locked"),
)


HANDSHAKES: Final = counter(
    "tls_handshakes_in",
    "Handshakes of TLS with clients, by how they ended.",
    label="outcome",
    values=("secure", *(each.name.lower() for each in Trouble)),
)
SECURED: Final = counter(
    "tls_connections_in",
    "Connections of clients which speak TLS, by its version.",
    label="version",
    values=("TLSv1.2", "TLSv1.3"),
)
# What OpenSSL and clients agree on nearly always; the rest are others.
CIPHERS: Final = (
    "TLS_AES_256_GCM_SHA384",
    "TLS_CHACHA20_POLY1305_SHA256",
    "TLS_AES_128_GCM_SHA256",
    "ECDHE-RSA-AES256-GCM-SHA384",
    "ECDHE-RSA-AES128-GCM-SHA256",
    "ECDHE-RSA-CHACHA20-POLY1305",
    "ECDHE-ECDSA-AES256-GCM-SHA384",
    "ECDHE-ECDSA-AES128-GCM-SHA256",
    "ECDHE-ECDSA-CHACHA20-POLY1305",
)
CIPHER: Final = counter(
    "tls_ciphers_in",
    "Connections of clients which speak TLS, by its cipher.",
    label="cipher",
    values=(*CIPHERS, OTHER),
)


class Watch(Protocol):
    """Who wants to know whose mail it is: `modules/guard/inbound_audit`."""

    def connected(self, address: str) -> None: ...

    def received(self, address: str) -> None: ...

    def rejected(self, address: str) -> None: ...


class Counts:
    """The counts of a process.

    Attributes:
        watch: who counts by address; None: nobody does.
        systems: which systems clients run; None: nobody wants to know.
    """

    __slots__ = (
        "_attempts",
        "_ciphers",
        "_connected",
        "_handshakes",
        "_octets",
        "_refused",
        "_secured",
        "_stages",
        "_taken",
        "systems",
        "watch",
    )

    def __init__(self, metrics: Metrics | None = None, stages: Stages | None = None) -> None:
        metrics = metrics or Metrics()
        self._stages = stages or Stages(metrics)
        self._taken = metrics.cell(TAKEN)
        self._octets = metrics.cell(OCTETS)
        self._connected = metrics.cell(CONNECTED)
        self.watch: Watch | None = None
        self.systems: Systems | None = None
        self._refused = {number: metrics.cell(REFUSED, name) for number, name in PHASES.items()}
        self._refused[0] = metrics.cell(REFUSED, OTHER)
        self._handshakes = {each: metrics.cell(HANDSHAKES, each) for each in HANDSHAKES.values}
        self._secured = {each: metrics.cell(SECURED, each) for each in SECURED.values}
        self._ciphers = {each: metrics.cell(CIPHER, each) for each in CIPHER.values}
        self._attempts = {each: metrics.cell(ATTEMPTS, each) for each in ATTEMPTS.values}

    def secured(self, facts: Facts) -> None:
        """A handshake has ended well."""
        self._handshakes["secure"].value += 1
        self._ciphers.get(facts.cipher, self._ciphers[OTHER]).value += 1
        if facts.version in self._secured:
            self._secured[facts.version].value += 1

    def unsecured(self, trouble: Trouble) -> None:
        """A handshake has failed."""
        self._handshakes[trouble.name.lower()].value += 1

    def came(self, address: str) -> None:
        """A client has connected."""
        self._connected.value += 1
        if self.watch is not None:
            self.watch.connected(address)

    def took(self, since: float, message: Message, address: str = "") -> None:
        """A message is ours; MAIL was answered at `since`."""
        self._taken.value += 1
        self._octets.value += message.size
        self._stages.taken(since, message.received_at)
        if self.watch is not None:
            self.watch.received(address)
        if self.systems is not None:
            self.systems.received(address)

    def authentication(self, result: str) -> None:
        """A client has said who it is; `result` is one of ATTEMPTS."""
        self._attempts[result].value += 1

    def refused(self, phase: int, address: str = "") -> None:
        """A client was answered that something is refused."""
        (self._refused.get(phase) or self._refused[0]).value += 1
        if self.watch is not None:
            self.watch.rejected(address)
        if self.systems is not None:
            self.systems.rejected(address)
