"""Files of users as authenticators: what each can be asked, and what it says."""

import inspect
from pathlib import Path
from typing import Any

import pytest

from angarium.data import hashes
from angarium.inbound.authenticators import (
    ANONYMOUS,
    Authenticator,
    Everybody,
    Nobody,
    Visit,
    built_in,
    unscrambled,
)
from angarium.inbound.errors import TroubleError
from angarium.wire.sasl import cram, digest
from angarium.wire.sasl.exchange import Claim, DigestWanted, ScramWanted
from angarium.wire.sasl.hmac_md5 import contexts
from angarium.wire.sasl.names import ALL, PLAIN, SCRAM, SCRAM_PLUS
from angarium.wire.sasl.secrets import ScramSecret, pretended

PASSWORD = "tanstaaf"
KEY = b"key of the node"
PROOF = cram.proof(PASSWORD, b"<1@x>")
CRAM = Claim("CRAM-MD5", "tim", "hmac_md5", PROOF, "<1@x>",
             lambda password: cram.proof(password, b"<1@x>") == PROOF)  # fmt: skip


async def waited(found: Any) -> Any:
    return await found if inspect.isawaitable(found) else found


def visit(tmp_path: Path, scheme: str, text: str) -> tuple[Authenticator, Visit]:
    file = tmp_path / "users"
    file.write_text(text)
    return built_in()[scheme], Visit(uri=f"{scheme}://{file}", realm="realm", key=KEY)


async def known(who: Authenticator, at: Visit, password: str = PASSWORD, user: str = "tim") -> Any:
    return await waited(who.check(Claim(PLAIN, user, "clear", password), at))


async def test_a_file_in_clear_answers_everything(tmp_path: Path) -> None:
    who, at = visit(tmp_path, "file", f"tim:{PASSWORD}\n")
    assert await known(who, at) == "tim"
    assert await known(who, at, "x") is None
    assert await known(who, at, user="tom") is None
    assert who.check(CRAM, at) == "tim"
    assert who.digest(DigestWanted("tim", "r"), at) == digest.stored("tim", "r", PASSWORD)
    assert who.digest(DigestWanted("tom", "r"), at) is None
    secret = await waited(who.scram(ScramWanted("tim"), at))
    assert secret.knows(PASSWORD)
    assert who.scram(ScramWanted("tom"), at) is None


async def test_who_is_there_looks_as_who_is_not(tmp_path: Path) -> None:
    """The salt of a password in clear is the one a user who is not there would have."""
    who, at = visit(tmp_path, "file", f"tim:{PASSWORD}\n")
    secret = await waited(who.scram(ScramWanted("tim"), at))
    shown = pretended("tim", KEY)
    assert (secret.salt, secret.iterations) == (shown.salt, shown.iterations)


async def test_a_file_of_digests_knows_its_realm(tmp_path: Path) -> None:
    who, at = visit(tmp_path, "digest", f"tim:realm:{digest.stored('tim', 'realm', PASSWORD)}\n")
    assert await known(who, at) == "tim"
    assert await known(who, at, "x") is None
    assert who.digest(DigestWanted("tim", "realm"), at) == digest.stored("tim", "realm", PASSWORD)
    assert who.digest(DigestWanted("tim", "other"), at) is None
    assert SCRAM not in who.mechanisms


async def test_a_file_of_hashes_keeps_no_password(tmp_path: Path) -> None:
    text = f"tim:{ScramSecret.of(PASSWORD, b'salt')}\ntom:{{PLAIN}}{PASSWORD}\nbob:*\n"
    who, at = visit(tmp_path, "passwd", text)
    assert await known(who, at) == "tim"
    assert await known(who, at, "x") is None
    assert await known(who, at, user="tom") == "tom"
    assert await known(who, at, "*", user="bob") is None
    assert who.scram(ScramWanted("tim"), at).salt == b"salt"  # type: ignore[union-attr]
    assert who.scram(ScramWanted("tom"), at) is None
    assert who.scram(ScramWanted("eve"), at) is None


def test_cram_needs_the_password_or_its_contexts() -> None:
    assert unscrambled(CRAM, PASSWORD, hashes.CLEAR) == "tim"
    assert unscrambled(CRAM, contexts(PASSWORD), hashes.HMAC_MD5) == "tim"
    assert unscrambled(CRAM, "{CRAM-MD5}" + contexts(PASSWORD), hashes.RFC2307) == "tim"
    assert unscrambled(CRAM, contexts("x"), hashes.HMAC_MD5) is None
    assert unscrambled(CRAM, "{SSHA}xyz", hashes.RFC2307) is None
    assert unscrambled(CRAM, None, hashes.CLEAR) is None


@pytest.mark.parametrize("scheme", ["file", "digest", "passwd"])
def test_a_file_which_cannot_be_read_is_no_no(scheme: str) -> None:
    who, at = built_in()[scheme], Visit(uri=f"{scheme}:///nowhere/users")
    with pytest.raises(TroubleError):
        who.check(Claim(PLAIN, "tim", "clear", "x"), at)


def test_everybody_is_who_he_says_and_nobody_is() -> None:
    claim = Claim(PLAIN, "tim", "clear", "x")
    assert Everybody().check(claim, Visit()) == "tim"
    assert Everybody().check(Claim("OAUTHBEARER", "", "token", "x"), Visit()) == ANONYMOUS
    assert SCRAM not in Everybody().mechanisms
    assert set(Nobody().mechanisms) == set(ALL) - set() | {SCRAM_PLUS}
    assert Nobody().check(claim, Visit()) is None
    assert Nobody().digest(DigestWanted("tim", ""), Visit()) is None
    assert Nobody().scram(ScramWanted("tim"), Visit()) is None


def test_a_visit_shows_no_key() -> None:
    assert "key of" not in repr(Visit(key=KEY))
    assert Visit(uri="auth_ds://users").path == "users"
