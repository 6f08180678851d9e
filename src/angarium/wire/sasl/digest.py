"""DIGEST-MD5 (RFC 2831), both sides: who knows a password proves it, and does not send it.

    stored   MD5 of user:realm:password, in hexadecimal, as htdigest writes it
    response what the client computes of that, of the server's nonce and of its own
    proof    what the server computes in turn, so that the client knows whom it speaks to

MD5 keeps nobody from trying passwords at leisure who has heard one exchange: over a network use
TLS. RFC 6331 has given it up, so nobody is offered it who has not asked for it.
"""

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from angarium.wire.sasl import exchange
from angarium.wire.sasl.errors import MalformedError, RefusedError
from angarium.wire.sasl.exchange import (
    Asking,
    Challenge,
    Credentials,
    DigestWanted,
    Identity,
    Serving,
    itself,
)

QOP: Final = "auth"
COUNT: Final = "00000001"  # each nonce is used once
MAX_RESPONSE: Final = 4096  # RFC 2831 section 2.1.2
NOBODY: Final = "0" * 32  # what is compared with where there is no such user
_CLIENT: Final = "AUTHENTICATE"
_SERVER: Final = ""
# directive = name "=" ( token / quoted-string ); RFC 2831 section 7.1 lets commas repeat
_DIRECTIVE: Final = re.compile(
    r"[\s,]*(?P<name>[A-Za-z-]+)[ \t]*=[ \t]*"
    r'(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<token>[!#-\'*+.0-9A-Z^-z|~-]+))[\s]*(?=,|\Z)',
    re.DOTALL,
)
_ESCAPED: Final = re.compile(r"\\(.)", re.DOTALL)
_HEX: Final = re.compile(r"[0-9a-f]{32}")


def _hex(text: bytes) -> str:
    return hashlib.md5(text, usedforsecurity=False).hexdigest()


def stored(user: str, realm: str, password: str) -> str:
    """Return what a password file has instead of the password."""
    return _hex(f"{user}:{realm}:{password}".encode())


@dataclass(frozen=True, slots=True)
class Exchange:
    """What both sides have said. `uri`: the service, such as console/127.0.0.1:2025."""

    nonce: str
    cnonce: str
    uri: str
    wanted: str = ""  # authzid

    def response(self, secret: str) -> str:
        """Return the client's answer for a stored secret."""
        return self._computed(secret, _CLIENT)

    def proof(self, secret: str) -> str:
        """Return the server's answer for a stored secret."""
        return self._computed(secret, _SERVER)

    def _computed(self, secret: str, who: str) -> str:
        said = f":{self.nonce}:{self.cnonce}" + (f":{self.wanted}" if self.wanted else "")
        session = _hex(bytes.fromhex(secret) + said.encode())
        what = _hex(f"{who}:{self.uri}".encode())
        words = (session, self.nonce, COUNT, self.cnonce, QOP, what)
        return _hex(":".join(words).encode())


def serve(initial: bytes | None, nonce: str, realm: str, service: str = "smtp") -> Serving:
    """The server's side; `nonce` is never used again."""
    if initial is not None:
        raise MalformedError("there is no initial response")
    asked = f'realm={_quoted(realm)},nonce="{nonce}",qop="auth",charset=utf-8,algorithm=md5-sess'
    said = directives((yield Challenge(asked.encode())))
    user = exchange.name(said.get("username", "").encode())
    uri, response = said.get("digest-uri", ""), said.get("response", "")
    if (
        said.get("nonce") != nonce
        or said.get("realm", "") != realm
        or said.get("nc") != COUNT
        or said.get("qop", QOP) != QOP
        or not uri.lower().startswith(f"{service}/")
        or not said.get("cnonce")
        or _HEX.fullmatch(response) is None
    ):
        raise MalformedError("not the answer to what was asked")
    secret = yield DigestWanted(user, realm, uri, nonce)
    both = Exchange(nonce, said["cnonce"], uri, said.get("authzid", ""))
    right = hmac.compare_digest(both.response(secret or NOBODY), response)
    if not right or secret is None:
        raise RefusedError("wrong user or password")
    itself(user, both.wanted)
    if (yield Challenge(f"rspauth={both.proof(secret)}".encode())):
        raise MalformedError("there is nothing more to say")
    return Identity(user)


def ask(who: Credentials, cnonce: str) -> Asking:
    """The client's side."""
    challenge = yield None
    asked = directives(challenge or b"")
    nonce, realm = asked.get("nonce", ""), asked.get("realm", "")
    if not nonce or QOP not in asked.get("qop", QOP).split(","):
        raise MalformedError("not what DIGEST-MD5 asks")
    both = Exchange(nonce, cnonce, f"{who.service}/{who.host}")
    secret = stored(who.user, realm, who.password)
    challenge = yield (
        f"charset=utf-8,username={_quoted(who.user)},realm={_quoted(realm)},"
        f'nonce={_quoted(nonce)},nc={COUNT},cnonce="{cnonce}",digest-uri={_quoted(both.uri)},'
        f"response={both.response(secret)},qop={QOP}"
    ).encode()
    if challenge is None:
        raise RefusedError("the server has not proved that it knows the password")
    if not hmac.compare_digest(directives(challenge).get("rspauth", ""), both.proof(secret)):
        raise RefusedError("the server does not know the password")
    if (yield b"") is not None:
        raise MalformedError("the server asks for more")


def directives(octets: bytes) -> Mapping[str, str]:
    """Return names in lower case, and values. Raises MalformedError."""
    left = exchange.text(octets, MAX_RESPONSE)
    found: dict[str, str] = {}
    at = 0
    while at < len(left):
        match = _DIRECTIVE.match(left, at)
        if match is None:
            if left[at:].strip(" \t\r\n,"):
                raise MalformedError("not a list of directives")
            break
        key = match["name"].lower()
        if key in found and key != "realm":
            raise MalformedError("a directive comes twice")
        quoted = match["quoted"]
        value = match["token"] if quoted is None else _ESCAPED.sub(r"\1", quoted)
        found.setdefault(key, value)  # of several realms the first one is chosen
        at = match.end()
    return found


def _quoted(plain: str) -> str:
    escaped = plain.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
