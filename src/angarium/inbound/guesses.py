"""Failed attempts to authenticate, by the address they came from and by the name they were for.

Counted in windows which all workers of a node share (`policy/shared`), under the names below, so
that the console shows and removes them. The rule: to try costs the one who tries. Who has used up
his attempts is told so before his password is looked at; a user is let in from where he was let in
of late, whoever tries at his name.
"""

import hashlib
import ipaddress
from collections import OrderedDict
from typing import Final

from angarium.policy.shared.blocks import packed
from angarium.policy.shared.node import Shared
from angarium.policy.shared.series import ADDRESS, STRING, Series

BY_ADDRESS: Final = "auth_failures_by_address"
BY_USER: Final = "auth_failures_by_user"
WINDOWS: Final = 10
CUSTOMER: Final = 64  # bits of an address of IPv6; the others are his to choose
MOST_KNOWN: Final = 10_000  # pairs of a user and an address


class Guesses:
    """What is known of a node; nothing is counted, or shared, before the first failure.

    Attributes:
        seconds: for which a failure counts; may be changed, and then all is counted anew.
    """

    __slots__ = ("_known", "_shared", "seconds")

    def __init__(self, shared: Shared, seconds: float) -> None:
        self._shared = shared
        self.seconds = seconds
        self._known: OrderedDict[tuple[str, bytes], None] = OrderedDict()  # let in of late

    def blocks_address(self, address: str, most: int) -> bool:
        """Say whether too many attempts have come from there; `most` 0 is no limit."""
        return most > 0 and self._count(BY_ADDRESS, _network(address)) >= most

    def blocks_user(self, user: str, address: str, most: int) -> bool:
        """Say whether too many attempts were at this name, by others than who is known."""
        if most <= 0 or (user, _network(address)) in self._known:
            return False
        return self._count(BY_USER, _name(user)) >= most

    def failed(self, user: str, address: str) -> None:
        """An attempt has failed; `user` is "" where no name was said."""
        self._series(BY_ADDRESS, ADDRESS).add(_network(address))
        if user:
            self._series(BY_USER, STRING).add(_name(user))

    def succeeded(self, user: str, address: str) -> None:
        """A user was let in: from there his name is not closed."""
        key = (user, _network(address))
        self._known[key] = None
        self._known.move_to_end(key)
        if len(self._known) > MOST_KNOWN:
            self._known.popitem(last=False)

    def _count(self, name: str, key: bytes) -> float:
        if not self._shared.has("series", name):
            return 0
        return self._shared.series(name).count(key, 0, WINDOWS - 1)

    def _series(self, name: str, kind: str) -> Series:
        interval = max(1, round(self.seconds / WINDOWS))
        return self._shared.define_series(name, kind, interval, WINDOWS)


def _network(address: str) -> bytes:
    """Return who tries: an address, or of IPv6 the network of one customer."""
    key = packed(address)
    if len(key) == 4:
        return key
    network = ipaddress.IPv6Network((key, CUSTOMER), strict=False)
    return network.network_address.packed


def _name(user: str) -> bytes:
    """Return the key of a user: a name as long as it may be has one too."""
    folded = user.lower().encode()
    return folded if len(folded) <= 128 else hashlib.sha256(folded).hexdigest().encode()
