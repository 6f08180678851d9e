"""What tests of signatures share: keys and their zones, messages nobody wrote, dkimpy as a judge.

dkimpy wants PyNaCl for Ed25519. Where it is missing `judge` gives it the same arithmetic from
cryptography: what is compared is what is signed, not the curve.
"""

import base64
from functools import lru_cache
from importlib import import_module
from random import Random
from types import SimpleNamespace
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from angarium.mail.auth.keys import PrivateKey, made
from helpers.zones import Records

NOW = 1_700_000_000.0


def key(kind: str = "rsa", bits: int = 1024, number: int = 0) -> PrivateKey:
    """Return a key, the same one for the same arguments."""
    return _key(kind, bits, number)


@lru_cache
def _key(kind: str, bits: int, _number: int) -> PrivateKey:
    return made(kind, bits)


def zone(**records: bytes) -> Records:
    """Return the keys of example.com by selector."""
    return Records(
        {f"{name}._domainkey.example.com": [("TXT", text)] for name, text in records.items()}
    )


BLANKS = (b" ", b"\t", b"  ", b" \t ", b"")
WORDS = (b"one", b"two", b"x" * 90, b"\xc3\xa9", b"a\rb", b"=3D", b".", b"--", b"0")
NAMES = (b"From", b"To", b"Subject", b"Date", b"Received", b"X-A", b"MIME-Version", b"cc")


def text(random: Random, words: int) -> bytes:
    """Return words with blanks before, between and behind them."""
    return b"".join(
        random.choice(BLANKS) + random.choice(WORDS) + random.choice(BLANKS)
        for _ in range(random.randrange(words))
    )


def message(random: Random, *, plain: bool = False) -> bytes:
    """Return a message with the blanks, folds and line ends which canonical forms are about.

    `plain` ones have no blanks before a colon, no CR by itself in the header, one From, and their
    body ends with a line end, if it has any line.
    """
    fields = [b"From: joe@example.com\r\n"]
    for _ in range(random.randrange(8)):
        name = random.choice(NAMES[1:] if plain else NAMES)
        value = (b"\0" + random.choice((b" ", b"\t"))).join(
            text(random, 4) + b"w" for _ in range(random.randrange(1, 4))
        )
        if plain:
            value = value.replace(b"\r", b"")
        value = value.replace(b"\0", b"\r\n")
        blank = random.choice((b"", b"", b" ", b"\t")) if not plain else b""
        fields.append(name + blank + b":" + random.choice(BLANKS) + value + b"\r\n")
    random.shuffle(fields)
    lines = [text(random, 5) for _ in range(random.randrange(8))]
    ends = random.choice((b"", b"\r\n", b"\r\n\r\n", b" \r\n", b" ", b"\r\n \t\r\n"))
    body = b"\r\n".join(lines) + ends
    if plain and body and not body.endswith(b"\r\n"):
        body += b"\r\n"
    return b"".join(fields) + b"\r\n" + body


def cut(random: Random, octets: bytes) -> list[bytes]:
    """Return octets in pieces of any size."""
    pieces, at = [], 0
    while at < len(octets):
        size = random.choice((1, 2, 3, 7, 50, 1000))
        pieces.append(octets[at : at + size])
        at += size
    return pieces


def judge() -> Any:
    """Return dkimpy."""
    dkim: Any = import_module("dkim")
    if not hasattr(dkim, "nacl"):
        dkim.nacl = SimpleNamespace(
            signing=SimpleNamespace(VerifyKey=_VerifyKey, SigningKey=_SigningKey),
            encoding=SimpleNamespace(Base64Encoder=base64),
            exceptions=SimpleNamespace(BadSignatureError=InvalidSignature, ValueError=ValueError),
        )
    return dkim


class _VerifyKey:
    def __init__(self, octets: bytes, encoder: Any) -> None:
        self.key = Ed25519PublicKey.from_public_bytes(encoder.b64decode(octets))

    def verify(self, signed: bytes, signature: bytes) -> None:
        self.key.verify(signature, signed)


class _SigningKey:
    def __init__(self, octets: bytes, encoder: Any) -> None:
        self.key = Ed25519PrivateKey.from_private_bytes(encoder.b64decode(octets))

    def sign(self, octets: bytes) -> Any:
        return SimpleNamespace(signature=self.key.sign(octets))
