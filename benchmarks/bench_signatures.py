"""What a signature costs beside its arithmetic: DKIM and ARC on a message of 10 KB.

    .venv/bin/python benchmarks/bench_signatures.py

The budget: to sign relaxed/relaxed takes at most 60 us over the bare signature and the SHA-256 of
the canonical body.
"""

import hashlib
import time
import timeit
from collections.abc import Callable
from functools import partial
from typing import Final

from angarium.lab.letters import filler
from angarium.mail.auth import arc, dkim
from angarium.mail.auth.asking import Record, at_once
from angarium.mail.auth.canon import RelaxedBody
from angarium.mail.auth.covered import Covered
from angarium.mail.auth.digest import hashed
from angarium.mail.auth.fields import Fields, opened
from angarium.mail.auth.keys import PrivateKey, made
from angarium.mail.auth.seal import Sealer
from angarium.mail.auth.sign import Signer

NOW: Final = 1700000000.0
HEADER: Final = (
    b"Received: from app.example.com (app.example.com [192.0.2.7])\r\n"
    b"\tby mx.example.com with ESMTPS id 00112233-0000-4455-66778899; Wed, 15 Nov 2023 06:13:20"
    b" +0000\r\n"
    b'From: "News of Example" <news@example.com>\r\nTo: Bob <bob@example.net>\r\n'
    b"Reply-To: <answers@example.com>\r\nSubject: =?utf-8?q?This_week=C2=B4s_news?= for you\r\n"
    b"Date: Wed, 15 Nov 2023 06:13:20 +0000\r\nMessage-ID: <1700000000.4711@example.com>\r\n"
    b"MIME-Version: 1.0\r\nContent-Type: multipart/alternative;\r\n\tboundary=limit\r\n"
    b"List-Unsubscribe: <https://example.com/u/0123456789abcdef>,\r\n\t<mailto:u@example.com>\r\n"
    b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\nList-ID: <news.example.com>\r\n"
    b"Precedence: bulk\r\nX-Campaign: 2023-46\r\n"
)
# A line of an indented page, where each run of blanks has to be found.
PAGE: Final = b'    <td class=3D"a">Words  of the week, and some more of them </td>\r\n' * 160
BODIES: Final = {
    "text": filler(10_240),  # what the other measurements send
    "page": PAGE[:10_238] + b"\r\n",
    "base64": (b"VGhlIHF1aWNrIGJyb3duIGZveA" * 3)[:76].join([b"\r\n"] * 132),
}
KEYS: Final = {"RSA-1024": made("rsa", 1024), "RSA-2048": made(), "Ed25519": made("ed25519")}


def in_us(work: Callable[[], object], count: int = 200) -> float:
    times = timeit.repeat(work, number=count, repeat=25, timer=time.process_time)
    return min(times) / count * 1e6


def signer(key: PrivateKey) -> Signer:
    return Signer("example.com", "s1", key, Covered.of(oversigned="from subject"))


def sign(letter: bytes, *signers: Signer) -> bytes:
    """Sign a message as a server does: from its octets, with nothing known of it before."""
    header, body = opened([letter])
    fields = Fields(header)
    hashes = hashed({each.want for each in signers}, body)
    return b"".join([each.prepare(fields, hashes, NOW).sign() for each in signers])


def check(letter: bytes, record: bytes) -> None:
    """Check the one signature of a message; the record is as the cache of DNS has it."""

    async def ask(name: str, kind: str, /) -> tuple[Record, ...]:
        return (record,)

    header, body = opened([letter])
    [verdict] = at_once(dkim.verify(Fields(header), body, ask, NOW))
    assert verdict.passed


def seal(letter: bytes, sealer: Sealer) -> bytes:
    header, pieces = opened([letter])
    fields = Fields(header)
    hashes = hashed({sealer.want}, pieces)
    work = sealer.prepare(fields, hashes, arc.Chain(), b"spf=pass; dkim=pass", NOW)
    assert work is not None
    return work.sign()


def canonical(body: bytes) -> bytes:
    out: list[bytes] = []
    form = RelaxedBody(out.append)
    form.feed(body)
    form.end()
    return b"".join(out)


def _sha256(octets: bytes) -> bytes:
    return hashlib.sha256(octets).digest()


def main() -> None:
    print(f"{'':16}{'bare':>8}{'signed':>8}{'over':>7}{'checked':>9}{'sealed':>8}  us")
    for kind, body in BODIES.items():
        letter, content = HEADER + b"\r\n" + body, canonical(body)
        digest = in_us(partial(_sha256, content))
        for name, key in KEYS.items():
            with_key, sealer = signer(key), Sealer("example.com", "s1", key, "mx.example.com")
            bare = in_us(partial(key.sign, b"x" * 32, "sha256")) + digest
            signed = in_us(partial(sign, letter, with_key))
            whole = sign(letter, with_key) + letter
            checked = in_us(partial(check, whole, key.record()))
            sealed = in_us(partial(seal, letter, sealer))
            row = f"{bare:8.1f}{signed:8.1f}{signed - bare:7.1f}{checked:9.1f}{sealed:8.1f}"
            print(f"{kind:7}{name:9}{row}")
        both = signer(KEYS["RSA-2048"]), signer(KEYS["Ed25519"])
        print(f"{kind:7}{'RSA-2048 and Ed25519':24}{in_us(partial(sign, letter, *both)):.1f}")


if __name__ == "__main__":
    main()
