"""msys.beta.rcptto_proxy: asks another host whether it would take mail for a recipient.

The host is named by the script: a name, whose addresses are tried in turn, or an address.
"""

from typing import cast

from angarium.modules.lua.bind import LuaError, Runtime, Several, Table, lua
from angarium.modules.means import Means
from angarium.net.dnscache import Resolver
from angarium.outbound.probe import OURS, SILENT, Question, probe

SECONDS: float = 60.0
PORT: float = 25
MOST: int = 3  # addresses of a host


@lua("msys.beta.rcptto_proxy.query", since="4.2")
async def query(lua: Runtime, options: Table) -> Several:
    """Ask a host whether it would take a recipient; return true, or false and why.

    Options: `rcptto` and `host`; `mailfrom`, empty for the null sender; `port`, 25; `timeout`, 60
    seconds in all. A session is opened and ended after RCPT. Where the host says no, the reason is
    "fail", and a third result is what it said; else it is what went wrong.
    """
    worker = cast(Means, lua.services.part(Means, "the mail server"))
    resolver = cast(Resolver, lua.services.part(Resolver, "DNS"))
    host, recipient = _text(options, "host"), _text(options, "rcptto")
    if not host or not recipient:
        raise LuaError("'msys.beta.rcptto_proxy.query' needs 'host' and 'rcptto'")
    port = int(options.number("port", PORT) or 0)
    seconds = options.number("timeout", SECONDS) or 0.0
    if not 0 < port < 65536 or seconds <= 0:
        raise LuaError("'port' or 'timeout' of 'msys.beta.rcptto_proxy.query' is out of range")
    found = await resolver.address(host.strip("[]"))
    if not found.records:
        return Several(False, f"{host} has no address: {found.status.name}")
    places = found.records[:MOST]
    question = Question(
        worker.host, _text(options, "mailfrom"), recipient, seconds / len(places)
    )  # fmt: skip
    reply = SILENT
    for place in places:
        reply = await probe(question, place, port)
        if reply is not SILENT:
            break
    if reply.positive:
        return Several(True)
    if reply in OURS:
        return Several(False, reply.text)
    return Several(False, "fail", str(reply))


def _text(options: Table, name: str) -> str:
    return (options.text(name, b"") or b"").decode("utf-8", "surrogateescape")
