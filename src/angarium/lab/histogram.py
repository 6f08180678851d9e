"""Latencies in log-linear buckets: small, quick to fill, and they add up.

A bucket is at most 1/128 of its value wide, so a quantile is right to 0.8 %, from a microsecond
to a day, in a few hundred buckets. Histograms of several connections, processes or runs are
merged by adding; that is why quantiles are never averaged here.
"""

from collections.abc import Mapping
from typing import Final, Self

_BITS: Final = 7  # 2**7 buckets to each doubling
_LINEAR: Final = 1 << (_BITS + 1)  # below, a bucket is one unit wide
QUANTILES: Final = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "p99.9": 0.999}


def bucket(value: int) -> int:
    """Return the number of the bucket of a value which is not negative; rises with it."""
    if value < _LINEAR:
        return value
    shift = value.bit_length() - _BITS - 1
    return (shift << _BITS) + (value >> shift)


def highest(number: int) -> int:
    """Return the highest value of the bucket `number`."""
    if number < _LINEAR:
        return number
    shift = (number >> _BITS) - 1
    return (((number & ((1 << _BITS) - 1)) + (1 << _BITS) + 1) << shift) - 1


class Histogram:
    """Durations in seconds, kept in microseconds."""

    __slots__ = ("_buckets", "count", "largest", "total")

    def __init__(self) -> None:
        self._buckets: dict[int, int] = {}
        self.count = 0
        self.total = 0.0
        self.largest = 0.0

    def add(self, seconds: float) -> None:
        """Count one duration; a negative one (a clock went back) counts as 0."""
        seconds = max(seconds, 0.0)
        number = bucket(int(seconds * 1e6))
        self._buckets[number] = self._buckets.get(number, 0) + 1
        self.count += 1
        self.total += seconds
        self.largest = max(self.largest, seconds)

    def merge(self, other: "Histogram") -> None:
        """Add all that `other` has counted."""
        for number, count in other._buckets.items():
            self._buckets[number] = self._buckets.get(number, 0) + count
        self.count += other.count
        self.total += other.total
        self.largest = max(self.largest, other.largest)

    def quantile(self, share: float) -> float:
        """Return the seconds which `share` (0 to 1) of the durations do not exceed; 0.0 if none.

        Rounded up to the end of its bucket, so that it never flatters.
        """
        wanted = share * self.count
        seen = 0
        for number in sorted(self._buckets):
            seen += self._buckets[number]
            if seen >= wanted:
                return min(highest(number) / 1e6, self.largest)
        return self.largest

    def summary(self) -> dict[str, float]:
        """Return count, and milliseconds: mean, the usual quantiles, max."""
        mean = self.total / self.count if self.count else 0.0
        quantiles = {name: self.quantile(share) for name, share in QUANTILES.items()}
        seconds = {"mean": mean, **quantiles, "max": self.largest}
        return {"count": self.count} | {
            name: round(value * 1e3, 3) for name, value in seconds.items()
        }

    def to_json(self) -> dict[str, object]:
        """Return what `from_json` of another process reads."""
        return {
            "buckets": {str(number): count for number, count in sorted(self._buckets.items())},
            "total": self.total,
            "largest": self.largest,
        }

    @classmethod
    def from_json(cls, buckets: Mapping[str, int], total: float, largest: float) -> Self:
        made = cls()
        made._buckets = {int(number): count for number, count in buckets.items()}
        made.count = sum(made._buckets.values())
        made.total, made.largest = total, largest
        return made
