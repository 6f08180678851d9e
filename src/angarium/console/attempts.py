"""Failed logins by the address they came from: a few at once, then one in a while.

The rule: to try costs the one who tries, not others. Who has used up his attempts is told so before
his password is looked at, so waiting is all he can do.
"""

from collections import OrderedDict
from typing import Final

from angarium.core.clock import Clock

AT_ONCE: Final = 5
SECONDS: Final = 10.0  # after which there is one more
MAX_ADDRESSES: Final = 4096


class Attempts:
    """Failed logins of late. An address takes up room until its attempts are all back."""

    __slots__ = ("_clock", "_full_at")

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._full_at: OrderedDict[str, float] = OrderedDict()  # when all attempts are back

    def wait(self, address: str) -> float:
        """Return the seconds until this address may try; 0 is now."""
        missing = self._full_at.get(address, 0.0) - self._clock.monotonic()
        return max(0.0, missing - (AT_ONCE - 1) * SECONDS)

    def failed(self, address: str) -> None:
        """A login from there has failed."""
        now = self._clock.monotonic()
        self._full_at[address] = max(now, self._full_at.pop(address, 0.0)) + SECONDS
        while len(self._full_at) > MAX_ADDRESSES:
            self._full_at.popitem(last=False)

    def succeeded(self, address: str) -> None:
        self._full_at.pop(address, None)
