"""The series of the modules inbound_audit and outbound_audit: their names, and who finds them."""

from typing import Final

from angarium.policy.shared.node import Shared, SharedError
from angarium.policy.shared.series import Series

INBOUND: Final = "inbound_audit"
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
