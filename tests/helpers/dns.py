"""Name servers for tests: `FakeDns` in memory, `DnsServer` on real sockets, from the same text.

    example.com       MX    10 mx1.example.com
    mx1.example.com   A     127.0.0.1
    short.example     5 A   192.0.2.1          a TTL, else 300
    www.example.com   CNAME example.com
    spf.example       TXT   v=spf1 -all
    dead.test         SERVFAIL                 also TIMEOUT, REFUSED; for all types of the name
    empty.test        NODATA

Any other name does not exist. `*` as the name stands for all names without records of their own.
"""

import asyncio
import contextlib
import select
import socket
import threading
from collections.abc import Callable, Collection
from typing import Self, cast

import dns.exception
import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

from angarium.core.clock import Clock
from angarium.net.answer import Answer, MxAnswer, Status
from angarium.net.dns import Done
from angarium.net.dnscache import DEFAULT_KEEPING, V4_ONLY, Keeping, Resolver
from angarium.wire import dns as wire
from angarium.wire.dns import Record, Response, Soa, Value
from helpers.clock import FakeClock

FAILURES = {"SERVFAIL", "TIMEOUT", "REFUSED", "NODATA"}
NEGATIVE_TTL = 60
TURNS = 20
SOA = Soa("ns.test", "hostmaster.test", 1, 3600, 600, 86400, NEGATIVE_TTL)


class Zone:
    """The records of the text above."""

    def __init__(self, text: str = "") -> None:
        self.records: dict[str, list[Record]] = {}
        self.texts: dict[str, list[tuple[int, str, str]]] = {}  # ttl, type, rest: for dnspython
        self.failures: dict[str, str] = {}
        self.signed = False  # answers have the AD bit
        self.unsigned: set[str] = set()  # but not those with a record of these names
        self.add(text)

    def add(self, text: str) -> None:
        for line in text.splitlines():
            words = line.split("#")[0].split()
            if not words:
                continue
            name, rest = words[0].lower().removesuffix(".") or ".", words[1:]
            if rest[0] in FAILURES:
                self.failures[name] = rest[0]
                continue
            ttl = int(rest.pop(0)) if rest[0].isdigit() else 300
            rrtype, text_value = rest[0], " ".join(rest[1:])
            self.failures.pop(name, None)
            self.texts.setdefault(name, []).append((ttl, rrtype, text_value))
            record = Record(name, wire.TYPES[rrtype], ttl, _value(rrtype, text_value))
            self.records.setdefault(name, []).append(record)

    def remove(self, name: str) -> None:
        for each in (self.records, self.texts, self.failures):
            each.pop(name, None)

    def known(self, name: str) -> str:
        """Return the name whose records are meant: itself, or "*"."""
        if name in self.records or name in self.failures or "*" not in self.records:
            return name
        return "*"

    def failure(self, name: str) -> str:
        return self.failures.get(self.known(name), "")

    def response(self, name: str, rrtype: int) -> Response:
        answers: list[Record] = []
        end = name.lower()
        for _ in range(20):
            found = [each._replace(name=end) for each in self.records.get(self.known(end), [])]
            alias = [each for each in found if each.type == wire.CNAME]
            if not alias or rrtype == wire.CNAME:
                answers += [each for each in found if each.type == rrtype]
                break
            answers += alias
            end = cast(str, alias[0].value)
        exists = self.known(end) in self.records or self.failure(end) == "NODATA"
        rcode = wire.NOERROR if exists else wire.NXDOMAIN
        missing = not answers or answers[-1].type != rrtype
        authority = [Record("test", wire.SOA, NEGATIVE_TTL, SOA)] if missing else []
        insecure = any(each.name in self.unsigned for each in answers) or name in self.unsigned
        flags = 0x8180 | (wire.AD if self.signed and not insecure else 0)
        return Response(0, flags, rcode, (name, rrtype), answers, authority)


def _value(rrtype: str, text: str) -> Value:
    match rrtype:
        case "MX":
            preference, host = text.split()
            return int(preference), host.lower() if host == "." else host.lower().removesuffix(".")
        case "TXT":
            return text.strip('"').encode()
        case "TLSA":
            usage, selector, matching, digest = text.split()
            return bytes([int(usage), int(selector), int(matching)]) + bytes.fromhex(digest)
        case "A" | "AAAA":
            return text
        case _:
            return text.lower().removesuffix(".")


class _Loop:
    """Stands in for the loop where a test has none: only waiting needs one."""

    def create_future(self) -> "asyncio.Future[Answer[Value]]":
        return asyncio.get_running_loop().create_future()


class FakeDns(Resolver):
    """A `Resolver` which is answered from a zone, at once, and notes what it was asked.

    With `warm`, the default, the `cached_*` know every name; else only what was awaited before.
    """

    def __init__(
        self,
        text: str = "",
        clock: Clock | None = None,
        keeping: Keeping = DEFAULT_KEEPING,
        *,
        warm: bool = True,
    ) -> None:
        self.zone = Zone(text)
        self.asked: list[tuple[str, int]] = []
        self.warm = warm
        loop = cast(asyncio.AbstractEventLoop, _Loop())
        super().__init__(self, loop, clock or FakeClock(), keeping)

    def ask(self, name: str, rrtype: int, done: Done) -> None:
        wire.question(name, rrtype)
        self.asked.append((name, rrtype))
        match self.zone.failure(name):
            case "SERVFAIL" | "REFUSED":
                done(Status.SERVFAIL)
            case "TIMEOUT":
                done(Status.TIMEOUT)
            case _:
                done(self.zone.response(name, rrtype))

    def cached_mx(self, domain: str) -> MxAnswer | None:
        if self.warm and super().cached_mx(domain) is None:
            self.submit(domain, wire.MX)
        return super().cached_mx(domain)

    def cached_address(self, name: str, families: Collection[int] = V4_ONLY) -> Answer[str] | None:
        if self.warm and super().cached_address(name, families) is None:
            for family in families:
                self.submit(name, wire.AAAA if family == socket.AF_INET6 else wire.A)
        return super().cached_address(name, families)


class DnsServer:
    """A name server on 127.0.0.1, UDP and TCP on one port, in a thread of its own.

    `faults` are what it does to the next questions over UDP, one each; forged answers, which say
    192.0.2.66, are sent before the true one:

        wrong id, wrong question, wrong source, not an answer      forged, then the truth
        silence, garbage, truncation, no edns                      instead of the truth
    """

    def __init__(self, text: str = "") -> None:
        self.zone = Zone(text)
        self.faults: list[str] = []
        self.questions: list[tuple[str, str, str]] = []  # name, type, "udp" or "tcp"
        self.port = 0
        self.ports: list[int] = []  # where the questions came from
        self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._tcp = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._other = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._wake, self._woken = socket.socketpair()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        # TCP first: its ports are the scarce ones, as those of closed connections rest.
        for turn in range(TURNS):
            self._tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._tcp.bind(("127.0.0.1", 0))
            try:
                self._udp.bind(self._tcp.getsockname())
                break
            except OSError:  # Somebody asks a name server from this port.
                if turn == TURNS - 1:
                    raise
                self._tcp.close()
                self._tcp = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._tcp.listen(64)
        self.port = self._udp.getsockname()[1]
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._wake.close()
        self._thread.join(90)
        for each in (self._udp, self._tcp, self._other, self._woken):
            each.close()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def _run(self) -> None:
        while True:
            ready, _, _ = select.select([self._udp, self._tcp, self._woken], [], [])
            if self._woken in ready:
                return
            if self._udp in ready:
                data, peer = self._udp.recvfrom(4096)
                self.ports.append(peer[1])
                self._answer_datagram(data, peer)
            if self._tcp in ready:
                peer_socket, _ = self._tcp.accept()
                with peer_socket, contextlib.suppress(OSError):
                    peer_socket.settimeout(1.0)
                    self._answer_stream(peer_socket)

    def _answer_stream(self, peer: socket.socket) -> None:
        size = int.from_bytes(peer.recv(2, socket.MSG_WAITALL), "big")
        query = dns.message.from_wire(peer.recv(size, socket.MSG_WAITALL))
        answer = self._response(query, "tcp")
        if answer is not None:
            wire_form = answer.to_wire(max_size=65535)
            peer.sendall(len(wire_form).to_bytes(2, "big") + wire_form)

    def _answer_datagram(self, data: bytes, peer: tuple[str, int]) -> None:
        query = dns.message.from_wire(data)
        answer = self._response(query, "udp")
        if answer is None:
            return
        fault = self.faults.pop(0) if self.faults else ""
        send = self._udp.sendto
        if fault in INSTEAD:
            send(INSTEAD[fault](data, answer), peer)
        elif fault == "no edns" and query.edns >= 0:
            self.faults.insert(0, fault)
            send(data[:2] + b"\x81\x81" + b"\0" * 8, peer)
        elif fault != "silence":
            if fault == "wrong source":
                self._other.sendto(_forged(data), peer)
            elif fault in BEFORE:
                send(BEFORE[fault](_forged(data)), peer)
            send(_fitted(answer, query.payload or 512), peer)

    def _response(self, query: dns.message.Message, how: str) -> dns.message.Message | None:
        asked = query.question[0]
        name = asked.name.to_text(omit_final_dot=True).lower()
        rrtype = dns.rdatatype.to_text(asked.rdtype)
        self.questions.append((name, rrtype, how))
        failure = self.zone.failure(name)
        if failure == "TIMEOUT":
            return None
        answer = dns.message.make_response(query, recursion_available=True)
        if failure in {"SERVFAIL", "REFUSED"}:
            answer.set_rcode(dns.rcode.from_text(failure))
            return answer
        response = self.zone.response(name, int(asked.rdtype))
        answer.set_rcode(dns.rcode.Rcode(response.rcode))
        for owner in dict.fromkeys(record.name for record in response.answers):
            for ttl, kind, text in self.zone.texts[self.zone.known(owner)]:
                if kind in {rrtype, "CNAME"}:
                    quoted = f'"{text}"' if kind == "TXT" and not text.startswith('"') else text
                    if kind in {"MX", "CNAME", "PTR", "NS"} and not text.endswith("."):
                        quoted += "."
                    answer.answer.append(
                        dns.rrset.from_text(_absolute(owner), ttl, "IN", kind, quoted)
                    )
        if response.authority:
            soa = "ns.test. hostmaster.test. 1 3600 600 86400 60"
            answer.authority.append(dns.rrset.from_text("test.", NEGATIVE_TTL, "IN", "SOA", soa))
        return answer


def _absolute(name: str) -> str:
    return name if name == "." else f"{name}."


def _fitted(answer: dns.message.Message, size: int) -> bytes:
    try:
        return bytes(answer.to_wire(max_size=size))
    except dns.exception.TooBig:
        return _truncated(b"", answer)


def _truncated(_: bytes, answer: dns.message.Message) -> bytes:
    answer.answer.clear()
    answer.flags |= dns.flags.TC
    return bytes(answer.to_wire())


def _forged(data: bytes) -> bytes:
    query = dns.message.from_wire(data)
    answer = dns.message.make_response(query)
    owner = query.question[0].name
    answer.answer.append(dns.rrset.from_text(owner, 300, "IN", "A", "192.0.2.66"))
    return bytes(answer.to_wire())


BEFORE: dict[str, Callable[[bytes], bytes]] = {
    "wrong id": lambda data: bytes([data[0] ^ 1]) + data[1:],
    "wrong question": lambda data: data[:13] + bytes([data[13] ^ 1]) + data[14:],
    "not an answer": lambda data: data[:2] + bytes([data[2] & 0x7F]) + data[3:],
}
INSTEAD: dict[str, Callable[[bytes, dns.message.Message], bytes]] = {
    # The header and question are right, the rest is none.
    "garbage": lambda data, _: data[:2] + b"\x81\x80\0\1\0\5\0\0\0\0" + data[12:-11] + b"\xff" * 9,
    "truncation": _truncated,
}
