"""SCRAM-SHA-256 and SCRAM-SHA-256-PLUS (RFC 5802, 7677, 5929): both sides prove the password.

    C  n,,n=user,r=CNONCE
    S  r=CNONCESNONCE,s=SALT,i=4096
    C  c=biws,r=CNONCESNONCE,p=PROOF
    S  v=SIGNATURE

-PLUS binds it to the TLS it goes through, so that nobody stands between. A client which could do
that and believes the server cannot says so (`y`): a server which can has been talked down then.
"""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from angarium.wire.sasl import exchange
from angarium.wire.sasl.errors import MalformedError, OtherwiseError, RefusedError
from angarium.wire.sasl.exchange import (
    Asking,
    Challenge,
    Credentials,
    Identity,
    ScramWanted,
    Serving,
    itself,
)
from angarium.wire.sasl.prepare import prepared
from angarium.wire.sasl.secrets import (
    HASH,
    MAX_ITERATIONS,
    MIN_ITERATIONS,
    keys,
    pretended,
    salted,
    signed,
)

MAX_MESSAGE: Final = 2048
UNSUPPORTED: Final = b"e=unsupported-channel-binding-type"  # RFC 5802 section 7
# gs2-header client-first-message-bare; an extension which must be understood begins with m=.
_FIRST: Final = re.compile(
    r"(?P<header>(?P<flag>[ny]|p=(?P<binding>[A-Za-z0-9.-]{1,64})),"
    r"(?:a=(?P<wanted>(?:[^,=]|=2C|=3D)+))?,)"
    r"(?P<bare>n=(?P<user>(?:[^,=]|=2C|=3D)+),r=(?P<nonce>[!-+\--~]{1,256})(?:,.*)?)"
)
_FINAL: Final = re.compile(
    r"(?P<without>c=(?P<bound>[A-Za-z0-9+/=]+),r=(?P<nonce>[!-+\--~]+)(?:,.*)?),"
    r"p=(?P<proof>[A-Za-z0-9+/=]{44})"
)
_SERVER_FIRST: Final = re.compile(
    r"r=(?P<nonce>[!-+\--~]+),s=(?P<salt>[A-Za-z0-9+/=]+),i=(?P<times>[1-9][0-9]{0,7})(?:,.*)?"
)
_SERVER_FINAL: Final = re.compile(r"v=(?P<signature>[A-Za-z0-9+/=]{44})(?:,.*)?")


@dataclass(frozen=True, slots=True)
class Channel:
    """The TLS which an exchange goes through, as far as it can be bound to it.

    Attributes:
        bindings: kinds of binding to their octets; empty: -PLUS is not offered.
    """

    bindings: Mapping[str, bytes]


NO_CHANNEL: Final = Channel({})


def serve(
    initial: bytes | None,
    nonce: str,
    key: bytes,
    channel: Channel = NO_CHANNEL,
    *,
    plus: bool = False,
) -> Serving:
    """The server's side.

    Args:
        nonce: printable, without a comma; never used again.
        key: of what users who are not there seem to have.
        plus: the client asked for -PLUS.
    """
    first = _matched(_FIRST, initial if initial is not None else (yield Challenge(b"")))
    user = exchange.name(prepared(_unescaped(first["user"])).encode())
    bound = first["header"].encode() + _binding(first, channel, plus=plus)
    itself(user, prepared(_unescaped(first["wanted"] or "")))
    secret = yield ScramWanted(user)
    there = secret is not None
    if secret is None:
        secret = pretended(user, key)
    both = first["nonce"] + nonce
    asked = f"r={both},s={_base64(secret.salt)},i={secret.iterations}"
    final = _matched(_FINAL, (yield Challenge(asked.encode())))
    if final["nonce"] != both or _octets(final["bound"]) != bound:
        raise RefusedError("said otherwise than before")
    said = f"{first['bare']},{asked},{final['without']}".encode()
    client_key = _xor(_octets(final["proof"]), signed(secret.stored_key, said))
    right = hmac.compare_digest(hashlib.new(HASH, client_key).digest(), secret.stored_key)
    if not (right and there):
        raise RefusedError("wrong user or password")
    ours = f"v={_base64(signed(secret.server_key, said))}"
    if (yield Challenge(ours.encode())):
        raise MalformedError("there is nothing more to say")
    return Identity(user)


def _binding(first: "re.Match[str]", channel: Channel, *, plus: bool) -> bytes:
    """Return the octets of the binding which a client has chosen. Raises SaslError."""
    kind = first["binding"]
    if plus != (kind is not None):
        raise MalformedError("only -PLUS is bound to a channel")
    if kind is None:
        if first["flag"] == "y" and channel.bindings:
            # RFC 5802 section 6: somebody has taken -PLUS out of what we offered.
            raise RefusedError("it could have been bound to the channel")
        return b""
    if kind not in channel.bindings:
        raise RefusedError("this kind of channel binding is not there")
    return channel.bindings[kind]


def ask(who: Credentials, nonce: str, *, plus: bool = False) -> Asking:
    """The client's side; with `plus` the credentials have a binding.

    Without, `y` says that we have one and were not offered -PLUS, `n` that we have none (RFC 5802
    section 6): who calls this has to have chosen -PLUS where it was offered.

    Raises:
        OtherwiseError: the server does not know this kind of binding.
        SaslError: the server asks for too little or too much, or does not know the password.
    """
    header, octets = "n,,", b""
    if plus:
        kind, octets = who.binding[0]
        header = f"p={kind},,"
    elif who.binding:
        header = "y,,"
    user = prepared(who.user).replace("=", "=3D").replace(",", "=2C")
    bare = f"n={user},r={nonce}"
    challenge = yield (header + bare).encode()
    if challenge == UNSUPPORTED:
        raise OtherwiseError("the server does not know this kind of channel binding")
    asked = _matched(_SERVER_FIRST, challenge)
    times = int(asked["times"])
    if not asked["nonce"].startswith(nonce) or asked["nonce"] == nonce:
        raise RefusedError("the server's nonce does not begin with ours")
    if not MIN_ITERATIONS <= times <= MAX_ITERATIONS:
        raise RefusedError("the server wants too few iterations, or too many")
    key = salted(who.password, _octets(asked["salt"]), times)
    without = f"c={_base64(header.encode() + octets)},r={asked['nonce']}"
    said = f"{bare},{(challenge or b'').decode()},{without}".encode()
    stored_key, server_key = keys(key)
    proof = _xor(signed(key, b"Client Key"), signed(stored_key, said))
    challenge = yield f"{without},p={_base64(proof)}".encode()
    final = _matched(_SERVER_FINAL, challenge)
    if not hmac.compare_digest(_octets(final["signature"]), signed(server_key, said)):
        raise RefusedError("the server does not know the password")
    if (yield b"") is not None:
        raise MalformedError("the server asks for more")


def _matched(pattern: "re.Pattern[str]", octets: bytes | None) -> "re.Match[str]":
    if octets is None:
        raise RefusedError("it is over too early")
    found = pattern.fullmatch(exchange.text(octets, MAX_MESSAGE))
    if found is None:
        raise MalformedError("not what SCRAM says")
    return found


def _unescaped(escaped: str) -> str:
    return escaped.replace("=2C", ",").replace("=3D", "=")


def _octets(written: str) -> bytes:
    try:
        return base64.b64decode(written, validate=True)
    except binascii.Error:
        raise MalformedError("no base64") from None


def _base64(octets: bytes) -> str:
    return base64.b64encode(octets).decode()


def _xor(one: bytes, other: bytes) -> bytes:
    if len(one) != len(other):
        raise MalformedError("a proof of another length")
    return bytes(a ^ b for a, b in zip(one, other, strict=True))
