"""Our check and pyspf's, on thousands of generated zones and policies: the same results.

Where the two differ by intent the generator keeps away, and `DIFFERENT` says from what.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from random import Random
from typing import Any

import pytest
import spf

from angarium.mail.auth.asking import NameTrouble, NoSuchName, at_once
from angarium.mail.auth.spf.check import Finding, check_host
from angarium.mail.auth.spf.client import Client, client_address
from helpers.zones import Entry, Records

ROUNDS, OF_A_ROUND = 20, 250
ADDRESSES = ("192.0.2.1", "192.0.2.77", "198.51.100.9", "2001:db8::1", "2001:db8:1::cb01")
NAMES = tuple(f"{name}.example" for name in ("a", "b", "c", "d", "mail.a", "mail.b", "x-y.c"))
GONE = ("gone.example", "no.such.example")
SENDERS = ("joe@a.example", "strong-bad@b.example", "", "a+b.c=d@c.example", "@d.example")
# What pyspf calls an error against the RFC, by the beginning of its words: an include of a domain
# by itself which is never reached, "%%" at the end of a string, and a modifier nobody knows which
# stands there twice (section 6: however often).
WRONG = ("include has trivial recursion", "invalid-macro-char", "x-y= MUST", "x-z.w= MUST")
# pyspf looks up all hosts of an mx before it compares any, asks for the names of the client anew in
# each ptr, and takes trouble with those for its own (section 5.5 says otherwise). So where it asked
# for these it may have seen more voids, or more trouble, than there were to be seen.
ASKS_MORE = {"PTR", "MX"}


def _pick(random: Random, *choices: str) -> str:
    return random.choice(choices)


def _spec(random: Random) -> str:
    macro = _pick(random, "d", "o", "h", "i", "l", "v", "D", "p")
    macro = f"%{{{macro}{_pick(random, '', '', '1', '2', '3')}{_pick(random, '', '', 'r')}"
    macro += _pick(random, "", "", "", "-", ".", "+-") + "}"
    return _pick(
        random,
        *NAMES,
        *NAMES,
        random.choice(GONE),
        f"{macro}.{random.choice(NAMES)}",
        f"%{{d2}}.{random.choice(NAMES)}",
        "%{d}",
        "%{o}",
        f"{random.choice(NAMES)}.",
    )


def _lengths(random: Random) -> str:
    return _pick(random, "", "", "", "/24", "/0", "/32", "//64", "/24//48", "//0", "//128")


def _term(random: Random) -> str:  # noqa: PLR0911 - a table
    sign = _pick(random, "", "", "-", "~", "?", "+")
    match random.randrange(22):
        case 0 | 1 | 2:
            return f"{sign}a{_pick(random, '', ':' + _spec(random))}{_lengths(random)}"
        case 3 | 4 | 5:
            return f"{sign}mx{_pick(random, '', ':' + _spec(random))}{_lengths(random)}"
        case 6 | 7 | 8:
            return f"{sign}include:{_spec(random)}"
        case 9 | 10:
            return f"{sign}exists:{_spec(random)}"
        case 11 | 12:
            return f"{sign}ptr{_pick(random, '', ':' + _spec(random))}"
        case 13 | 14:
            return f"{sign}ip4:{random.choice(ADDRESSES[:3])}{_pick(random, '', '/24', '/8')}"
        case 15:
            return f"{sign}ip6:{random.choice(ADDRESSES[3:])}{_pick(random, '', '/32', '/64')}"
        case 16:
            return f"redirect={_spec(random)}"
        case 17:
            return f"exp={_pick(random, *NAMES, 'why.example')}"
        case 18:
            return f"x-{_pick(random, 'y', 'z.w')}={_pick(random, '', 'v', '%{d}', '%%')}"
        case 19:
            return f"{sign}{_pick(random, 'ALL', 'Mx', 'A', 'pTR')}"
        case _:
            return f"{sign}all"


def _broken(random: Random) -> str:
    return _pick(
        random, "moo", "a:", "a/33", "a//129", "a/24/64", "ip4", "ip4:1.2.3", "ip4:1.2.3.4/33",
        "ip4:1.2.3.04", "ip4:192.0.2.1/032", "ip6:::1/129", "ip6:gg::", "include", "exists",
        "exists:", "all:x.example", "all/8", "ptr/8", "ptr:", "redirect=", "exp=", "a:b", "a:1.2",
        "=x", "a:%{z}.example", "a:%{d", "a:%x.example", "1=x", "redirect",
        "a:b.-c", "mx:b.c-", "include:%{t}.example", "-", "--all", "a:foo.example:8080", "x~=y",
    )  # fmt: skip


def _policy(random: Random) -> bytes:
    terms = [_term(random) for _ in range(random.randrange(7))]
    if random.random() < 0.07:
        terms.insert(random.randrange(len(terms) + 1), _broken(random))
    text = _pick(random, " ", " ", " ", "  ").join([_pick(random, "v=spf1", "V=SPF1"), *terms])
    return text.encode() + (b" " if random.random() < 0.1 else b"")


def _zone(random: Random) -> dict[str, list[Entry]]:
    zone: dict[str, list[Entry]] = {}
    hosts = random.sample(NAMES, 4)
    for name in NAMES:
        entries: list[Entry] = []
        for kind, addresses in (("A", ADDRESSES[:3]), ("AAAA", ADDRESSES[3:])):
            if random.random() < 0.6:
                count = random.choice((1, 1, 2))
                entries += [(kind, each) for each in random.sample(addresses, min(count, 2))]
        if random.random() < 0.8:
            entries.append(("TXT", _policy(random)))
        if random.random() < 0.05:
            entries.append(("TXT", _policy(random)))
        if random.random() < 0.2:
            entries.append(("TXT", b"google-site-verification=\xff"))
        many = random.choice((0, 1, 2, 2, 3, 11 if random.random() < 0.1 else 1))
        entries += [("MX", (place, random.choice(hosts))) for place in range(many)]
        if name not in hosts and random.random() < 0.08:
            entries.append(("TIMEOUT", ""))
        zone[name] = entries
    zone["why.example"] = [
        ("TXT", _pick(random, "%{i} is not %{d}", "no %{p}", "%{L} %x", "\xe4").encode("latin-1"))
    ]
    for address in ADDRESSES:
        if random.random() < 0.7:
            pointer = client_address(address).reverse_pointer
            zone[pointer] = [("PTR", each) for each in random.sample(NAMES, random.choice((1, 2)))]
    zone["alias.example"] = [("CNAME", random.choice(NAMES))]
    return zone


@contextmanager
def _asked_of(zone: Records) -> Iterator[None]:
    """Let pyspf ask a zone."""

    def lookup(name: str, kind: str, strict: bool = True, timeout: int = 0) -> list[Any]:
        try:
            found = at_once(zone(name, kind))
        except NoSuchName:
            return []
        except NameTrouble as trouble:
            raise spf.TempError(str(trouble)) from None
        if kind == "TXT":
            return [((name, kind), (each,)) for each in found]
        return [((name, kind), each) for each in found]

    before, spf.DNSLookup = spf.DNSLookup, lookup
    try:
        yield
    finally:
        spf.DNSLookup = before


def _theirs(zone: Records, address: str, sender: str, helo: str) -> tuple[str, str, str]:
    """Return result, explanation, and what pyspf calls an error."""
    with _asked_of(zone):
        query = spf.query(i=address, s=sender, h=helo, receiver="receiver.example")
        query.set_default_explanation("")
        result, _, explanation = query.check()
    return result, explanation if result == "fail" else "", getattr(query, "prob", "")


def _ours(zone: Records, address: str, sender: str, helo: str) -> Finding:
    client = Client(client_address(address), helo, sender, "receiver.example")
    return at_once(check_host(zone, client))


def _may_differ(result: str, problem: str, zone: Records) -> bool:
    if problem.startswith(WRONG):
        return True
    more = problem.startswith("Void lookup limit") or result == "temperror"
    return more and any(kind in ASKS_MORE for _, kind in zone.asked)


@pytest.mark.parametrize("seed", range(ROUNDS))
def test_generated_policies_have_the_results_of_pyspf(seed: int) -> None:
    random = Random(seed)
    results: set[str] = set()
    differ = 0
    for _ in range(OF_A_ROUND):
        zone = Records(_zone(random))
        address, sender = random.choice(ADDRESSES), random.choice(SENDERS)
        helo = random.choice((*NAMES, "gone.example"))
        result, explanation, problem = _theirs(zone, address, sender, helo)
        ours = _ours(zone, address, sender, helo)
        results.add(ours.result)
        if (ours.result, ours.explanation) != (result, explanation):
            assert _may_differ(result, problem, zone), (ours, problem, zone.names, sender, helo)
            differ += 1
    assert len(results) >= 6
    assert differ < OF_A_ROUND // 10
