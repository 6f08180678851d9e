"""Passwords as they are kept: is what somebody says the one that is?

    matches("ssha1", kept, password)       says yes or no, whatever `kept` looks like

The kinds are those of Momentum's auth_ds; crypt(3) and RFC 2307 know more than it had, so bcrypt,
yescrypt, argon2 and scrypt are among them. Each comparison takes as long whatever is wrong.
"""

import base64
import ctypes
import ctypes.util
import functools
import hashlib
import hmac
import re
from collections.abc import Callable, Mapping
from typing import Final

from cryptography.exceptions import InvalidKey, UnsupportedAlgorithm
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from angarium.wire.sasl import hmac_md5
from angarium.wire.sasl.digest import stored
from angarium.wire.sasl.errors import SaslError
from angarium.wire.sasl.secrets import PREFIX, ScramSecret

CLEAR: Final = "clear"
RFC2307: Final = "rfc2307"
UCRYPT: Final = "ucrypt"
DIGEST: Final = "digest-md5"
HMAC_MD5: Final = "hmac_md5"
# Of crypt(3), and what is written like it: these take a processor for a while.
_SLOW: Final = re.compile(r"\$|SCRAM-SHA-256\$|\{(CRYPT|ARGON2|SCRYPT|SCRAM)", re.IGNORECASE)
_SCHEME: Final = re.compile(r"\{([A-Za-z0-9_.-]{1,32})\}(.*)", re.DOTALL)
_ARGON2: Final = re.compile(r"\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,3}),p=(\d{1,2})\$\S+")
_SCRYPT: Final = re.compile(
    r"\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)"
)
_MOST_MEMORY: Final = 256 << 20  # octets which one password may take to look at


def matches(kind: str, kept: str, password: str, user: str = "", realm: str = "") -> bool:
    """Say whether a password is the one that is kept.

    Args:
        kind: one of KINDS.
        user, realm: of digest-md5, which is made of them too.
    """
    if kind == DIGEST:
        return same(kept.strip().lower(), stored(user, realm, password))
    return _KINDS[kind](kept, password)


def guessed(kept: str) -> str:
    """Return the kind of what does not say it: a scheme of RFC 2307, of crypt(3), or clear."""
    return RFC2307 if _SCHEME.fullmatch(kept) or kept.startswith(("$", PREFIX)) else CLEAR


def is_slow(kind: str, kept: str) -> bool:
    """Say whether looking at it belongs into a thread."""
    return kind == UCRYPT or (kind == RFC2307 and _SLOW.match(kept) is not None)


def same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode("utf-8", "replace"), other.encode("utf-8", "replace"))


def _hex(name: str) -> Callable[[str, str], bool]:
    return lambda kept, password: same(kept.strip().lower(), _digest(name, password).hex())


def _base64(name: str) -> Callable[[str, str], bool]:
    def check(kept: str, password: str) -> bool:
        return same(kept.strip(), base64.b64encode(_digest(name, password)).decode())

    return check


def _seeded(name: str) -> Callable[[str, str], bool]:
    """A hash and then its salt, in base64; a scheme before it may be there."""

    def check(kept: str, password: str) -> bool:
        octets = _decoded(kept.strip().partition("}")[2] if kept.startswith("{") else kept.strip())
        size = hashlib.new(name, usedforsecurity=False).digest_size
        found = _digest(name, password, octets[size:])
        return hmac.compare_digest(found, octets[:size])

    return check


def _md5(kept: str, password: str) -> bool:
    """MD5 in hexadecimal or in base64, as it looks."""
    return (_hex if len(kept.strip()) == 32 else _base64)("md5")(kept, password)


def _digest(name: str, password: str, salt: bytes = b"") -> bytes:
    return hashlib.new(name, password.encode() + salt, usedforsecurity=False).digest()


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except ValueError:
        return b""


def _rfc2307(kept: str, password: str) -> bool:
    found = _SCHEME.fullmatch(kept.strip())
    if found is None:
        # No scheme is no password in clear: a "*" locks an account.
        return kept.startswith(("$", PREFIX)) and _crypt(kept, password)
    scheme, rest = found[1].upper(), found[2]
    check = _SCHEMES.get(scheme)
    return check is not None and check(rest, password)


def _crypt(kept: str, password: str) -> bool:
    """What crypt(3) knows, and what is written like it."""
    kept = kept.strip()
    if kept.startswith(PREFIX):
        return _scram(kept, password)
    if kept.startswith("$argon2id$"):
        return _argon2(kept, password)
    if kept.startswith("$scrypt$"):
        return _scrypt(kept, password)
    if "\0" in password or "\0" in kept:
        return False
    wanted = kept.encode("utf-8", "replace")
    found = _library()(password.encode(), wanted)
    # A setting that is not understood gives "*0" or "*1", or nothing.
    return bool(found) and not found.startswith(b"*") and hmac.compare_digest(found, wanted)


@functools.cache
def _library() -> Callable[[bytes, bytes], bytes]:
    """Return crypt(3) of this system: Python's own is given up, and knows no more."""
    name = ctypes.util.find_library("crypt")
    if name is None:
        return lambda _password, _setting: b""
    library = ctypes.CDLL(name)
    library.crypt_r.restype = ctypes.c_char_p
    library.crypt_r.argtypes = (ctypes.c_char_p, ctypes.c_char_p, ctypes.c_void_p)

    def crypt(password: bytes, setting: bytes) -> bytes:
        # struct crypt_data: 32 KiB with libxcrypt, some 128 KiB with what was before it.
        room = ctypes.create_string_buffer(1 << 18)
        return library.crypt_r(password, setting, room) or b""

    return crypt


def _scram(kept: str, password: str) -> bool:
    secret = ScramSecret.read(kept.strip())
    try:
        return secret is not None and secret.knows(password)
    except SaslError:
        return False


def _argon2(kept: str, password: str) -> bool:
    found = _ARGON2.fullmatch(kept)
    if found is None or int(found[1]) << 10 > _MOST_MEMORY:
        return False
    try:
        Argon2id.verify_phc_encoded(password.encode(), kept)
    except (InvalidKey, ValueError, UnsupportedAlgorithm):
        return False
    return True


def _scrypt(kept: str, password: str) -> bool:
    found = _SCRYPT.fullmatch(kept)
    if found is None:
        return False
    times, block, lanes = int(found[1]), int(found[2]), int(found[3])
    wanted = _decoded(found[5])
    memory = 128 * block << times
    if not (wanted and block and lanes) or times > 24 or memory * 2 > _MOST_MEMORY:
        return False
    made = hashlib.scrypt(
        password.encode(), salt=_decoded(found[4]), n=1 << times, r=block, p=lanes,
        dklen=len(wanted), maxmem=_MOST_MEMORY,
    )  # fmt: skip
    return hmac.compare_digest(made, wanted)


_KINDS: Final[Mapping[str, Callable[[str, str], bool]]] = {
    CLEAR: same,
    HMAC_MD5: lambda kept, password: same(kept.strip().lower(), hmac_md5.contexts(password)),
    "md5": _md5,
    "md5_hex": _hex("md5"),
    "md5_base64": _base64("md5"),
    "sha1_hex": _hex("sha1"),
    "sha1_base64": _base64("sha1"),
    "smd5": _seeded("md5"),
    "ssha1": _seeded("sha1"),
    RFC2307: _rfc2307,
    UCRYPT: _crypt,
}
KINDS: Final = (*_KINDS, DIGEST)
_SCHEMES: Final[Mapping[str, Callable[[str, str], bool]]] = {
    "CLEAR": same,
    "CLEARTEXT": same,
    "PLAIN": same,
    "CRYPT": _crypt,
    "BLF-CRYPT": _crypt,
    "MD5-CRYPT": _crypt,
    "SHA256-CRYPT": _crypt,
    "SHA512-CRYPT": _crypt,
    "ARGON2": _crypt,
    "ARGON2ID": _crypt,
    "SCRYPT": _crypt,
    "SCRAM-SHA-256": _crypt,
    "CRAM-MD5": _KINDS[HMAC_MD5],
    "MD5": _base64("md5"),
    "SMD5": _seeded("md5"),
    "SHA": _base64("sha1"),
    "SSHA": _seeded("sha1"),
    "SHA256": _base64("sha256"),
    "SSHA256": _seeded("sha256"),
    "SHA512": _base64("sha512"),
    "SSHA512": _seeded("sha512"),
}
