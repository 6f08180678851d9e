"""Counts which are kept outside of a session: sessions at once, messages in a time.

They are kept in the ledger, hence for all workers of a node (and a cluster) together.
"""

from collections.abc import Iterator
from typing import Final

from angarium.inbound.profile import Profile
from angarium.queue.throttle import Grant, Ledger

# How long MAIL may wait for inbound_throttle_messages before it is answered 4xx: well below the
# five minutes a client waits (RFC 5321 section 4.5.3.2.2).
LONGEST_WAIT_SECONDS: Final = 60.0


class Seat:
    """The place of one session among those which are allowed at once.

    Without an address it is that of a client whose address nobody knows yet.
    """

    __slots__ = ("_held", "_ledger", "_wanted")

    def __init__(self, ledger: Ledger, profile: Profile, listen: str, address: str) -> None:
        self._ledger = ledger
        self._wanted = list(_counts(profile, listen, address))
        self._held: list[str] = []

    def take(self) -> Grant:
        """Take all the counts or none. BUSY: ask again in a moment."""
        while self._wanted:
            key, cap = self._wanted[-1]
            grant = self._ledger.acquire(key, cap)
            if not grant:
                if grant is Grant.DENIED:
                    # We do not wait for it: the client comes back by itself.
                    self._ledger.forget(key)
                    self.leave()
                return grant
            self._held.append(key)
            self._wanted.pop()
        return Grant.GRANTED

    def leave(self) -> None:
        """Give back what is held; may be called twice."""
        self._wanted.clear()
        while self._held:
            self._ledger.release(self._held.pop())


def _counts(profile: Profile, listen: str, address: str) -> Iterator[tuple[str, int]]:
    # A cap stands in the key: who has another one, from a peer stanza, is counted by itself.
    options = profile.options
    if cap := profile.intake.max_sessions:
        yield "sessions", cap
    if cap := options.service_sessions:
        yield f"service_sessions esmtp {cap}", cap
    if cap := options.listener_sessions:
        yield f"listener_sessions {listen} {cap}", cap
    if address and (cap := options.sessions_per_address):
        yield f"sessions_per_address {address}", cap
