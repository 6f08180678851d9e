"""unbound as a resolver which checks DNSSEC, with zones of ours; tools/peers installs it.

    with resolving(Signed("example.com", "example.com MX 10 mx.example.com ...")) as port:
        ...                                  answers have the AD bit, or are SERVFAIL

A zone is signed here. `spoilt`: names whose records were changed after that.
"""

import contextlib
import socket
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import dns.dnssec
import dns.name
import dns.rdataset
import dns.rdatatype
import dns.zone
from cryptography.hazmat.primitives.asymmetric import ec
from dns.dnssectypes import Algorithm

from helpers.addresses import free_port
from helpers.databases import Server, needed

TTL = 300
CONFIG = """
server:
    interface: {address}
    port: {port}
    do-daemonize: no
    username: ""
    chroot: ""
    directory: "{folder}"
    pidfile: "{folder}/unbound.pid"
    use-syslog: no
    logfile: ""
    num-threads: 1
    module-config: "validator iterator"
    do-not-query-localhost: no
    access-control: 127.0.0.0/8 allow
    aggressive-nsec: no
    local-zone: "." static
    {names}
    {anchors}
remote-control:
    control-enable: no
{zones}
"""
HEAD = """\
@ {ttl} IN SOA ns hostmaster 1 3600 600 86400 60
@ {ttl} IN NS ns
ns {ttl} IN A 127.0.0.1
"""
ZONE = """
auth-zone:
    name: "{name}"
    zonefile: "{file}"
    for-upstream: yes
    for-downstream: no
    fallback-enabled: no
"""


@dataclass(frozen=True)
class Signed:
    """A zone; lines of NAME TYPE DATA."""

    name: str
    text: str
    spoilt: tuple[tuple[str, str, str], ...] = ()  # name, type, what stands there instead
    signed: bool = True

    def write(self, folder: Path) -> str:
        """Write the zone; return the line of its trust anchor, "" without one."""
        origin = dns.name.from_text(self.name)
        head = HEAD.format(ttl=TTL)
        lines = [line.split(maxsplit=2) for line in self.text.strip().splitlines()]
        body = "".join(
            f"{name}. {TTL} IN {kind} {_data(kind, data)}\n" for name, kind, data in lines
        )
        zone = dns.zone.from_text(head + body, origin, relativize=False)
        anchor = ""
        if self.signed:
            key = ec.generate_private_key(ec.SECP256R1())
            public = dns.dnssec.make_dnskey(key.public_key(), Algorithm.ECDSAP256SHA256, flags=257)
            dns.dnssec.sign_zone(zone, keys=[(key, public)], lifetime=86400)
            anchor = f'trust-anchor: "{self.name}. DNSKEY {public.to_text()}"'
        for name, kind, data in self.spoilt:
            node = zone.find_node(dns.name.from_text(name))
            node.replace_rdataset(dns.rdataset.from_text(zone.rdclass, kind, TTL, data))
        out = StringIO()
        zone.to_file(out, relativize=False)
        (folder / f"{self.name}.zone").write_text(out.getvalue())
        return anchor


def _data(kind: str, data: str) -> str:
    if kind == "TXT":
        return '"' + data.strip('"') + '"'
    return f"{data}." if kind in ("MX", "CNAME") else data


@contextlib.contextmanager
def resolving(*zones: Signed, address: str = "127.0.0.1", port: int = 0) -> Iterator[int]:
    """Yield the port of a resolver which knows these zones and no others; 0: any port."""
    program = needed("unbound")
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as ending:
        folder = Path(name)
        anchors = [zone.write(folder) for zone in zones]
        port = port or free_port()
        text = CONFIG.format(
            address=address,
            port=port,
            folder=folder,
            anchors="\n    ".join(filter(None, anchors)),
            names="\n    ".join(f'local-zone: "{zone.name}." transparent' for zone in zones),
            zones="".join(
                ZONE.format(name=zone.name, file=folder / f"{zone.name}.zone") for zone in zones
            ),
        )
        (folder / "unbound.conf").write_text(text)
        server = Server(
            [program, "-d", "-c", str(folder / "unbound.conf")],
            folder,
            "",
            lambda: _answers(address, port),
        )
        ending.callback(server.stop)
        server.start()
        yield port


def _answers(address: str, port: int) -> bool:
    try:
        socket.create_connection((address, port), 1.0).close()
    except OSError:
        return False
    return True
