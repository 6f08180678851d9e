"""DNS messages: a question to bytes, bytes to records (RFC 1035, 6891, 6840).

    query(ident, "example.com", MX)     the datagram for a recursive name server
    parse(datagram)                     its answer, or DnsError

Written for speed on the types which mail needs; the value of any other type is its bytes. The
parser is total: any octets give a Response or a DnsError. A compression pointer must point before
the name it stands in, and so must each further one; so there are no loops.

Names are `str` in lower case without the final dot, the root is "."; what is no plain character
stands as in a zone file: `a\\.b.example`, `\\000.example`.
"""

import re
import struct
from ipaddress import IPv6Address
from typing import Final, NamedTuple

from angarium.core.errors import Error

A: Final = 1
NS: Final = 2
CNAME: Final = 5
SOA: Final = 6
PTR: Final = 12
MX: Final = 15
TXT: Final = 16
AAAA: Final = 28
DNAME: Final = 39
OPT: Final = 41
TLSA: Final = 52
TYPES: Final = {
    "A": A, "NS": NS, "CNAME": CNAME, "SOA": SOA, "PTR": PTR, "MX": MX, "TXT": TXT,
    "AAAA": AAAA, "DNAME": DNAME, "TLSA": TLSA,
}  # fmt: skip
IN: Final = 1

NOERROR: Final = 0
FORMERR: Final = 1
SERVFAIL: Final = 2
NXDOMAIN: Final = 3
NOTIMP: Final = 4
REFUSED: Final = 5

QR: Final = 0x8000
TC: Final = 0x0200
RD: Final = 0x0100
AD: Final = 0x0020
OPCODE: Final = 0x7800

# 1232 = 1280 (the least IPv6 MTU) - 40 - 8: never fragmented. DNS flag day 2020, RFC 9715.
EDNS_SIZE: Final = 1232
MAX_NAME: Final = 255  # octets on the wire, RFC 1035 section 2.3.4
MAX_LABEL: Final = 63
MAX_JUMPS: Final = 127  # pointers in a name: it has no more labels
# Steps spent on the names of one message. A full answer over TCP, 64 KiB, needs some 10,000; one
# made of pointers to pointers to cost us seconds ends here.
MAX_WORK: Final = 40_000
MAX_TTL: Final = 0x7FFFFFFF  # a set top bit means 0, RFC 2181 section 8

_HEADER: Final = struct.Struct(">HHHHHH")
_RECORD: Final = struct.Struct(">HHIH")
_SOA: Final = struct.Struct(">5I")
_EDNS: Final = struct.pack(">BHHIH", 0, OPT, EDNS_SIZE, 0, 0)
_EDNS_DO: Final = struct.pack(">BHHIH", 0, OPT, EDNS_SIZE, 0x8000, 0)
_PLAIN: Final = re.compile(rb"[!#-\-/-\[\]-~]*")  # printable without dot, backslash, quote
_PLAIN_NAME: Final = re.compile(rb"[!#-\[\]-~]*")  # the same with dots
_ESCAPED: Final = re.compile(r"\\(?:(\d{3})|(.))|([^\\.])|(\.)|\\", re.DOTALL)


class DnsError(Error):
    """Octets which are no DNS message, or a name which is none."""


class Soa(NamedTuple):
    """Start of a zone; `minimum` bounds how long "there is none" may be kept (RFC 2308)."""

    primary: str
    mailbox: str
    serial: int
    refresh: int
    retry: int
    expire: int
    minimum: int


# A, AAAA: the address as text; CNAME, NS, PTR, DNAME: a name; MX: (preference, host);
# TXT: its strings joined; any other: the octets.
Value = str | bytes | tuple[int, str] | Soa


class Record(NamedTuple):
    name: str
    type: int
    ttl: int  # seconds
    value: Value


class Response(NamedTuple):
    ident: int
    flags: int
    rcode: int  # with the upper bits of EDNS
    question: tuple[str, int] | None  # name and type; class IN
    answers: list[Record]
    authority: list[Record]

    @property
    def truncated(self) -> bool:
        return bool(self.flags & TC)

    @property
    def authentic(self) -> bool:
        return bool(self.flags & AD)


def encode_name(name: str) -> bytes:
    """Return the name for the wire, its case kept. Raises DnsError if it is none."""
    if name in {"", "."}:
        return b"\0"
    try:
        labels = name.encode("ascii").removesuffix(b".").split(b".")
    except UnicodeEncodeError:
        raise DnsError("a name for DNS must be ASCII", name=name) from None
    if b"\\" in name.encode("ascii"):
        labels = _unescaped(name)
    wire = bytearray()
    for label in labels:
        if not 0 < len(label) <= MAX_LABEL:
            raise DnsError("a label of a name has 1 to 63 octets", name=name)
        wire.append(len(label))
        wire += label
    wire.append(0)
    if len(wire) > MAX_NAME:
        raise DnsError("a name has at most 255 octets", name=name)
    return bytes(wire)


def question(name: str, rrtype: int) -> bytes:
    """Return the question section, which a server sends back as it got it."""
    return encode_name(name) + rrtype.to_bytes(2, "big") + b"\0\1"


def query(ident: int, asked: bytes, *, edns: bool = True, dnssec: bool = False) -> bytes:
    """Return the datagram for a question made by `question`; it asks for recursion.

    AD in a query says that we understand AD in the answer (RFC 6840 section 5.7). `dnssec` asks for
    the signatures as well, which nobody here reads.
    """
    extra = (_EDNS_DO if dnssec else _EDNS) if edns else b""
    return _HEADER.pack(ident, RD | AD, 1, 0, 0, 1 if edns else 0) + asked + extra


def parse(data: bytes) -> Response:
    """Return the message. Raises DnsError, and nothing else, whatever the octets."""
    try:
        return _Parser(data).message()
    except (IndexError, struct.error):
        raise DnsError("a DNS message ends too early", octets=len(data)) from None


class _Parser:
    __slots__ = ("_at", "_data", "_names", "_work")

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 12
        self._names: dict[int, str] = {}  # by offset: most names are pointers to the same few
        self._work = 0

    def message(self) -> Response:
        ident, flags, questions, answers, authority, additional = _HEADER.unpack_from(self._data)
        asked = None
        for _ in range(questions):
            name = self._name()
            rrtype = int.from_bytes(self._data[self._at : self._at + 2], "big")
            self._skip(4)
            asked = (name, rrtype)
        found = self._records(answers)
        zone = self._records(authority)
        rcode = flags & 15
        for record in self._records(additional):
            if record.type == OPT:
                rcode |= record.ttl >> 20 & 0xFF0
        return Response(ident, flags, rcode, asked if questions == 1 else None, found, zone)

    def _records(self, count: int) -> list[Record]:
        records = []
        data = self._data
        for _ in range(count):
            name = self._name()
            rrtype, rrclass, ttl, size = _RECORD.unpack_from(data, self._at)
            self._skip(10)
            start = self._at
            self._skip(size)
            end = self._at
            if rrtype == OPT:
                records.append(Record(name, rrtype, ttl, data[start:end]))
            elif rrclass == IN:
                value = self._value(rrtype, start, end)
                records.append(Record(name, rrtype, ttl if ttl <= MAX_TTL else 0, value))
                self._at = end
        return records

    def _value(self, rrtype: int, start: int, end: int) -> Value:
        data = self._data
        if rrtype == A:
            if end - start != 4:
                raise DnsError("an A record has 4 octets")
            return f"{data[start]}.{data[start + 1]}.{data[start + 2]}.{data[start + 3]}"
        if rrtype == MX:
            self._at = start + 2
            return data[start] << 8 | data[start + 1], self._name_to(end)
        if rrtype == AAAA:
            if end - start != 16:
                raise DnsError("an AAAA record has 16 octets")
            return str(IPv6Address(data[start:end]))
        if rrtype == TXT:
            return self._strings(start, end)
        if rrtype in {CNAME, NS, PTR, DNAME}:
            self._at = start
            return self._name_to(end)
        if rrtype == SOA:
            self._at = start
            primary, mailbox = self._name(), self._name_to(end - _SOA.size)
            return Soa(primary, mailbox, *_SOA.unpack_from(data, end - _SOA.size))
        return data[start:end]

    def _strings(self, start: int, end: int) -> bytes:
        data, pieces = self._data, []
        while start < end:
            size = data[start] + 1
            pieces.append(data[start + 1 : start + size])
            start += size
        if start != end:
            raise DnsError("a TXT record ends within a string")
        return b"".join(pieces)

    def _name_to(self, end: int) -> str:
        name = self._name()
        if self._at != end:
            raise DnsError("a name does not fill its record")
        return name

    def _name(self) -> str:
        """Read a name at the place reached, and go on behind it."""
        data, at = self._data, self._at
        key = limit = at  # where the name begins; a pointer must point before `limit`
        labels: list[bytes] = []
        size = 1
        jumps = 0
        while length := data[at]:
            if length < 64:
                label = data[at + 1 : at + 1 + length]
                at += length + 1
                size += length + 1
                if size > MAX_NAME:
                    raise DnsError("a name has at most 255 octets")
                labels.append(label)
            elif length >= 192:
                target = (length & 63) << 8 | data[at + 1]
                if target >= limit or jumps == MAX_JUMPS:
                    raise DnsError("a compression pointer must point backwards")
                if not jumps:
                    self._at = at + 2
                    known = self._names.get(target)
                    if not labels:
                        if known is not None:
                            return known
                        key = target
                    elif known and "\\" not in known and size + len(known) < MAX_NAME:
                        # Nearly every name ends in one which was read before.
                        name = self._names[key] = f"{_text(labels)}.{known}"
                        return name
                jumps += 1
                at = limit = target
            else:
                raise DnsError("a label of an unknown kind")
        if not jumps:
            self._at = at + 1
        self._work += jumps + len(labels)
        if self._work > MAX_WORK:
            raise DnsError("a DNS message made of pointers")
        name = self._names[key] = _text(labels) if labels else "."
        return name

    def _skip(self, octets: int) -> None:
        self._at += octets
        if self._at > len(self._data):
            raise DnsError("a DNS message ends too early", octets=len(self._data))


def _text(labels: list[bytes]) -> str:
    joined = b".".join(labels)
    if joined.count(b".") >= len(labels) or not _PLAIN_NAME.fullmatch(joined):
        joined = b".".join(map(_escape, labels))
    return joined.decode("ascii").lower()


def _escape(label: bytes) -> bytes:
    out = bytearray()
    for octet in label:
        if _PLAIN.fullmatch(bytes((octet,))):
            out.append(octet)
        elif octet in b'.\\"':
            out += b"\\" + bytes((octet,))
        else:
            out += b"\\%03d" % octet
    return bytes(out)


def _unescaped(name: str) -> list[bytes]:
    labels = [bytearray()]
    for found in _ESCAPED.finditer(name):
        if found[4]:
            labels.append(bytearray())
        elif found[1]:
            if int(found[1]) > 255:
                raise DnsError("an escape in a name is at most 255", name=name)
            labels[-1].append(int(found[1]))
        elif found[2] or found[3]:
            labels[-1] += (found[2] or found[3]).encode("ascii")
        else:
            raise DnsError("a name ends within an escape", name=name)
    if len(labels) > 1 and not labels[-1]:
        labels.pop()
    return [bytes(label) for label in labels]
