"""dkim_validate: what it finds, and who hears of it."""

from pathlib import Path

import pytest

from angarium.mail.auth.dkim import Verdict
from angarium.mail.auth.signature import Outcome
from angarium.modules.sign.dkim_validate import CHECKED, status
from angarium.modules.sign.found import found_of
from helpers.authentic import Way
from helpers.departing import KEYS, LETTER, Signing

ZONE = f"""
s1._domainkey.example.com TXT {KEYS["s1"].record().decode()}
e1._domainkey.example.com TXT {KEYS["e1"].record().decode()}
s2._domainkey.example.com SERVFAIL
"""


async def signed(folder: Path, *selectors: str) -> list[str]:
    """Return the lines of a message with these signatures, the last one on top."""
    stanzas = "".join(
        f'opendkim "{each}" {{ key = "KEYS/{each}" selector = "{each}" }}' for each in selectors
    )
    server = Signing(folder, stanzas)
    for each in selectors:
        server.keep(each, KEYS[each])
    [mail] = await server.send()
    octets = mail.draft.whole().replace(b"Received: by us\r\n", b"")
    return octets.decode().removesuffix("\r\n").split("\r\n")


def way(folder: Path, options: str = "") -> Way:
    return Way(folder, f"dkim_validate {{ {options} }}", ZONE)


async def test_signatures_are_checked_and_everybody_is_told(tmp_path: Path) -> None:
    here = way(tmp_path)
    await here.whole("joe@example.com", *await signed(tmp_path, "s1", "e1"))
    assert here.variables["dkim_status"] == "pass"
    assert here.variables["dkim_domains"] == "example.com"
    [told] = here.fields("authentication-results")
    assert told.startswith("mx.node.test;")
    assert told.count("dkim=pass") == 2
    assert "header.s=s1" in told
    found = found_of(here.session, here.mail)
    assert found.signatures is not None
    assert [each.result for each in found.signatures] == ["pass", "pass"]
    assert found.verdicts is not None
    assert [each.passed for each in found.verdicts] == [True, True]
    assert here.refusal is None


async def test_a_changed_message_is_told_and_not_refused(tmp_path: Path) -> None:
    here = way(tmp_path)
    lines = await signed(tmp_path, "s1")
    await here.whole("joe@example.com", *lines, "added")
    assert (here.variables["dkim_status"], here.variables["dkim_domains"]) == ("fail", "")
    [told] = here.fields("authentication-results")
    assert 'dkim=fail reason="the body was changed"' in told
    assert here.refusal is None


async def test_trouble_with_dns_is_told(tmp_path: Path) -> None:
    here = way(tmp_path)
    await here.whole("joe@example.com", *await signed(tmp_path, "s2"))
    assert here.variables["dkim_status"] == "temperror"


async def test_without_a_signature_nothing_is_put_into_the_header(tmp_path: Path) -> None:
    here = way(tmp_path)
    await here.whole("joe@example.com", *LETTER.decode().split("\r\n"))
    assert here.fields("authentication-results") == []
    assert (here.variables["dkim_status"], here.variables["dkim_domains"]) == ("none", "")
    found = found_of(here.session, here.mail)
    assert found.signatures is not None
    assert [each.result for each in found.signatures] == ["none"]


async def test_a_result_which_came_with_the_message_is_not_ours(tmp_path: Path) -> None:
    here = way(tmp_path)
    forged = "Authentication-Results: mx.node.test; dkim=pass header.d=bank.example"
    lines = await signed(tmp_path, "s1")
    await here.whole("joe@example.com", forged, *lines)
    [told] = here.fields("authentication-results")
    assert "bank.example" not in told


async def test_results_are_counted(tmp_path: Path) -> None:
    here = way(tmp_path)
    lines = await signed(tmp_path, "s1", "e1")
    await here.whole("joe@example.com", *lines)
    await here.whole("joe@example.com", *LETTER.decode().split("\r\n"))
    assert here.place.metrics.cell(CHECKED, "pass").value == 2
    assert here.place.metrics.cell(CHECKED, "none").value == 1
    commands = here.policing.commands
    assert "pass: 2\n" in await commands["dkim_validate stats"]([])
    assert (await commands["dkim_validate flush keycache"]([])).endswith(" keys forgotten\n")
    assert await commands["dkim_validate flush keycache"]([]) == "0 keys forgotten\n"


@pytest.mark.effect("dkim_validate.enabled")
async def test_off_it_checks_nothing(tmp_path: Path) -> None:
    here = way(tmp_path, "enabled = false")
    await here.whole("joe@example.com", *await signed(tmp_path, "s1"))
    assert "dkim_status" not in here.variables


@pytest.mark.effect("dkim_validate.debug_level")
async def test_it_tells_of_each_signature_who_wants_to_know(tmp_path: Path) -> None:
    lines = await signed(tmp_path, "s1")
    quiet, talking = way(tmp_path), way(tmp_path, 'debug_level = "DEBUG"')
    for each in (quiet, talking):
        await each.whole("joe@example.com", *lines)
    assert quiet.place.panics == []
    assert talking.place.panics == [("dkim_validate", "example.com: pass ")]


@pytest.mark.parametrize(
    ("outcomes", "expected"),
    [
        ((), "none"),
        (("fail", "pass", "temperror"), "pass"),
        (("fail", "temperror"), "temperror"),
        (("neutral", "permerror", "fail"), "fail"),
        (("neutral", "policy"), "policy"),
    ],
)
def test_one_signature_that_passes_is_enough(outcomes: tuple[str, ...], expected: str) -> None:
    assert status([Verdict(0, Outcome(each)) for each in outcomes]) == expected
