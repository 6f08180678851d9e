"""Ways of a Postfix: relayhost, and the lines of transport(5) with the services they name.

A next hop in brackets is a host, without them a domain whose MX are asked for.
"""

import re
from collections.abc import Iterator
from typing import Final

from angarium.config.foreign.draft import GLOBAL, Draft, Place
from angarium.config.foreign.hop import Hop
from angarium.config.foreign.postfix_files import PORTS, Parameter, words_of

LMTP_PORT: Final = "24"  # lmtp_tcp_port
HOP: Final = re.compile(r"\[([^\[\]]+)\](?::(\w+))?|([^\[\]:/]+)(?::(\w+))?")


def hops(text: str, *, lmtp: bool = False) -> list[Hop]:
    """Return the next hops of a text, [] if it has what is none."""
    return list(_each(text, lmtp=lmtp)) if text else []


def _each(text: str, *, lmtp: bool) -> Iterator[Hop]:
    found = [HOP.fullmatch(word.removeprefix("inet:")) for word in words_of(text)]
    for each in found if all(found) else ():
        assert each is not None
        host, port = each[1] or each[3], each[2] or each[4] or (LMTP_PORT if lmtp else "")
        exact = bool(each[1]) or lmtp  # LMTP does not ask for MX
        yield Hop(host.removeprefix("IPv6:").strip(), PORTS.get(port, port), exact)


def send_directly(draft: Draft, domain: str, from_: Parameter, place: Place) -> None:
    """Let a domain go by its own MX, whatever way the file has for others."""
    what = f"{from_.name} = {from_.text}"
    if draft.value("gateway", GLOBAL) is None:
        if draft.value("routes", GLOBAL) is not None:
            draft.set("routes", ("__mx__",), from_.where, what, place)
    elif domain.startswith("."):
        draft.leave(from_.where, what, "gateway of the file wins; write one for each domain")
    else:
        draft.set("gateway", domain, from_.where, what, place)
