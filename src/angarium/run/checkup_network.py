"""What `doctor` asks of the network: name servers, names of bindings, port 25 outward.

Everything goes by the resolver and `net.address.connect` handed in or used here; nothing is sent
to a host which the operator did not name but name servers.
"""

import asyncio
import ipaddress
import socket
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final, Protocol

from angarium.core.clock import Clock
from angarium.net.address import ANY, connect, is_local
from angarium.net.answer import Answer
from angarium.net.dns import Stub
from angarium.net.errors import AddressError
from angarium.run.checkup import FAIL, OK, SKIPPED, WARN, Finding
from angarium.wire import dns as wire
from angarium.wire.dns import Response

# Seconds. A look-up for each new domain: at 100 ms, two each, a delivery waits longer for names
# than for most hosts.
SLOW_ANSWER: Final = 0.1
CONNECT_SECONDS: Final = 10.0
BANNER_SECONDS: Final = 30.0  # many servers wait on purpose before the banner
_ROUTED: Final = {4: "192.0.2.1", 6: "2001:db8::1"}


class Names(Protocol):
    """What this file needs of a resolver."""

    async def address(self, name: str, families: Collection[int]) -> Answer[str]: ...
    async def ptr(self, address: str) -> Answer[str]: ...


@dataclass(frozen=True, slots=True)
class Sender:
    """A binding as the world sees it: where it sends from, what it calls itself."""

    group: str
    binding: str
    sources: tuple[str, ...]
    ehlo: str  # "" where it depends on the message

    def __str__(self) -> str:
        return f"{self.group}/{self.binding}"


async def resolver(stub: Stub, clock: Clock) -> list[Finding]:
    """Ask each name server for the servers of the root."""
    findings = []
    loop = asyncio.get_running_loop()
    for server in stub.servers:
        stub.set_servers([server])
        begun = clock.monotonic()
        future: asyncio.Future[object] = loop.create_future()
        stub.ask(".", wire.NS, future.set_result)
        result = await future
        took = clock.monotonic() - begun
        check = f"name server {server}"
        if not isinstance(result, Response) or not result.answers:
            findings.append(Finding(check, WARN, "no answer", "take it out of resolv.conf"))
        elif took > SLOW_ANSWER:
            findings.append(
                Finding(check, WARN, f"{took * 1000:.0f} ms", "run a caching resolver on this host")
            )
        else:
            trust = ", its answers are authenticated" if result.authentic else ""
            findings.append(Finding(check, OK, f"{took * 1000:.0f} ms{trust}"))
    if not any(each.found != "no answer" for each in findings):
        advice = "set resolv_conf or dns_servers; without name servers no mail leaves"
        findings.append(Finding("resolver", FAIL, "no name server answers", advice))
    return findings


async def identity(names: Names, sender: Sender) -> list[Finding]:
    """Judge a binding's addresses and names as the large mailbox providers do."""
    check = f"binding {sender}"
    findings = []
    for address in sender.sources:
        if not is_local(address):
            advice = "add it to an interface, or correct bind_address; the binding is suspended"
            findings.append(Finding(check, FAIL, f"{address} is not on this machine", advice))
        elif ipaddress.ip_address(address).is_global:
            findings.append(await _reverse(names, check, address, sender.ehlo))
        else:
            advice = "look at the PTR record of the public address by hand"
            found = f"sends from {address}, which is not public: the world sees another"
            findings.append(Finding(check, WARN, found, advice))
    if not sender.sources:
        findings.append(Finding(check, SKIPPED, "no route to anywhere"))
    if sender.ehlo:
        findings.append(await _greeting(names, check, sender))
    return findings


async def _reverse(names: Names, check: str, address: str, ehlo: str) -> Finding:
    answer = await names.ptr(address)
    if answer.temporary:
        return Finding(check, WARN, f"the PTR record of {address} cannot be looked up", "try again")
    if not answer.records:
        advice = "have the owner of the address set one; many hosts refuse mail without"
        return Finding(check, FAIL, f"{address} has no PTR record", advice)
    name = answer.records[0]
    back = await names.address(name, (_family(address),))
    if address not in back.records:
        advice = f"give {name} the address {address}: the names must lead back and forth"
        return Finding(check, FAIL, f"{address} is called {name}, which is elsewhere", advice)
    if ehlo and ehlo.lower() != name:
        found = f"{address} is called {name} and says {ehlo} in EHLO"
        return Finding(check, WARN, found, "let both be one name; some hosts count it as spam")
    return Finding(check, OK, f"{address} is {name}, both ways")


async def _greeting(names: Names, check: str, sender: Sender) -> Finding:
    if "." not in sender.ehlo:
        advice = "set hostname or ehlo_hostname to a full name"
        return Finding(check, FAIL, f"EHLO {sender.ehlo} is no name of the Internet", advice)
    answer = await names.address(sender.ehlo, (socket.AF_INET, socket.AF_INET6))
    if answer.temporary:
        return Finding(check, WARN, f"{sender.ehlo} cannot be looked up", "try again")
    if not answer.records:
        advice = "give it an address in DNS, or set another ehlo_hostname"
        return Finding(check, FAIL, f"EHLO {sender.ehlo} has no address", advice)
    return Finding(check, OK, f"EHLO {sender.ehlo} is {', '.join(answer.records)}")


async def port_25(names: Names, host: str, port: int, source: str = ANY) -> Finding:
    """Connect, wait for the banner, say QUIT."""
    check = f"port {port} outward"
    shown = f"{host}:{port}" + (f" from {source}" if source != ANY else "")
    answer = await names.address(host, (socket.AF_INET, socket.AF_INET6))
    if not answer.records:
        return Finding(check, WARN, f"{host} has no address", "name a host which takes mail")
    wanted = [each for each in answer.records if source == ANY or _family(each) == _family(source)]
    advice = "ask your provider to open it; many block it, and mail cannot leave without"
    reason = "no address of the binding's family"
    for address in wanted:
        try:
            banner = await _banner(address, port, source)
        except AddressError as error:
            reason = error.message
        except TimeoutError:
            reason = "no answer"
        except (OSError, EOFError) as error:
            reason = (error.strerror if isinstance(error, OSError) else "") or "closed at once"
        else:
            if banner.startswith("220"):
                return Finding(check, OK, f"{shown} says {banner}")
            return Finding(check, WARN, f"{shown} says {banner}", "ask that host why")
    return Finding(check, FAIL, f"{shown}: {reason}", advice)


async def _banner(address: str, port: int, source: str) -> str:
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=4096)
    transport, _ = await connect(
        lambda: asyncio.StreamReaderProtocol(reader, loop=loop),
        address,
        port,
        source,
        within=CONNECT_SECONDS,
    )
    try:
        async with asyncio.timeout(BANNER_SECONDS):
            line = await reader.readuntil(b"\n")
        transport.write(b"QUIT\r\n")
    except asyncio.LimitOverrunError as error:
        raise EOFError from error
    finally:
        transport.close()
    text = line.decode("ascii", "replace").strip()
    return "".join(each if each.isprintable() else "?" for each in text)


def sources(bind_address: str, secondary: str | None) -> tuple[str, ...]:
    """Return the addresses a binding sends from; for "*" those the system would choose."""
    if bind_address != ANY:
        return (bind_address, secondary) if secondary else (bind_address,)
    found = []
    for family, far in ((socket.AF_INET, _ROUTED[4]), (socket.AF_INET6, _ROUTED[6])):
        try:
            with socket.socket(family, socket.SOCK_DGRAM) as probe:
                probe.connect((far, 9))  # Sends nothing: it only asks the routing table.
                found.append(probe.getsockname()[0])
        except OSError:
            continue
    return tuple(found)


def _family(address: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in address else socket.AF_INET
