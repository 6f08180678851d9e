"""Signatures are put before messages: what is alike is done once, and what is slow elsewhere."""

import threading
from pathlib import Path
from typing import Any

import pytest

from angarium.core.body import MemoryBody
from angarium.mail.auth import digest, sign
from angarium.modules.sign import signing
from angarium.modules.sign.signing import LARGE, Desk, desk_of
from helpers.departing import KEYS, LETTER, Signing

RELAXED = 'header_canon = "relaxed" body_canon = "relaxed"'
TWO = (
    f'opendkim "rsa" {{ key = "KEYS/rsa" selector = "s1" {RELAXED} }}'
    f' opendkim "curve" {{ key = "KEYS/curve" selector = "e1" {RELAXED} }}'
)


@pytest.fixture
def server(tmp_path: Path) -> Signing:
    made = Signing(tmp_path, TWO)
    made.keep("rsa", KEYS["s1"])
    made.keep("curve", KEYS["e1"])
    return made


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """Count hashes of bodies and signatures, with the thread each was made in."""
    made: dict[str, list[str]] = {"hashed": [], "signed": []}
    hashed, one = digest.hashed, sign.Unsigned.sign

    def counted(*arguments: Any) -> Any:
        made["hashed"].append(threading.current_thread().name)
        return hashed(*arguments)

    def counting(work: sign.Unsigned) -> bytes:
        made["signed"].append(threading.current_thread().name)
        return one(work)

    monkeypatch.setattr(signing, "hashed", counted)
    monkeypatch.setattr(sign.Unsigned, "sign", counting)
    return made


async def test_all_recipients_of_a_message_share_its_signatures(
    server: Signing, seen: dict[str, list[str]]
) -> None:
    mails = await server.send(recipients=50)
    contents = {mail.draft.whole() for mail in mails}
    assert len(contents) == 1
    assert len(server.tags(mails[0])) == 2
    assert len(seen["hashed"]) == 1
    assert len(seen["signed"]) == 2


async def test_rsa_leaves_the_loop_and_ed25519_does_not(
    server: Signing, seen: dict[str, list[str]]
) -> None:
    await server.send()
    here = threading.current_thread().name
    assert [name == here for name in seen["signed"]] == [False, True]


async def test_a_recipient_with_a_content_of_its_own_has_its_own_signatures(
    server: Signing, seen: dict[str, list[str]]
) -> None:
    [first] = await server.send()
    [other] = await server.send(LETTER.replace(b"Hello", b"Goodbye"))
    assert len(seen["hashed"]) == 2
    assert server.tags(first) != server.tags(other)
    # The header differs, the body is the same object.
    same = MemoryBody(LETTER)
    [one] = await server.send(same)
    [again] = await server.send(same)
    assert one.draft.whole() == again.draft.whole()


async def test_a_changed_draft_is_signed_as_it_is(server: Signing) -> None:
    [mail] = await server.send()
    assert len(server.tags(mail)) == 2
    desk = desk_of(server.way.means)
    for change in ("header", "body"):
        [plain] = await Signing(server.folder, "").send()
        if change == "header":
            plain.edited.append("X-New", "1")
        else:
            plain.edited.set_body(b"another\r\n")
        module = server.way.means.modules["opendkim"][0]
        signer = next(iter(module._signers.values()))
        going = desk.sign(plain, signer)
        assert not isinstance(going, bool)
        assert await going
        assert len(server.tags(plain)) == 1


async def test_a_large_body_is_hashed_in_a_thread(
    server: Signing, seen: dict[str, list[str]]
) -> None:
    [mail] = await server.send(LETTER + b"x" * 70 + b"\r\n" * LARGE)
    assert seen["hashed"] != [threading.current_thread().name]
    assert len(seen["hashed"]) == 1
    assert len(server.tags(mail)) == 2


async def test_all_modules_of_a_generation_share_one_desk(server: Signing) -> None:
    modules = server.way.means.modules["opendkim"]
    assert modules[0].desk is modules[1].desk
    assert isinstance(modules[0].desk, Desk)
