"""Routes which the configuration gives: the options `gateway` and `routes`, as text to steps.

"smtp://relay.example?pref=10&port=2525&type=mx"    "192.0.2.1"    "[2001:db8::1]"    "__mx__"
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl

MX_OF_DOMAIN: Final = "__mx__"

_ITEM: Final = re.compile(
    r"(?:[a-z0-9]+://)?(?:\[([0-9A-Fa-f:.]+)\]|([^\[\]?:/\s]+))(?::(\d{1,5}))?/?(?:\?(\S*))?"
)


@dataclass(frozen=True, slots=True)
class Step:
    """A place to ask for hosts.

    Attributes:
        name: host, domain or address; "__mx__" for the recipient's domain.
        order: lower ones are tried first; equal ones share.
        port: 0: the one of the option remote_smtp_port.
        by_mx: the name is a domain with MX records rather than a host.
        ttl: seconds for which the step's hosts are kept; 0.0: as DNS says.
    """

    name: str
    order: int = 0
    port: int = 0
    by_mx: bool = False
    ttl: float = 0.0


def steps(routes: Sequence[str]) -> list[Step]:
    """Read the items of the option routes, in their order.

    Raises:
        ValueError: an item is none; says which.
    """
    return [_step(text, place) for place, text in enumerate(routes)]


def _step(text: str, place: int) -> Step:
    if text == MX_OF_DOMAIN:
        return Step(MX_OF_DOMAIN, place, by_mx=True)
    found = _ITEM.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is no route; write a host, an address or smtp://host?pref=P")
    fields = dict(parse_qsl(found[4] or "", keep_blank_values=True))
    numbers = {}
    for name in ("pref", "port", "ttl"):
        if not (value := fields.get(name, "0")).isdigit():
            raise ValueError(f"{text!r}: {name} is no number")
        numbers[name] = int(value)
    return Step(
        found[1] or found[2],
        numbers["pref"] if "pref" in fields else place,
        numbers["port"] or int(found[3] or 0),
        fields.get("type", "a").lower() == "mx",
        float(numbers["ttl"]),
    )
