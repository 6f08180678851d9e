"""What handlers of policy have cost a worker."""

from typing import TYPE_CHECKING

import msgspec

from angarium.console.question import question
from angarium.console.sums import Table
from angarium.policy.hooks import HOOKS

if TYPE_CHECKING:
    from angarium.console.parts import Parts


class Handled(msgspec.Struct, frozen=True):
    """One handler of one hook: its calls since the policy came into force; times in seconds.

    `place` is the hook's in the order in which a message meets them.
    """

    hook: str
    name: str
    place: int
    calls: int
    errors: int
    seconds: float
    slowest: float

    def __add__(self, other: "Handled") -> "Handled":
        return Handled(
            self.hook,
            self.name,
            self.place,
            self.calls + other.calls,
            self.errors + other.errors,
            self.seconds + other.seconds,
            max(self.slowest, other.slowest),
        )


@question("policy handlers")
def handlers(worker: "Parts") -> Table[Handled]:
    """Return the handlers of the policy in force."""
    places = list(HOOKS)
    rows: dict[str, Handled] = {}
    for hook, each in worker.services.policing.policy.handlers():
        place, tally = places.index(hook.name), each.tally
        row = Handled(
            hook.name, each.name, place, tally.calls, tally.errors, tally.seconds, tally.slowest
        )
        key = f"{place:03} {each.name}"
        rows[key] = rows[key] + row if key in rows else row
    return Table(rows)
