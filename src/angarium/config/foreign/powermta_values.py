"""Values of PowerMTA's directives, as ours are written: times, sizes, rates, switches."""

import re
from collections.abc import Mapping
from typing import Final

PERIODS: Final[Mapping[str, int]] = {
    "s": 1, "sec": 1, "second": 1, "m": 60, "min": 60, "minute": 60, "h": 3600, "hr": 3600,
    "hour": 3600, "d": 86400, "day": 86400, "w": 604800, "week": 604800,
}  # fmt: skip
SIZES: Final[Mapping[str, int]] = {
    "": 1, "b": 1, "kb": 1024, "k": 1024, "mb": 1024**2, "m": 1024**2, "gb": 1024**3, "g": 1024**3
}  # fmt: skip


def converted(text: str, how: str) -> str | None:
    """Return a value of ours; "" where the default says the same, None if it is not understood."""
    lower = text.lower().replace(" ", "")
    if how == "count":
        return {"unlimited": "0", "none": "0"}.get(lower, lower) if lower else None
    if how == "time":
        seconds = seconds_of(lower)
        return None if seconds is None else str(seconds)
    if how == "size":
        found = re.fullmatch(r"(\d{1,15})([a-z]*)", lower)
        unit = SIZES.get(found[2]) if found is not None else None
        if lower in ("0", "unlimited"):
            return "0"
        return str(int(found[1]) * unit) if found is not None and unit else None
    if how == "rate":
        return rate_of(lower)
    if how == "flag":
        return "true" if truth(text) else "false"
    if how in ("tls", "required"):
        positive = "ifavailable" if how == "tls" else "required"
        return positive if truth(text) else ""
    return text


def truth(text: str) -> bool:
    return text.strip().lower() in ("yes", "true", "on", "1", "")


def seconds_of(text: str) -> int | None:
    """Return a time such as 1d12h or 90 in seconds."""
    if re.fullmatch(r"\d{1,12}", text):
        return int(text)
    parts = re.findall(r"(\d{1,12})([a-z]+)", text)
    if not parts or "".join(a + b for a, b in parts) != text:
        return None
    units = [PERIODS.get(unit) or PERIODS.get(unit.rstrip("s")) for _, unit in parts]
    if None in units:
        return None
    return sum(int(count) * (unit or 0) for (count, _), unit in zip(parts, units, strict=True))


def rate_of(text: str) -> str | None:
    """Return N/S for a rate such as 100/h; "0" for none."""
    if text in ("unlimited", "0"):
        return "0"
    found = re.fullmatch(r"(\d{1,12})/(\d{0,6})([a-z]+)", text)
    unit = PERIODS.get(found[3]) or PERIODS.get(found[3].rstrip("s")) if found is not None else None
    if found is None or unit is None:
        return None
    return f"{found[1]}/{int(found[2] or 1) * unit}".removesuffix("/1")
