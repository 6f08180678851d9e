"""When a message which could not be delivered is tried again, and when it is given up.

Pure functions: options, counts and times in, times out. `attempts` counts the attempts made so
far, the one that failed last included. Times are Unix seconds.
"""

import enum
import math
from random import Random
from typing import Final

from angarium.core.reply import Reply
from angarium.queue.options import Shape

# 2**63 seconds is longer than any cap, and no float overflows on the way.
_MOST_DOUBLINGS: Final = 63
_LATEST: Final = 0xFFFFFFFF  # what fits into a slot of the spool


class GiveUp(enum.Enum):
    """Why there is no further attempt; the value is what the logs and the report say."""

    RETRIES = Reply(554, "[internal] exceeded max retries without delivery", "5.4.7")
    EXPIRED = Reply(554, "[internal] exceeded max time without delivery", "5.4.7")
    NOT_ATTEMPTED = Reply(554, "[internal] Delivery not attempted (message expired)", "5.4.5")


def retry_wait(failures: int, interval: float, cap: float) -> float:
    """Return the wait before the next attempt, in seconds.

    The wait doubles with each failure: interval, 2 * interval, 4 * interval, ...
    up to cap. Fuzz is not in it: `spread` adds that where many are put off at once.

    >>> [retry_wait(n, interval=1200.0, cap=43200.0) for n in (1, 2, 3, 9)]
    [1200.0, 2400.0, 4800.0, 43200.0]

    Args:
        failures: temporary failures so far, 1 or more.
        interval: the option retry_interval, seconds, above 0.
        cap: the option max_retry_interval, seconds; where it is less than
            interval, every wait is cap.

    Raises:
        ValueError: failures is less than 1, which is a bug of the caller.

    Source: RFC 5321 section 4.5.4.1 (at least 30 minutes, at least 4-5 days in
    all) is the advice; the doubling is Momentum's, retry_interval in its manual.
    """
    if failures < 1:
        raise ValueError(f"failures must be 1 or more, not {failures}")
    return min(interval * 2.0 ** min(failures - 1, _MOST_DOUBLINGS), cap)


def waits_within(span: float, interval: float, cap: float) -> int:
    """Return how many waits of the schedule fit into `span` seconds, one after the other."""
    interval, cap = max(interval, 1.0), max(cap, 1.0)
    count, at = 0, 0.0
    while (wait := retry_wait(count + 1, interval, cap)) < cap:
        at += wait
        if at > span:
            return count
        count += 1
    return count + max(int((span - at) // cap), 0)


def most_retries(shape: Shape) -> int | None:
    """Return how many attempts may follow the first one; None: only expiry ends a message.

    "auto" is what the schedule has within message_expiration, so that it ends a message earlier
    only where an operator forced attempts. Whether Momentum counts max_retry_interval in is not
    clear from its manual; we do, for else a low one ends mail long before its time.
    """
    if shape.never_retry:
        return 0
    if isinstance(shape.max_retries, int):
        return shape.max_retries
    if shape.max_retries == "none":
        return None
    return waits_within(shape.message_expiration, shape.retry_interval, shape.max_retry_interval)


def expires_at(shape: Shape, received_at: float) -> float:
    """Return when the message has been here for message_expiration."""
    return received_at + shape.message_expiration


def is_expired(shape: Shape, received_at: float, now: float) -> bool:
    return now >= received_at + shape.message_expiration


def not_attempted(shape: Shape, received_at: float, now: float) -> GiveUp | None:
    """Say whether a message at the front of its line is given up without an attempt.

    By default an expired message is attempted a last time (never_attempt_expired_messages).
    """
    if shape.never_attempt_expired_messages and is_expired(shape, received_at, now):
        return GiveUp.NOT_ATTEMPTED
    return None


def give_up(shape: Shape, attempts: int, received_at: float, now: float) -> GiveUp | None:
    """Return why a message which failed temporarily is not tried again; None: it is."""
    # Time first: the schedule of "auto" ends with it, and then that is why.
    if is_expired(shape, received_at, now):
        return GiveUp.EXPIRED
    most = most_retries(shape)
    if most is not None and attempts > most:
        return GiveUp.RETRIES
    return None


def next_due(
    shape: Shape, attempts: int, received_at: float, now: float, random: Random
) -> int | None:
    """Return when to try again, in whole Unix seconds; None: not again, `give_up` says why.

    A message is never put off beyond its expiry, so that it ends within a second of it.
    """
    if give_up(shape, attempts, received_at, now) is not None:
        return None
    wait = retry_wait(max(attempts, 1), shape.retry_interval, shape.max_retry_interval)
    # A part of a second spreads what failed together; whole seconds are what a slot can say.
    due = math.ceil(now + wait + random.random())
    return min(due, max(math.ceil(expires_at(shape, received_at)), math.ceil(now)), _LATEST)


def spread(fuzz: float, random: Random) -> int:
    """Return whole seconds to add to a due time where many messages are put off at once.

    Args:
        fuzz: the option delayed_binding_domain_fuzz, seconds; 0 spreads nothing.
    """
    return int(random.random() * fuzz)


def delay_notices(shape: Shape, received_at: float, until: float) -> int:
    """Return how many reports of delay were due up to `until`.

    The waits between reports double from delay_dsn_retry_interval up to
    delay_dsn_max_retry_interval (0: no bound). A report is made at a failed attempt if this count
    has grown since the attempt before; so no count of sent ones is kept on disk.
    """
    span = min(until, expires_at(shape, received_at)) - received_at
    cap = shape.delay_dsn_max_retry_interval or math.inf
    return waits_within(span, shape.delay_dsn_retry_interval, cap)


def delay_notice_due(shape: Shape, received_at: float, before: float, now: float) -> bool:
    """Say whether a report of delay became due after the attempt at `before`, up to `now`.

    Whether the sender wants one (generate_delay_dsn, NOTIFY=DELAY) is not asked here.
    """
    return delay_notices(shape, received_at, now) > delay_notices(shape, received_at, before)
