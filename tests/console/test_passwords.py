"""Users of the console are in files, which are read at each login."""

from pathlib import Path

import pytest

from angarium.console.passwords import MAX_FILE, PasswordError, Passwords
from angarium.wire.sasl.digest import Exchange, stored

REALM = "Momentum Console"
SAID = Exchange("nonce", "cnonce", "console/here")


@pytest.fixture
def digests(tmp_path: Path) -> Passwords:
    lines = ["# users", f"john:{REALM}:{stored('john', REALM, 'secret')}", "", "broken"]
    lines += [f"jane:other:{stored('jane', 'other', 'x')}", f"jim:{REALM}:nodigest"]
    (tmp_path / "users").write_text("\n".join(lines))
    return Passwords.of({"uri": f"digest://{tmp_path}/users"})


@pytest.fixture
def clear(tmp_path: Path) -> Passwords:
    (tmp_path / "clear").write_text("# unsafe\njohn:se:cret\nempty:\n")
    return Passwords.of({"uri": f"file://{tmp_path}/clear", "log_authentication": True})


def test_a_digest_proves_itself_both_ways(digests: Passwords) -> None:
    secret = stored("john", REALM, "secret")
    assert digests.proof("john", SAID, SAID.response(secret)) == SAID.proof(secret)
    assert digests.proof("john", SAID, SAID.response(stored("john", REALM, "guess"))) is None
    assert digests.proof("john", SAID, "\u00e4") is None
    assert digests.knows("john", "secret")
    assert not digests.knows("john", "guess")


@pytest.mark.parametrize("user", ["jane", "jim", "nobody", "broken", "# users", ""])
def test_who_is_not_in_the_realm_is_unknown(digests: Passwords, user: str) -> None:
    assert digests.secret(user) is None
    assert not digests.knows(user, "x")
    # ... also for one who has computed what an unknown user is compared with.
    assert digests.proof(user, SAID, SAID.response("0" * 32)) is None


def test_passwords_in_clear_may_have_colons(clear: Passwords) -> None:
    assert clear.knows("john", "se:cret")
    assert not clear.knows("john", "se")
    assert clear.log


def test_a_realm_can_be_named(tmp_path: Path) -> None:
    (tmp_path / "users").write_text(f"jane:other:{stored('jane', 'other', 'x').upper()}")
    named = Passwords.of({"uri": f"digest://{tmp_path}/users", "realm": "other"})
    assert named.knows("jane", "x")


def test_a_file_which_cannot_be_read_lets_nobody_in(tmp_path: Path) -> None:
    for name in ("none", "long"):
        with pytest.raises(PasswordError):
            Passwords(f"digest://{tmp_path}/{name}").secret("john")
        (tmp_path / "long").write_bytes(b"x" * (MAX_FILE + 1))
    with pytest.raises(PasswordError):
        Passwords("ecauth://").secret("john")
