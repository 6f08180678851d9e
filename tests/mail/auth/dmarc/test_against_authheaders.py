"""Our evaluation and that of authheaders, on thousands of generated records: the same results.

Kept away from the generator, because authheaders has its own mind there: `sp` in the record of the
very domain (it uses it for the domain itself), records without a policy which ask for reports (it
passes them over), and a choice of two records (its interface to DNS knows one).
"""

from functools import cache
from random import Random

import authheaders
import pytest
from authheaders import dmarc_lookup, dmarc_per_from
from authres import DKIMAuthenticationResult, SPFAuthenticationResult

from angarium.mail.auth.asking import at_once
from angarium.mail.auth.dmarc.evaluate import Evaluation, Proven, evaluate
from helpers.zones import Entry, Records

ROUNDS, OF_A_ROUND = 2, 2000
TOPS = ("example.com", "example.co.uk", "other.org", "b.example.net")
NAMES = (*TOPS, "mail.example.com", "a.b.example.com", "x.example.co.uk", "deep.mail.other.org")


def _record(random: Random, *, below: bool) -> bytes:
    tags = [f"p={random.choice(('none', 'quarantine', 'reject'))}"]
    if below and random.random() < 0.5:
        tags.append(f"sp={random.choice(('none', 'quarantine', 'reject'))}")
    for name, values in (
        ("adkim", ("r", "s")), ("aspf", ("r", "s")), ("pct", ("0", "50")),
        ("rua", ("mailto:a@b.example",)), ("x", ("y",)),
    ):  # fmt: skip
        if random.random() < 0.3:
            tags.append(f"{name}={random.choice(values)}")
    separator = random.choice((";", "; ", " ; "))
    return separator.join(
        ["v=DMARC1", *tags, ""] if random.random() < 0.5 else ["v=DMARC1", *tags]
    ).encode()


def _theirs(zone: Records, author: str, proven: Proven) -> tuple[str, str]:
    def ask(name: str) -> str | None:
        found = zone.names.get(name.lower())
        return str(found[0][1], "ascii") if found and isinstance(found[0][1], bytes) else None

    spf = (
        SPFAuthenticationResult(result="pass", smtp_mailfrom=f"joe@{proven.spf}")
        if proven.spf
        else None
    )
    results = [DKIMAuthenticationResult(result="pass", header_d=each) for each in proven.dkim] or [
        None
    ]
    # It looks at one signature; so each is shown to it alone.
    found = [dmarc_per_from(author, spf, each, dnsfunc=ask) for each in results]
    passed = [each for each in found if each[0] == "pass"]
    result, _, _, policy = (passed or found)[0]
    return result, policy


def _ours(zone: Records, author: str, proven: Proven) -> Evaluation:
    return at_once(evaluate(zone, author, proven))


@pytest.fixture(autouse=True)
def _keeps_what_it_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let authheaders read its list of suffixes once for each name, not for each question."""
    kept = cache(dmarc_lookup.get_org_domain)
    monkeypatch.setattr(dmarc_lookup, "get_org_domain", kept)
    monkeypatch.setattr(authheaders, "get_org_domain", kept)


@pytest.mark.parametrize("seed", range(ROUNDS))
def test_generated_records_have_the_results_of_authheaders(seed: int) -> None:
    random = Random(seed)
    seen: set[str] = set()
    for _ in range(OF_A_ROUND):
        author = random.choice(NAMES)
        names: dict[str, list[Entry]] = {}
        for name in NAMES:
            if random.random() < 0.5:
                text = (
                    b"something else"
                    if random.random() < 0.1
                    else _record(random, below=name != author)
                )
                names[f"_dmarc.{name}"] = [("TXT", text)]
        zone = Records(names)
        proven = Proven(
            random.choice(("", *NAMES)), random.sample(NAMES, random.choice((0, 0, 1, 2)))
        )
        ours = _ours(zone, author, proven)
        result, policy = _theirs(zone, author, proven)
        assert ours.result == result, (ours, names, author, proven)
        if result != "none":
            assert ours.policy == policy, (ours, names, author, proven)
        seen.add(result)
    assert seen == {"none", "pass", "fail"}
