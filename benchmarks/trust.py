"""Relay with signatures made and checked, beside plain relay, in alternating rounds of one run.

    python -m benchmarks.trust [KIND ...] [--size 10] [--seconds 6] [--rounds 3] [--workers 1]

Kinds are those of KINDS; without any all are measured. Every message is the same one, signed by its
author with RSA-2048, and its names are in a name server beside. Medians of the rounds; the
difference of neighbours is what counts.
"""

import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from random import Random
from typing import Final

from angarium.mail.auth.digest import hashed
from angarium.mail.auth.fields import Fields
from angarium.mail.auth.keys import PrivateKey, made
from angarium.mail.auth.sign import Signer
from benchmarks.beside import given, wanted
from benchmarks.halves import SESSIONS, Measured, Row
from benchmarks.names import Names
from benchmarks.peers import Angarium, Sink, tool

NAMES_PORT: Final = 2553
PROBE: Final = 1000
STRANGERS: Final = """
relay_hosts = ()
relay_domains = ( "sink.test" )
dns_servers = ( "127.0.0.1:{port}" )
"""
CHECKS: Final = 'spf_v1 {{ }}\ndkim_validate {{ }}\ndmarc {{ action = "reject" }}\n'
SIGNS: Final = """
opendkim {{
  key = "{folder}/{kind}" selector = "{kind}" header_canon = "relaxed" body_canon = "relaxed"
}}
"""
SEALS: Final = """
openarc {{ signing_domain = "bench.test" selector = "{kind}" key = "{folder}/{kind}" }}
"""
KINDS: Final[Mapping[str, tuple[str, str]]] = {  # what is configured, by which key
    "rsa": (SIGNS, "rsa"),
    "ed25519": (SIGNS, "ed25519"),
    "spf": ("spf_v1 {{ }}\n", ""),
    "dkim": ("dkim_validate {{ }}\n", ""),
    "checks": (CHECKS, ""),
    "checks+rsa": (CHECKS + SIGNS, "rsa"),
    "checks+seal": (CHECKS + SEALS, "ed25519"),
}
HEADER: Final = (
    b"Received: from a.sender.test (a.sender.test [192.0.2.1])\r\n\tby b.sender.test with ESMTP;"
    b" Thu, 26 Nov 2026 04:00:00 +0000\r\nDate: Thu, 26 Nov 2026 04:00:00 +0000\r\n"
    b"From: A sender <load@sender.test>\r\nTo: user@sink.test\r\nSubject: a message as others\r\n"
    b"Message-ID: <1@sender.test>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain\r\n"
    b"List-Unsubscribe: <https://sender.test/u/1>\r\nX-Mailer: bench\r\n"
)


def prepared(folder: Path, octets: int) -> None:
    """Write keys, the message, and what is in DNS."""
    keys = {"rsa": made("rsa", 2048), "ed25519": made("ed25519", 0)}
    for name, key in keys.items():
        (folder / name).write_bytes(key.pem())
        (folder / name).chmod(0o644)
    lines = [f"{name}._domainkey.sender.test {key.record().decode()}" for name, key in keys.items()]
    lines += [
        "sender.test v=spf1 ip4:192.0.2.0/24 ip4:127.0.0.1 -all",
        "_dmarc.sender.test v=DMARC1; p=reject",
    ]
    (folder / "names").write_text("\n".join(lines), encoding="ascii")
    (folder / "message").write_bytes(signed(keys["rsa"], octets).replace(b"\r\n", b"\n"))


def signed(key: PrivateKey, octets: int) -> bytes:
    """Return a message of about this size, as its author's server sends it."""
    random = Random(1)
    body = bytearray()
    while len(body) < octets - len(HEADER):
        words = [b"x" * random.randrange(1, 12) for _ in range(10)]
        body += b" ".join(words) + b"\r\n"
    signer = Signer("sender.test", "rsa", key)
    work = signer.prepare(Fields(HEADER), hashed({signer.want}, [bytes(body)]), time.time())
    return work.sign() + HEADER + b"\r\n" + bytes(body)


def inject(port: int, messages: int, message: Path) -> None:
    command = [tool("smtp-source"), "-d", "-s", str(SESSIONS), "-m", str(messages)]
    command += ["-F", str(message), "-f", "load@sender.test", "-t", "user@sink.test"]
    subprocess.run([*command, f"127.0.0.1:{port}"], check=True, timeout=600)


def relayed(folder: Path, kind: str, workers: int, seconds: float) -> Row:
    """Return messages a second and the processor time of each."""
    text, key = KINDS.get(kind, ("", ""))
    extra = STRANGERS.format(port=NAMES_PORT) + text.format(folder=folder, kind=key)
    server, sink = Angarium(folder / "server", workers=workers, extra=extra), Sink(2526)
    try:
        server.start()
        begin = time.monotonic()
        inject(server.port, PROBE, folder / "message")
        sink.wait(PROBE)
        count = max(PROBE, int(PROBE / (time.monotonic() - begin) * seconds))
        measured = Measured(server)
        inject(server.port, count, folder / "message")
        return measured.row(count, sink.wait(PROBE + count))
    finally:
        server.stop()
        sink.close()


def main() -> None:
    args = wanted(__doc__, list(KINDS))
    with given() as folder:
        prepared(folder, args.octets)
        with Names(NAMES_PORT, folder / "names"):
            rows = args.alternating(
                "plain", lambda kind: relayed(folder, kind, args.workers, args.seconds)
            )
    args.tell(rows, lambda mine, plain: mine[1] - plain[1], "+.0f")


if __name__ == "__main__":
    main()
