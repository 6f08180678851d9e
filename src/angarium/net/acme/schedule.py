"""When a certificate is asked for, and when it is told that it is missing or ends.

Nothing here knows a clock or a file: `now` is Unix time, and what is on the disk is handed in. The
rule: an authority is asked once for a certificate that is due, and after a failure later each time,
by a record which a restart does not forget (an authority counts failures, and shuts who has many).
"""

from collections.abc import Callable
from typing import Final

from angarium.net.acme.certificates import Held
from angarium.net.acme.folder import Record
from angarium.wire.acme.errors import AcmeError

DAY: Final = 86400.0
FIRST_SECONDS: Final = 300.0  # after the first failure; doubled with each
MOST_SECONDS: Final = DAY / 2
MOST_DOUBLINGS: Final = 10
SOON_DAYS: Final = 14.0  # as config check has it; or half of what renew_before is, if that is less


def due(held: Held | None, names: tuple[str, ...], renew_before: float, now: float) -> str:
    """Return why a certificate is to be asked for now, or ""."""
    if held is None:
        return "there is none"
    if not held.names.issuperset(names):
        return "its names are others"
    if held.ends <= now:
        return "it has expired"
    return "it ends soon" if held.due(renew_before) <= now else ""


def failed(
    before: Record, wish: str, error: AcmeError, now: float, random: Callable[[], float]
) -> Record:
    """Return what is noted of an order which failed; `random`: 0 to 1."""
    failures = before.failures + 1 if before.wish == wish else 1
    rest = min(FIRST_SECONDS * 2 ** min(failures - 1, MOST_DOUBLINGS), MOST_SECONDS)
    # Not all servers which an authority has failed come back at the same time.
    rest = max(rest * (1.0 + 0.2 * random()), error.wait)
    return Record(wish, failures, now, now + rest, str(error))


def done(wish: str, now: float) -> Record:
    """Return what is noted of an order which did not."""
    return Record(wish, 0, now, now)


def may_begin(record: Record, wish: str, now: float) -> bool:
    """Say whether the last failure is long enough ago; of another wish it says nothing.

    A clock which was set back does not make anybody wait for longer than after a failure.
    """
    if record.wish != wish or not record.failures:
        return True
    return now >= record.not_before or now < record.at - DAY


def ends_soon(held: Held, renew_before: float, now: float) -> bool:
    """Say whether it ends, although it should have been replaced long ago."""
    least = min(SOON_DAYS * DAY, (held.ends - held.due(renew_before)) / 2)
    return held.ends - now < least


def days_left(held: Held, now: float) -> float:
    return (held.ends - now) / DAY
