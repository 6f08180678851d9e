"""What a resolver answers: the words between `dnscache` and those who ask it.

An asker never gets an exception for what the network or a zone did wrong: the status says it.
"""

import enum
from dataclasses import dataclass
from typing import Final, Generic, NamedTuple, TypeVar

from angarium.wire import dns as wire
from angarium.wire.dns import Response, Soa, Value

T = TypeVar("T")


class Status(enum.Enum):
    """How a look-up ended."""

    NOERROR = "there are records"
    NODATA = "the name exists and has no such record"
    NXDOMAIN = "there is no such name"
    SERVFAIL = "the name servers say they cannot tell"
    TIMEOUT = "no name server answered in time"
    BUSY = "too many look-ups are waiting here"


_TEMPORARY = frozenset({Status.SERVFAIL, Status.TIMEOUT, Status.BUSY})


@dataclass(frozen=True, slots=True)
class Answer(Generic[T]):
    """The answer to one question, as it is kept in the cache and shared by all who ask."""

    status: Status
    records: tuple[T, ...] = ()  # empty unless the status is NOERROR
    expires: float = 0.0  # monotonic seconds
    # AD bit, from a server whose word we take (a local one, or `options trust-ad`): RFC 6840
    # section 5.7. All of a chain of CNAMEs must have it.
    authentic: bool = False
    name: str = ""  # where the records stand: the name asked for, or the end of its CNAMEs
    failures: int = 0  # temporary failures in sequence, if the status is one
    # Monotonic time at which it was over, if it is served all the same because it could not be
    # refreshed (RFC 8767); 0.0: it is fresh.
    stale_since: float = 0.0
    aliases: int = 0  # CNAMEs followed

    @property
    def temporary(self) -> bool:
        """Whether asking later may give another answer, so that mail should wait."""
        return self.status in _TEMPORARY

    def ttl(self, now: float) -> float:
        """Seconds left; 0.0 if there are none."""
        return max(0.0, self.expires - now)


class Mx(NamedTuple):
    """One MX record. `host` is in lower case, without a final dot; the root is "."."""

    preference: int
    host: str


class MxAnswer(Answer[Mx]):
    """The MX records of a domain, the most preferred first; equal ones in no order of meaning."""

    __slots__ = ()

    @property
    def null(self) -> bool:
        """Whether the domain says that it takes no mail at all (RFC 7505)."""
        return len(self.records) == 1 and self.records[0].host == "."


# CNAMEs followed for one question, in one answer or by further questions (max_cname_depth). Other
# resolvers give up between 8 (unbound's queries) and 16 (BIND), some at 10.
MAX_ALIASES: Final = 10
# Records kept of one answer; the rest is dropped. More MX or addresses are never tried, and a
# hostile zone can fill 64 KiB.
MAX_RECORDS: Final = 256


class Found(NamedTuple):
    """What a response says about a name and a type."""

    name: str  # the end of the CNAMEs
    values: list[Value]
    ttl: int | None  # seconds, the least on the way; None: it says nothing about time
    status: Status
    aliases: int
    open: bool  # it ends in a CNAME, and says nothing about its target: ask for that


def read(response: Response, name: str, rrtype: int, allowed: int = MAX_ALIASES) -> Found:
    """Follow the CNAMEs of the response and return what stands at their end.

    A loop, or more CNAMEs than allowed, is SERVFAIL: mail waits, as a zone in such a state is being
    repaired or is not ours to judge.
    """
    aliases: dict[str, tuple[str, int]] = {}
    values: list[Value] = []
    ttl = wire.MAX_TTL
    for record in response.answers:
        if record.type == wire.CNAME and isinstance(record.value, str):
            aliases.setdefault(record.name, (record.value, record.ttl))
    end, steps = name, 0
    if rrtype != wire.CNAME:
        while end in aliases:
            end, alias_ttl = aliases[end]
            ttl = min(ttl, alias_ttl)
            steps += 1
            if steps > allowed:
                return Found(end, [], None, Status.SERVFAIL, steps, open=False)
    for record in response.answers:
        if record.type == rrtype and record.name == end and len(values) < MAX_RECORDS:
            values.append(record.value)
            ttl = min(ttl, record.ttl)
    if values:
        return Found(end, values, ttl, Status.NOERROR, steps, open=False)
    known = ttl if steps else None
    for record in response.authority:
        if isinstance(record.value, Soa):
            # RFC 2308 section 5: the lesser of the TTL of the SOA and its MINIMUM field.
            known = min(ttl, record.ttl, record.value.minimum)
            break
    status = Status.NXDOMAIN if response.rcode == wire.NXDOMAIN else Status.NODATA
    unanswered = steps > 0 and status is Status.NODATA and not response.authority
    return Found(end, [], known, status, steps, open=unanswered)
