"""The series of the modules inbound_audit and outbound_audit: their names, and who finds them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from angarium.policy.shared.node import Shared, SharedError
from angarium.policy.shared.series import Series
from angarium.policy.shared.told import Number
from angarium.policy.shared.values import Values

MOST_DOMAINS: Final = 10_000

INBOUND: Final = "inbound_audit"
OUTBOUND: Final = "outbound_audit"
CONNECTIONS, RECEPTIONS, REJECTIONS = "connections", "receptions", "rejections"
KINDS: Final = (CONNECTIONS, RECEPTIONS, REJECTIONS)


def name_of(kind: str, monitor: str) -> str:
    """Return the name of the series of a monitor such as "300,6"."""
    return f"{INBOUND}.{kind} {monitor.replace(' ', '')}"


def monitored(shared: Shared, kind: str, monitor: str) -> Series:
    """Return the series of a monitor. Raises SharedError."""
    try:
        return shared.series(name_of(kind, monitor))
    except SharedError as error:
        raise SharedError(f"inbound_audit has no monitor {monitor!r}") from error


def monitors(shared: Shared) -> list[str]:
    """Return the monitors there are."""
    start = name_of(CONNECTIONS, "")
    return [each.name[len(start) :] for each in shared.all_series() if each.name.startswith(start)]


# What outbound_audit counts: messages received, recipients delivered, the seconds that took,
# attempts which failed for now, and those which failed for good.
RECEIVED, DELIVERED, SECONDS, TRANSIENT, PERMANENT = "r", "d", "dt", "t", "f"
OUTCOMES: Final = (RECEIVED, DELIVERED, SECONDS, TRANSIENT, PERMANENT)
GLOBAL: Final = b"*"  # the key of all domains together; no domain is called so


@dataclass(frozen=True, slots=True)
class Outbound:
    """What one instance of outbound_audit counts: a monitor's series by outcome."""

    monitor: str
    interval: int
    windows: int
    series: Mapping[str, Series]

    def rows(self, domain: bytes) -> list[list[Number]]:
        """Return the outcomes of a domain by window, that of now first."""
        return [
            [self.series[each].count(domain, window, window) for each in OUTCOMES]
            for window in range(self.windows)
        ]


def outbound(shared: Shared, instance: str = "") -> list[Outbound]:
    """Return what an instance counts by its monitors, or what all do."""
    found: dict[str, dict[str, Series]] = {}
    for each in shared.all_series():
        module, _, rest = each.name.partition(" ")
        kind, _, where = rest.partition(" ")
        if module == OUTBOUND and where.rpartition(" ")[0] == instance:
            found.setdefault(where.rpartition(" ")[2], {})[kind] = each
    return [
        Outbound(monitor, each[RECEIVED].interval, each[RECEIVED].windows, each)
        for monitor, each in found.items()
    ]


def outbound_name(kind: str, instance: str, monitor: str) -> str:
    """Return the name of a series of outbound_audit."""
    return f"{OUTBOUND} {kind} {instance} {monitor}"


def outbound_instances(shared: Shared) -> list[str]:
    """Return the instances of outbound_audit which count something, in their order."""
    names = [each.name.split(" ", 2) for each in shared.all_series()]
    found = [rest[2].rpartition(" ")[0] for rest in names if rest[0] == OUTBOUND]
    return list(dict.fromkeys(found))


def listed(shared: Shared, instance: str) -> Values:
    """Return the domains which the console has added to an instance, or taken away."""
    return shared.define_values(f"{OUTBOUND} {instance}", MOST_DOMAINS)


def series_of(shared: Shared, name: str, parameters: str) -> Series:
    """Return the series which a command names: one of ours, or one of a script.

    Raises:
        SharedError: there is none, or it has other windows.
    """
    if name in KINDS:
        return monitored(shared, name, parameters)
    series = shared.series(name)
    if parameters.replace(" ", "") != f"{series.interval},{series.windows}":
        raise SharedError(f"{name} has the windows {series.interval},{series.windows}")
    return series
