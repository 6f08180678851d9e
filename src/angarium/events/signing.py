"""How signing has fared: counted by kind of signature, binding and domain, in each worker.

    signatures.note("DKIM", "pool1", "example.com", began, signed=True)

Counting is one look-up for a message. The rule: rows are bounded. Beyond MOST_ROWS further domains
are counted without their names, so the sums of bindings and of the whole stay right.
"""

from time import perf_counter
from typing import Final, Literal

import msgspec

Kind = Literal["DomainKeys", "DKIM"]

KINDS: Final[tuple[Kind, ...]] = ("DomainKeys", "DKIM")
BETWEEN: Final = "\t"  # of kind, binding and domain in the key of a row
MOST_ROWS: Final = 10_000


class Signed(msgspec.Struct):
    """One row: what became of messages, and for how many seconds they were worked at."""

    seconds: float = 0.0
    signed: int = 0
    failed: int = 0
    processed: int = 0

    def __add__(self, other: "Signed") -> "Signed":
        return Signed(
            self.seconds + other.seconds,
            self.signed + other.signed,
            self.failed + other.failed,
            self.processed + other.processed,
        )


class Signatures:
    """What one worker has counted.

    Attributes:
        detail: what `signing_stats` says: all, global or off.
        rows: by kind, binding and domain; "" stands for those without a name here.
    """

    __slots__ = ("detail", "rows")

    def __init__(self, detail: str = "all") -> None:
        self.detail = detail
        self.rows: dict[tuple[str, str, str], Signed] = {}

    def note(
        self,
        kind: Kind,
        binding: str,
        domain: str,
        began: float,
        *,
        signed: bool = False,
        failed: bool = False,
    ) -> None:
        """Count a message.

        Args:
            began: when it came, by `perf_counter`.
        """
        if self.detail == "off":
            return
        row = self._row((kind, binding, domain) if self.detail == "all" else (kind, "", ""))
        row.seconds += perf_counter() - began
        row.processed += 1
        if signed:
            row.signed += 1
        elif failed:
            row.failed += 1

    def _row(self, key: tuple[str, str, str]) -> Signed:
        row = self.rows.get(key)
        if row is None:
            if len(self.rows) >= MOST_ROWS:
                key = (key[0], key[1], "")
            row = self.rows.setdefault(key, Signed())
        return row

    def of_bindings(self) -> dict[str, Signed]:
        """Return the sums of bindings, by kind and binding: what outlasts this worker."""
        found: dict[str, Signed] = {}
        for (kind, binding, _), row in self.rows.items():
            key = f"{kind}{BETWEEN}{binding}"
            found[key] = found.get(key, Signed()) + row
        return found
