"""Our signatures and dkimpy's, on thousands of generated messages, in both directions.

Each judges what the other made, whole and spoilt. Where dkimpy differs from the RFC the messages
keep away: it takes LF for a line end, blanks before a colon for a fault, a second From for a forged
one, and leaves the blanks at the end of a last line which has no end.
"""

import base64
import re
from collections import Counter
from random import Random
from typing import Any

import pytest

from angarium.mail.auth import arc
from angarium.mail.auth.asking import NoSuchName, at_once
from angarium.mail.auth.covered import Covered
from angarium.mail.auth.digest import hashed
from angarium.mail.auth.dkim import verify
from angarium.mail.auth.fields import Fields, opened
from angarium.mail.auth.seal import Sealer
from angarium.mail.auth.sign import Signer, Style
from angarium.mail.auth.signature import Policy
from helpers.rounds import Seeds
from helpers.signing import NOW, judge, key, message, zone

oracle = judge()
KEYS = {"rsa": key(), "ed25519": key("ed25519")}
ASK = zone(rsa=KEYS["rsa"].record(), ed25519=KEYS["ed25519"].record())
FORMS = ("simple", "relaxed")
# dkimpy knows what time it is.
POLICY = Policy(sha1=True, skew_seconds=1e12)
SPOILS = (b"", b" ", b"\t", b"x", b"\r\n", b"\r\n ", b"\r\n\t", b":", b"  ", b"=", b";")


def records(name: bytes, timeout: int = 5) -> bytes | None:
    try:
        [found] = at_once(ASK(name.decode("latin-1").rstrip("."), "TXT"))
    except NoSuchName:
        return None
    assert isinstance(found, bytes)
    return found


def ours(letter: bytes) -> bool:
    header, body = opened([letter])
    verdicts = at_once(verify(Fields(header), body, ASK, NOW, POLICY))
    return bool(verdicts) and verdicts[0].passed


def theirs(letter: bytes) -> bool:
    return bool(oracle.verify(letter, dnsfunc=records))


def style(random: Random, kind: str) -> Style:
    return Style(
        random.choice(FORMS), random.choice(FORMS),  # type: ignore[arg-type]
        random.choice(("sha256", "sha1")) if kind == "rsa" else "sha256",
        identity=random.choice((None, "@example.com", "a=b@mail.example.com")),
        body_length=random.random() < 0.3,
        copy_fields=random.random() < 0.3,
    )  # fmt: skip


def by_us(random: Random, letter: bytes) -> bytes:
    kind = random.choice(sorted(KEYS))
    covered = Covered.of("from to subject received x-a cc", random.choice(("", "from", "date x-a")))
    signer = Signer("example.com", kind, KEYS[kind], covered, style(random, kind))
    header, body = opened([letter])
    return signer.prepare(Fields(header), hashed({signer.want}, body), NOW).sign() + letter


def private(kind: str) -> bytes:
    """Return a key as dkimpy takes it."""
    pem = KEYS[kind].pem()
    if kind == "rsa":
        return pem
    der = base64.b64decode(b"".join(pem.splitlines()[1:-1]))
    return base64.b64encode(der[-32:])


def by_them(random: Random, letter: bytes) -> bytes:
    kind = random.choice(sorted(KEYS))
    algorithm = b"rsa-sha256" if kind == "rsa" else b"ed25519-sha256"
    field: Any = oracle.sign(
        letter, kind.encode(), b"example.com", private(kind),
        canonicalize=(random.choice(FORMS).encode(), random.choice(FORMS).encode()),
        signature_algorithm=algorithm,
        include_headers=random.choice((None, [b"from", b"to", b"x-a", b"x-a"])),
        length=random.random() < 0.3,
    )  # fmt: skip
    return bytes(field) + letter


def spoilt(random: Random, letter: bytes) -> bytes:
    """Change something somewhere below the signature."""
    header, _ = opened([letter])
    begin = Fields(header).place(1)[0]
    at = random.randrange(begin, len(letter) + 1)
    changed = letter[:at] + random.choice(SPOILS) + letter[at + random.randrange(3) :]
    return tidy(changed)


def tidy(letter: bytes) -> bytes:
    """Return a message without LF by itself, and with a line end at its end."""
    whole = letter.replace(b"\r\n", b"\0").replace(b"\n", b"").replace(b"\0", b"\r\n")
    return whole if whole.endswith(b"\r\n") else whole + b"\r\n"


@pytest.mark.parametrize("signing", [by_us, by_them])
def test_both_judge_alike_whoever_signed(signing: Any, seeds: Seeds, tally: Counter[str]) -> None:
    for seed in seeds(1_000, 20_000):
        random = Random(seed)
        letter = signing(random, message(random, plain=True))
        assert ours(letter)
        assert theirs(letter)
        other = spoilt(random, letter)
        passes = ours(other)
        if well_formed(other):
            assert passes == theirs(other)
            tally["spoilt and passing" if passes else "spoilt and failing"] += 1
        tally["messages signed"] += 1


def well_formed(letter: bytes) -> bool:
    """Say whether dkimpy reads the header at all, which wants a colon in each line."""
    header, _ = opened([letter])
    return re.fullmatch(rb"([!-9;-~]+:[^\r\n]*\r\n([ \t][^\r\n]*\r\n)*)*", header) is not None


def test_both_judge_chains_of_arc_alike(seeds: Seeds, tally: Counter[str]) -> None:
    sealer = Sealer("example.com", "rsa", KEYS["rsa"], "mx.example.com")
    for seed in seeds(100, 2_000):
        random = Random(seed)
        letter = message(random, plain=True)
        for _ in range(random.randrange(1, 4)):
            if random.random() < 0.5:
                header, body = opened([letter])
                fields, pieces = Fields(header), list(body)
                chain = at_once(arc.verify(fields, pieces, ASK))
                work = sealer.prepare(
                    fields, hashed({sealer.want}, pieces), chain, b"arc=none", NOW
                )
                assert work is not None
                letter = work.sign() + letter
            else:
                letter = sealed_by_them(letter)
        for each in (letter, spoilt_chain(random, letter)):
            header, body = opened([each])
            outcome = at_once(arc.verify(Fields(header), body, ASK)).outcome
            if not well_formed(each):
                continue
            theirs = oracle.arc_verify(each, dnsfunc=records)[0]
            assert (theirs or b"none").decode() == outcome
            tally[f"chains that {outcome}"] += 1


def sealed_by_them(letter: bytes) -> bytes:
    header, body = opened([letter])
    cv = at_once(arc.verify(Fields(header), list(body), ASK)).outcome.value
    results = b"Authentication-Results: mx.example.com; arc=%b\r\n" % cv.encode()
    fields = oracle.arc_sign(
        results + letter, b"rsa", b"example.com", private("rsa"), b"mx.example.com",
        include_headers=[b"from", b"to", b"subject"],
    )  # fmt: skip
    return b"".join(fields) + letter


def spoilt_chain(random: Random, letter: bytes) -> bytes:
    at = random.randrange(len(letter))
    changed = letter[:at] + random.choice((b"x", b"", b"1")) + letter[at + 1 :]
    return tidy(changed)
