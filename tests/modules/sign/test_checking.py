"""Signatures of a message, checked where its body is and within a time."""

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest

from angarium.mail.auth import digest
from angarium.mail.auth.arc import Chain
from angarium.mail.auth.asking import Record
from angarium.mail.auth.fields import Fields
from angarium.mail.auth.seal import Sealer
from angarium.modules.sign import checking
from angarium.modules.sign.checking import LARGE, chained, checked
from angarium.modules.sign.signing import put
from helpers.departing import KEYS, LETTER, Signing, ask
from helpers.guards import Place


async def signed(folder: Path, letter: bytes = LETTER) -> Any:
    server = Signing(folder, 'opendkim { key = "KEYS/s1" selector = "s1" }')
    server.keep("s1", KEYS["s1"])
    [mail] = await server.send(letter)
    return mail


async def test_each_signature_has_a_verdict(tmp_path: Path) -> None:
    means = Place(tmp_path, "").means()
    mail = await signed(tmp_path)
    assert [each.reason for each in await checked(mail, means, ask())] == [""]
    [plain] = await Signing(tmp_path, "").send()
    assert await checked(plain, means, ask()) == []


async def test_a_large_body_is_hashed_in_a_thread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[str] = []
    plain = digest.hashed

    def counted(*arguments: Any) -> Any:
        threads.append(threading.current_thread().name)
        return plain(*arguments)

    monkeypatch.setattr(checking, "hashed", counted)
    means, here = Place(tmp_path, "").means(), threading.current_thread().name
    for letter, elsewhere in ((LETTER, False), (LETTER + b"x\r\n" * LARGE, True)):
        [verdict] = await checked(await signed(tmp_path, letter), means, ask())
        assert verdict.passed
        assert (threads.pop() != here) is elsewhere


async def test_what_dns_has_not_said_in_time_cannot_be_had(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(_name: str, _kind: str, /) -> tuple[Record, ...]:
        await asyncio.Event().wait()
        raise AssertionError

    monkeypatch.setattr(checking, "SECONDS", 0.01)
    mail = await signed(tmp_path)
    [verdict] = await checked(mail, Place(tmp_path, "").means(), never)
    assert (verdict.outcome, verdict.reason) == ("temperror", "the key cannot be had now")


async def test_a_chain_is_judged_within_the_same_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(_name: str, _kind: str, /) -> tuple[Record, ...]:
        await asyncio.Event().wait()
        raise AssertionError

    mail = await signed(tmp_path)
    means = Place(tmp_path, "").means()
    assert (await chained(mail, means, never)).outcome == "none"
    fields = Fields(mail.draft.header_octets)
    sealer = Sealer("example.com", "s1", KEYS["s1"], "mx.example")
    hashes = digest.hashed({sealer.want}, mail.draft.body.pieces())
    work = sealer.prepare(fields, hashes, Chain(), b"", 0.0)
    assert work is not None
    put(mail, work.sign())
    assert (await chained(mail, means, ask())).outcome == "pass"
    monkeypatch.setattr(checking, "SECONDS", 0.01)
    found = await chained(mail, means, never)
    assert (found.outcome, found.temporary, found.reason) == (
        "fail", True, "the key cannot be had now",
    )  # fmt: skip
