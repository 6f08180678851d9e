"""What the console keeps for a node: when its figures were last reset, and what is gone.

Figures of processes only ever rise, for whoever watches them over time: a reset changes none of
them, it is remembered what they were. All of it is in the supervisor, goes to the one which takes
its place in an upgrade, and but for signatures is gone when the server stops.
"""

from typing import Final

import msgspec

from angarium.events.signing import Signed

BETWEEN: Final = "\t"  # of group, binding and domain in the key of a row


class Reset(msgspec.Struct, frozen=True):
    """The last `summary reset`: when, in Unix time, and what had been counted."""

    at: float = 0.0
    counts: dict[str, float] = {}


class Gone(msgspec.Struct):
    """What workers have counted which have left, and is in no measurement.

    Attributes:
        names: of questions to name servers.
        bindings: messages received, recipients delivered and failed, by group and binding.
        signed: what became of messages which were to be signed, by kind and binding; it outlasts
            the server, too (`run/signed`).
    """

    names: dict[str, float] = {}
    bindings: dict[str, list[int]] = {}
    signed: dict[str, Signed] = {}

    def add(
        self,
        names: dict[str, float],
        bindings: dict[str, list[int]],
        signed: dict[str, Signed] | None = None,
    ) -> None:
        for name, count in names.items():
            self.names[name] = self.names.get(name, 0) + count
        for key, counts in bindings.items():
            before = self.bindings.get(key, [0] * len(counts))
            self.bindings[key] = [one + two for one, two in zip(before, counts, strict=True)]
        for key, row in (signed or {}).items():
            self.signed[key] = self.signed.get(key, Signed()) + row


class Statistics(msgspec.Struct):
    """What is kept of one node."""

    reset: Reset = Reset()
    traces: int = 0  # numbers of traces which were given
    gone: Gone = msgspec.field(default_factory=Gone)
