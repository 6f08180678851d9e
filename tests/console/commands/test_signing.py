"""The command which prints how signing has fared."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from angarium.console.commands import signing
from angarium.events.signing import Signatures, Signed
from helpers.consoles import VIEWER, FakeServer, Talk

KNOWN = {
    ("DKIM", "one", "a.example"): Signed(0.5, 2, 1, 3),
    ("DKIM", "two", "a.example"): Signed(0.25, 1, 0, 1),
    ("DomainKeys", "one", "b.example"): Signed(0.125, 1, 0, 1),
}


def server(folder: Path, *rows: dict[tuple[str, str, str], Signed]) -> FakeServer:
    made = FakeServer(folder, "")
    for number, each in enumerate(rows):
        signatures = Signatures()
        signatures.rows.update(each)
        made.node.parts[f"worker {number}"] = SimpleNamespace(signatures=signatures)
    return made


def block(name: str, *values: float) -> list[str]:
    seconds, count, failed, processed = values
    return [
        f"        {name}",
        f"                AccumulatedSigningTime{seconds:10.4f}",
        f"                TotalMessagesSigned   {count:10}",
        f"                FailedSigningAttempts {failed:10}",
        f"                TotalMessagesProcessed{processed:10}",
    ]


async def test_workers_are_summed_in_all_by_domain_and_by_binding(tmp_path: Path) -> None:
    here = Talk(server(tmp_path, KNOWN, {("DKIM", "one", "a.example"): Signed(0.5, 1, 0, 1)}))
    assert (await here.say("signing_stats")).splitlines() == [
        "Signing Statistics",
        "",
        "Global",
        *block("DomainKeys", 0.125, 1, 0, 1),
        *block("DKIM", 1.25, 4, 1, 5),
        "Per Domain",
        "        DomainName a.example",
        *block("DKIM", 1.25, 4, 1, 5),
        "        DomainName b.example",
        *block("DomainKeys", 0.125, 1, 0, 1),
        "Per Binding",
        "        binding_name one",
        *block("DomainKeys", 0.125, 1, 0, 1),
        *block("DKIM", 1.0, 3, 1, 4),
        "        Per Binding Per Domain",
        "        DomainName a.example",
        *block("DKIM", 1.0, 3, 1, 4),
        "        DomainName b.example",
        *block("DomainKeys", 0.125, 1, 0, 1),
        "        binding_name two",
        *block("DKIM", 0.25, 1, 0, 1),
        "        Per Binding Per Domain",
        "        DomainName a.example",
        *block("DKIM", 0.25, 1, 0, 1),
    ]


async def test_what_went_before_counts_for_bindings_and_the_whole(tmp_path: Path) -> None:
    here = server(tmp_path, {("DKIM", "one", "a.example"): Signed(0.5, 2, 1, 3)})
    here.node.statistics.gone.signed = {
        "DKIM\tone": Signed(1.0, 10, 0, 10), "DKIM\t": Signed(0.0, 5, 0, 5)
    }  # fmt: skip
    said = (await Talk(here).say("signing_stats")).splitlines()
    assert said[3:8] == block("DKIM", 1.5, 17, 1, 18)
    at = said.index("        binding_name one")
    assert said[at + 1 : at + 6] == block("DKIM", 1.5, 12, 1, 13)
    at = said.index("Per Domain")
    assert said[at + 2 : at + 7] == block("DKIM", 0.5, 2, 1, 3)


async def test_domains_with_the_most_mail_are_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signing, "MOST", 2)
    rows = {("DKIM", "", f"d{each}.example"): Signed(0.0, each, 0, each) for each in range(5)}
    said = (await Talk(server(tmp_path, rows)).say("signing_stats")).splitlines()
    assert [each.strip() for each in said if "omain" in each] == [
        "Per Domain", "DomainName d3.example", "DomainName d4.example", "and 3 more domains",
    ]  # fmt: skip


async def test_without_any_the_headings_are_there(tmp_path: Path) -> None:
    assert (await Talk(server(tmp_path, {})).say("signing_stats")).split("\n") == [
        "Signing Statistics", "", "Global", "Per Domain", "Per Binding",
    ]  # fmt: skip


async def test_programs_get_the_rows(tmp_path: Path) -> None:
    plain = await Talk(server(tmp_path, KNOWN)).plain("signing_stats")
    assert plain["rows"][0] == {
        "kind": "DKIM", "binding": "one", "domain": "a.example", "AccumulatedSigningTime": 0.5,
        "TotalMessagesSigned": 2, "FailedSigningAttempts": 1, "TotalMessagesProcessed": 3,
    }  # fmt: skip


async def test_they_begin_anew(tmp_path: Path) -> None:
    here = server(tmp_path, KNOWN, KNOWN)
    here.node.statistics.gone.signed = {"DKIM\tone": Signed(1.0, 10, 0, 10)}
    assert await Talk(here, VIEWER).fails("signing_stats reset")
    assert await Talk(here).say("signing_stats reset") == "Signing Statistics are reset"
    assert (await Talk(here).plain("signing_stats"))["rows"] == []
