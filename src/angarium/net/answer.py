"""What a resolver answers: the words between `dnscache` and those who ask it.

An asker never gets an exception for what the network or a zone did wrong: the status says it.
"""

import enum
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

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
    stale: bool = False  # expired, and served because it could not be refreshed (RFC 8767)

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
