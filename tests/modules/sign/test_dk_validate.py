"""dk_validate: what it finds, and who hears of it."""

from pathlib import Path

import pytest

from angarium.mail.auth.domainkeys import Check, Status
from angarium.modules.sign import dk_validate
from angarium.modules.sign.dk_validate import CHECKED
from helpers.authentic import Way
from helpers.departing import KEYS, LETTER, Signing

ZONE = f"""
s1._domainkey.example.com TXT {KEYS["s1"].record().decode()}
s2._domainkey.example.com SERVFAIL
slow._domainkey.example.com TIMEOUT
gone._domainkey.example.com TXT k=rsa; p=
"""


async def signed(folder: Path) -> list[str]:
    """Return the lines of a message with a signature."""
    server = Signing(
        folder, 'dk_sign { key = "KEYS/s1" selector = "s1" headerlist = ( From Subject ) }'
    )
    server.keep("s1", KEYS["s1"])
    [mail] = await server.send()
    return mail.draft.whole().decode().removesuffix("\r\n").split("\r\n")


def way(folder: Path, options: str = "") -> Way:
    return Way(folder, f"dk_validate {{ {options} }}", ZONE)


async def received(folder: Path, *lines: str, options: str = "") -> Way:
    here = way(folder, options)
    await here.whole("joe@example.com", *lines)
    assert here.refusal is None
    return here


async def test_a_good_signature_is_told(tmp_path: Path) -> None:
    here = await received(tmp_path, *await signed(tmp_path))
    assert here.variables["dk_status"] == "good"
    assert here.fields("domainkey-status") == ["good"]
    assert here.place.metrics.cell(CHECKED, "good").value == 1


@pytest.mark.parametrize(
    ("old", "new", "status", "word"),
    [
        ("Hello", "Hallo", "bad", "bad"),
        ("s=s1", "s=none", "bad (no key)", "bad"),
        ("s=s1", "s=gone", "bad (key revoked)", "bad"),
        ("q=dns", "q=http", "bad (unsupported query type)", "bad"),
        ("c=nofws", "c=other", "bad (malformed signature)", "bad"),
        ("s=s1", "s=s2", "error", "error"),
    ],
)
async def test_what_is_wrong_with_one_is_told(
    tmp_path: Path, old: str, new: str, status: str, word: str
) -> None:
    lines = [each.replace(old, new) for each in await signed(tmp_path)]
    here = await received(tmp_path, *lines)
    assert here.variables["dk_status"] == status
    assert here.fields("domainkey-status") == [word]
    assert here.place.metrics.cell(CHECKED, word).value == 1


async def test_what_others_say_of_it_is_removed(tmp_path: Path) -> None:
    lines = LETTER.decode().removesuffix("\r\n").split("\r\n")
    here = await received(tmp_path, "DomainKey-Status: good", *lines)
    assert here.fields("domainkey-status") == []
    assert "dk_status" not in here.variables
    both = await received(tmp_path, "DomainKey-Status: bad", *await signed(tmp_path))
    assert both.fields("domainkey-status") == ["good"]


async def test_dns_has_its_time_and_large_bodies_a_thread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dk_validate, "LARGE", 4)
    here = await received(tmp_path, *await signed(tmp_path))
    assert here.variables["dk_status"] == "good"

    async def late(*_: object) -> Status:
        raise TimeoutError

    monkeypatch.setattr(Check, "judged", late)
    here = await received(tmp_path, *await signed(tmp_path))
    assert here.variables["dk_status"] == "error"


@pytest.mark.effect("dk_validate.enabled", "dk_validate.debug_level")
async def test_off_it_checks_nothing_and_it_tells_who_wants_to_know(tmp_path: Path) -> None:
    lines = await signed(tmp_path)
    off = await received(tmp_path, *lines, options="enabled = false")
    assert "dk_status" not in off.variables
    told = await received(tmp_path, *lines, options='debug_level = "DEBUG"')
    assert [text for _, text in told.place.panics] == ["example.com: good"]
    quiet = await received(tmp_path, *lines)
    assert not quiet.place.panics
