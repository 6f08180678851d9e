"""Keys, names in DNS and judges, for stories about signatures on a real server.

    keep(folder)                            the keys, as files
    proven(letter)                          the selectors of its signatures, which must all hold
    handed_on(letter)                       who sealed it, the oldest first; the chain must hold

Who judges is dkimpy, and our own engine beside it.
"""

from pathlib import Path

from angarium.lab.received import Received
from angarium.mail.auth import arc
from angarium.mail.auth.asking import NoSuchName, at_once
from angarium.mail.auth.dkim import verify
from angarium.mail.auth.fields import Fields, opened
from angarium.mail.auth.signature import Outcome
from angarium.mail.auth.tags import parsed
from helpers.signing import judge, key
from helpers.zones import Records

oracle = judge()

KEYS = {"rsa": key(), "ed": key("ed25519"), "next": key(number=7)}
RECORDS = {
    f"{selector}._domainkey.{domain}": which.record()
    for selector, which in KEYS.items()
    for domain in ("ours.test", "mx.node.test", "author.test")
}
ASK = Records({name: [("TXT", record)] for name, record in RECORDS.items()})
ZONE = (
    "plain.test A 127.0.0.1\nbare.test A 127.0.0.2\ndead.test A 127.0.0.3\n"
    "ours.test A 127.0.0.1\nauthor.test A 127.0.0.1\nauthor.test TXT v=spf1 -all\n"
    "_dmarc.author.test TXT v=DMARC1; p=reject; rua=mailto:reports@author.test\n"
    "_dmarc.soft.test TXT v=DMARC1; p=quarantine\n"
) + "".join(f"{name} TXT {record.decode()}\n" for name, record in RECORDS.items())


def keep(folder: Path, names: tuple[str, ...] = ("rsa", "ed")) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / f"{name}.key").write_bytes(KEYS[name].pem())


def records(name: bytes, timeout: int = 5) -> bytes | None:
    """Answer dkimpy."""
    try:
        [found] = at_once(ASK(name.decode("latin-1").rstrip("."), "TXT"))
    except NoSuchName:
        return None
    assert isinstance(found, bytes)
    return found


def proven(letter: Received, domain: str = "ours.test", count: int = 2) -> list[bytes]:
    """Return the selectors of a message's signatures, from the top; all of them must hold."""
    octets = letter.content
    assert octets is not None
    header, pieces = opened([octets])
    fields, body = Fields(header), list(pieces)
    verdicts = at_once(verify(fields, body, ASK, letter.at))
    assert [each.reason for each in verdicts] == [""] * count, octets[:2000]
    assert {each.domain for each in verdicts} == {domain}
    for number in range(count):
        assert oracle.DKIM(octets).verify(number, dnsfunc=records), octets[:2000]
    return [parsed(fields.value(row))[b"s"] for row in fields.rows(b"dkim-signature")]


def handed_on(letter: Received) -> list[str]:
    """Return the domains of who sealed a message, the oldest first; its chain must hold."""
    octets = letter.content
    assert octets is not None
    header, pieces = opened([octets])
    found = at_once(arc.verify(Fields(header), list(pieces), ASK))
    assert (found.outcome, found.reason) == (Outcome.PASS, "")
    result, _, reason = oracle.arc_verify(octets, dnsfunc=records)
    assert result == b"pass", reason
    return found.domains
