"""Who may log in to the console: files of users, as authdigestmd5parameters and others name them.

    digest:///path    user:realm:digest, a line each, as htdigest and ec_md5passwd write them: the
                      digest is the MD5 of user:realm:password
    file:///path      user:password, a line each, in clear

Lines with # are comments. A file is read at each login, so that a change counts at once.
"""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from angarium.core.errors import Error
from angarium.wire.sasl.digest import Exchange, stored

REALM: Final = "Momentum Console"
DIGEST: Final = "DIGEST-MD5"
LOGIN: Final = "LOGIN"
ALLOW: Final = "ALWAYS-ALLOW"  # whoever says who he is is taken for him
DIGEST_FILE: Final = "digest://"
CLEAR_FILE: Final = "file://"
MAX_FILE: Final = 4 << 20  # octets: some tens of thousands of users
_NOBODY: Final = "0" * 32


class PasswordError(Error):
    """A file of users cannot be read; the one who logs in is not told."""


@dataclass(frozen=True, slots=True)
class Passwords:
    """The users of one file, for one mechanism."""

    uri: str
    realm: str = REALM
    log: bool = False

    @classmethod
    def of(cls, parameters: Mapping[str, object]) -> "Passwords":
        """Return what an option says."""
        realm = str(parameters.get("realm") or REALM)
        return cls(str(parameters["uri"]), realm, bool(parameters.get("log_authentication")))

    def secret(self, user: str) -> str | None:
        """Return what is stored of a user, as a digest of this realm; None if he is unknown.

        Raises:
            PasswordError: the file cannot be read.
        """
        if self.uri.startswith(CLEAR_FILE):
            for line in _lines(self.uri.removeprefix(CLEAR_FILE)):
                name, colon, password = line.partition(":")
                if colon and name == user:
                    return stored(user, self.realm, password)
            return None
        for line in _lines(self.uri.removeprefix(DIGEST_FILE)):
            name, realm, digest = (line.split(":", 2) + ["", ""])[:3]
            if name == user and realm == self.realm and _is_digest(digest.strip()):
                return digest.strip().lower()
        return None

    def knows(self, user: str, password: str) -> bool:
        """Say whether this is the password. Raises PasswordError."""
        secret = self.secret(user)
        known = hmac.compare_digest(secret or _NOBODY, stored(user, self.realm, password))
        return known and secret is not None

    def proof(self, user: str, said: Exchange, response: str) -> str | None:
        """Return the answer to a client who has proved that he knows the password, else None.

        Raises:
            PasswordError: the file cannot be read.
        """
        secret = self.secret(user)
        wanted = said.response(secret or _NOBODY)
        if not hmac.compare_digest(wanted.encode(), response.encode()) or secret is None:
            return None
        return said.proof(secret)


def _lines(path: str) -> list[str]:
    try:
        if Path(path).stat().st_size > MAX_FILE:
            raise PasswordError("the file is too long", path=path, limit=MAX_FILE)
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise PasswordError(
            "a file of users cannot be read", path=path, reason=str(error)
        ) from None
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def _is_digest(text: str) -> bool:
    return len(text) == len(_NOBODY) and all(each in "0123456789abcdefABCDEF" for each in text)
