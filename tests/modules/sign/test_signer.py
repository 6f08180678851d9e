"""What the modules which sign by DKIM have in common."""

from pathlib import Path

import pytest

from angarium.events.metrics import METRICS
from angarium.modules.sign import signer
from angarium.modules.sign.signer import SIGNING, SigningModule, title_of
from helpers.departing import KEYS, LETTER, Signing

TEXT = 'opendkim "one" { key = "KEYS/%{d}/%{s}.key" selector = "s1" }'


async def test_what_became_of_messages_is_counted(tmp_path: Path) -> None:
    here = Signing(tmp_path, TEXT)
    here.keep("example.com/s1.key", KEYS["s1"])
    await here.send(recipients=2)
    await here.send(LETTER.replace(b"example.com", b"example.net"))
    await here.send(b"Subject: nobody\r\n\r\n")
    cells = {name: here.way.place.metrics.cell(SIGNING, name).value for name in signer.RESULTS}
    assert cells == {"signed": 2, "no_domain": 1, "no_key": 1, "condition": 0}
    assert METRICS["dkim_signing"] is SIGNING


@pytest.mark.effect("signing_stats")
async def test_what_became_of_messages_is_counted_by_where_they_go(tmp_path: Path) -> None:
    here = Signing(tmp_path, TEXT + ' dk_sign "two" { key = "KEYS/old" selector = "s1" }')
    here.keep("example.com/s1.key", KEYS["s1"])
    here.keep("old", KEYS["s1"])
    signatures = here.way.means.signatures
    await here.send(recipients=2, binding="one", domain="a.example")
    await here.send(LETTER.replace(b"example.com", b"example.net"), domain="a.example")
    await here.send(b"Subject: nobody\r\n\r\n", domain="a.example")
    rows = {
        key: (each.signed, each.failed, each.processed) for key, each in signatures.rows.items()
    }
    assert rows == {
        ("DKIM", "one", "a.example"): (2, 0, 2),
        ("DKIM", "default", "a.example"): (0, 1, 2),
        ("DomainKeys", "one", "a.example"): (2, 0, 2),
        ("DomainKeys", "default", "a.example"): (1, 0, 2),
    }
    assert all(each.seconds > 0.0 for each in signatures.rows.values())
    signatures.rows.clear()
    signatures.detail = "global"
    await here.send(recipients=2, binding="one", domain="a.example")
    assert set(signatures.rows) == {("DKIM", "", ""), ("DomainKeys", "", "")}
    signatures.rows.clear()
    signatures.detail = "off"
    await here.send()
    assert signatures.rows == {}


async def test_a_key_that_was_flushed_is_read_anew(tmp_path: Path) -> None:
    here = Signing(tmp_path, TEXT)
    here.keep("example.com/s1.key", KEYS["s1"])
    assert len(await here.signed()) == 1
    here.keep("example.com/s1.key", KEYS["s2"])
    assert len(await here.signed()) == 1
    assert await here.console("opendkim:one flush keycache") == "1 keys forgotten\n"
    with pytest.raises(AssertionError, match="not of this header"):
        await here.signed()  # DNS has the old one.


async def test_who_signs_is_kept_for_so_many_domains(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signer, "MAX_SIGNERS", 2)
    here = Signing(tmp_path, 'opendkim { key = "KEYS/key" selector = "s1" }')
    here.keep("key", KEYS["s1"])
    for number in range(7):
        await here.send(LETTER.replace(b"example.com", b"d%d.example" % number))
        [module] = here.way.means.modules["opendkim"]
        assert len(module._signers) <= 2


def test_a_stanza_without_a_name_is_called_by_its_kind() -> None:
    assert (title_of("opendkim", ""), title_of("opendkim", "x")) == ("opendkim", "opendkim:x")
    with pytest.raises(NotImplementedError):
        SigningModule.wants(object(), object())  # type: ignore[arg-type]
