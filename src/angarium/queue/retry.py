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
    NOT_ATTEMPTED = Reply(554, "[internal] Delivery not attempted (message expired)")


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


def most_retries(shape: Shape) -> int | None:
    """Return how many attempts may follow the first one; None: only expiry ends a message.

    "auto" counts the doubling waits which fit into message_expiration. max_retry_interval is not
    in that count: the manual's pages of both options warn that the two do not go together.
    """
    if shape.never_retry:
        return 0
    if isinstance(shape.max_retries, int):
        return shape.max_retries
    if shape.max_retries == "none":
        return None
    # The n-th retry comes interval * (2**n - 1) after the first attempt.
    fit = shape.message_expiration / max(shape.retry_interval, 1.0) + 1.0
    return max(int(math.log2(fit)), 0)


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
    most = most_retries(shape)
    if most is not None and attempts > most:
        return GiveUp.RETRIES
    if is_expired(shape, received_at, now):
        return GiveUp.EXPIRED
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


def delay_notice_at(shape: Shape, received_at: float, sent: int) -> float | None:
    """Return when the next report of delay is due, after `sent` of them; None: never.

    The waits double from delay_dsn_retry_interval up to delay_dsn_max_retry_interval, each
    counted from the report before; a report the message would not live to see is not due.
    """
    if not shape.generate_delay_dsn:
        return None
    interval, cap = shape.delay_dsn_retry_interval, shape.delay_dsn_max_retry_interval
    at = received_at
    for number in range(1, sent + 2):
        at += retry_wait(number, interval, cap or math.inf)
    return at if at < expires_at(shape, received_at) else None


def delay_notices(shape: Shape, received_at: float, until: float) -> int:
    """Return how many reports of delay were due up to `until`.

    A report is made at a failed attempt: one was due between the attempt before and this one if
    the count has grown. So no count of sent reports needs to be kept on disk.
    """
    if not shape.generate_delay_dsn:
        return 0
    interval, cap = shape.delay_dsn_retry_interval, shape.delay_dsn_max_retry_interval
    over = expires_at(shape, received_at)
    at, number = received_at, 0
    while True:
        wait = retry_wait(number + 1, interval, cap or math.inf)
        at += max(wait, 1.0)
        if at > until or at >= over:
            return number
        number += 1
