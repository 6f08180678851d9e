"""Passwords as others have kept them, and as they are not."""

import base64
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from angarium.data.hashes import KINDS, guessed, is_slow, matches
from angarium.wire.sasl.hmac_md5 import contexts
from angarium.wire.sasl.secrets import ScramSecret

PASSWORD = "Hello world!"
SALT = b"some salt"


def seeded(name: str) -> str:
    found = hashlib.new(name, PASSWORD.encode() + SALT).digest() + SALT
    return base64.b64encode(found).decode()


def plain(name: str) -> str:
    return base64.b64encode(hashlib.new(name, PASSWORD.encode()).digest()).decode()


# Those of crypt(3) are of `openssl passwd -1 -5 -6 -salt saltsalt`.
KEPT = [
    ("clear", PASSWORD),
    ("md5", hashlib.md5(PASSWORD.encode()).hexdigest()),
    ("md5", hashlib.md5(PASSWORD.encode()).hexdigest().upper()),
    ("md5", plain("md5")),
    ("md5_hex", hashlib.md5(PASSWORD.encode()).hexdigest()),
    ("md5_base64", plain("md5")),
    ("sha1_hex", hashlib.sha1(PASSWORD.encode()).hexdigest()),
    ("sha1_base64", plain("sha1")),
    ("smd5", seeded("md5")),
    ("smd5", "{SMD5}" + seeded("md5")),
    ("ssha1", seeded("sha1")),
    ("ssha1", "{SSHA}" + seeded("sha1").rstrip("=")),
    ("hmac_md5", contexts(PASSWORD)),
    ("digest-md5", hashlib.md5(b"tim:realm:" + PASSWORD.encode()).hexdigest()),
    ("ucrypt", "$1$saltsalt$le8lFSqqnPaRFOlmAZpvH1"),
    ("ucrypt", "$5$saltsalt$7nms7uea33j6nUc5B/QNWbGgEhGAZc61YUN0rQzogB0"),
    (
        "ucrypt",
        "$6$saltsalt$pn.eNCAqRIao3pxsOGdjVa9wVR7Rb/3WnbxOluoQKVZPzLuyetx3yF6VIZDfQnn/arrFVfrq3BqRb9gLqhI5z0",
    ),
    (
        "ucrypt",
        "$argon2id$v=19$m=64,t=1,p=1$c2FsdHNhbHQ$UCzdEy9RC3YV83n1GeSnhAQApSfXsSy+OXWGN4Im6Io",
    ),
    ("ucrypt", "$scrypt$ln=4,r=8,p=1$c2FsdHNhbHQ$idLztyCB9ZR7FohDWayJo2SZk/e2OuwX8Zc9tm4JnTI"),
    ("ucrypt", str(ScramSecret.of(PASSWORD, SALT))),
    (
        "rfc2307",
        "$6$saltsalt$pn.eNCAqRIao3pxsOGdjVa9wVR7Rb/3WnbxOluoQKVZPzLuyetx3yF6VIZDfQnn/arrFVfrq3BqRb9gLqhI5z0",
    ),
    (
        "rfc2307",
        "{CRYPT}$6$saltsalt$pn.eNCAqRIao3pxsOGdjVa9wVR7Rb/3WnbxOluoQKVZPzLuyetx3yF6VIZDfQnn/arrFVfrq3BqRb9gLqhI5z0",
    ),
    ("rfc2307", "{crypt}$1$saltsalt$le8lFSqqnPaRFOlmAZpvH1"),
    ("rfc2307", "{MD5}" + plain("md5")),
    ("rfc2307", "{SMD5}" + seeded("md5")),
    ("rfc2307", "{SHA}" + plain("sha1")),
    ("rfc2307", "{SSHA}" + seeded("sha1")),
    ("rfc2307", "{SHA256}" + plain("sha256")),
    ("rfc2307", "{SSHA256}" + seeded("sha256")),
    ("rfc2307", "{SSHA512}" + seeded("sha512")),
    ("rfc2307", "{SHA512}" + plain("sha512")),
    ("rfc2307", "{CRAM-MD5}" + contexts(PASSWORD)),
    ("rfc2307", "{PLAIN}" + PASSWORD),
    ("rfc2307", str(ScramSecret.of(PASSWORD, SALT))),
]


@pytest.mark.parametrize(("kind", "kept"), KEPT)
def test_the_password_is_known_and_another_is_not(kind: str, kept: str) -> None:
    assert matches(kind, kept, PASSWORD, "tim", "realm")
    assert not matches(kind, kept, PASSWORD + "!", "tim", "realm")
    assert not matches(kind, kept, "", "tim", "realm")


@pytest.mark.parametrize("kept", ["", "*", "!", PASSWORD, "{FOO}x", "{SSHA}", "{SSHA}!!", "{MD5"])
def test_what_names_no_scheme_lets_nobody_in(kept: str) -> None:
    """A "*" in a table locks an account: it is no password."""
    assert not matches("rfc2307", kept, kept)
    assert not matches("rfc2307", kept, PASSWORD)


@pytest.mark.parametrize(
    "kept",
    ["", "*0", "*1", "$6$", "$argon2id$v=19$m=9999999,t=1,p=1$YQ$YQ", "$argon2id$nonsense",
     "$scrypt$ln=30,r=8,p=1$YQ$YQ", "$scrypt$ln=1,r=0,p=1$YQ$YQ", "SCRAM-SHA-256$1:x$y:z", "\0"],
)  # fmt: skip
def test_what_crypt_does_not_understand_lets_nobody_in(kept: str) -> None:
    assert not matches("ucrypt", kept, kept)
    assert not matches("ucrypt", kept, "")


def test_a_kind_which_is_not_said_is_seen_by_a_scheme() -> None:
    assert guessed("{SSHA}xyz") == "rfc2307"
    assert guessed("$6$salt$hash") == "rfc2307"
    assert guessed("SCRAM-SHA-256$4096:a$b:c") == "rfc2307"
    assert guessed("secret") == "clear"


def test_what_takes_a_processor_is_known_before() -> None:
    assert is_slow("ucrypt", "ab01FAX.bQRSU")
    assert is_slow("rfc2307", "{CRYPT}$6$")
    assert is_slow("rfc2307", "$2b$")
    assert not is_slow("rfc2307", "{SSHA}xyz")
    assert not is_slow("clear", "$6$")


@given(st.sampled_from(KINDS), st.text(max_size=80), st.text(max_size=20))
def test_whatever_is_kept_is_compared(kind: str, kept: str, password: str) -> None:
    assert matches(kind, kept, password) in (True, False)
