"""Both sides of each mechanism, by name, and which one a client chooses.

The nonces come from outside: nothing here is random.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from angarium.wire.sasl import bearer, cram, digest, external, plain, scram
from angarium.wire.sasl.exchange import Asking, Client, Credentials, Server, Serving
from angarium.wire.sasl.names import (
    ALL,
    CLEAR,
    CRAM_MD5,
    DIGEST_MD5,
    EXTERNAL,
    LOGIN,
    OAUTHBEARER,
    PLAIN,
    SCRAM,
    SCRAM_PLUS,
    TOKENS,
    XOAUTH2,
)
from angarium.wire.sasl.scram import NO_CHANNEL, Channel


@dataclass(frozen=True, slots=True)
class Setting:
    """What a server's side needs beside the responses.

    Attributes:
        nonce: returns one that was never used, in hexadecimal.
        host: our name.
        realm: of DIGEST-MD5.
        key: of what users who are not there seem to have.
        channel: what SCRAM-SHA-256-PLUS is bound to.
        names: those of the client's certificate which was verified.
    """

    nonce: Callable[[], str]
    host: str = "localhost"
    realm: str = ""
    key: bytes = field(default=b"", repr=False)
    channel: Channel = NO_CHANNEL
    names: Sequence[str] = ()


_SERVERS: Final[Mapping[str, Callable[[bytes | None, Setting], Serving]]] = {
    PLAIN: lambda said, _: plain.serve_plain(said),
    LOGIN: lambda said, _: plain.serve_login(said),
    CRAM_MD5: lambda said, at: cram.serve(said, at.nonce(), at.host),
    DIGEST_MD5: lambda said, at: digest.serve(said, at.nonce(), at.realm),
    SCRAM: lambda said, at: scram.serve(said, at.nonce(), at.key, at.channel),
    SCRAM_PLUS: lambda said, at: scram.serve(said, at.nonce(), at.key, at.channel, plus=True),
    XOAUTH2: lambda said, _: bearer.serve(said, XOAUTH2),
    OAUTHBEARER: lambda said, _: bearer.serve(said, OAUTHBEARER),
    EXTERNAL: lambda said, at: external.serve(said, at.names),
}
_CLIENTS: Final[Mapping[str, Callable[[Credentials, str], Asking]]] = {
    PLAIN: lambda who, _: plain.ask_plain(who),
    LOGIN: lambda who, _: plain.ask_login(who),
    CRAM_MD5: lambda who, _: cram.ask(who),
    DIGEST_MD5: digest.ask,
    SCRAM: scram.ask,
    SCRAM_PLUS: lambda who, nonce: scram.ask(who, nonce, plus=True),
    XOAUTH2: lambda who, _: bearer.ask(who, XOAUTH2),
    OAUTHBEARER: lambda who, _: bearer.ask(who, OAUTHBEARER),
    EXTERNAL: lambda who, _: external.ask(who),
}


def server(mechanism: str, initial: bytes | None, setting: Setting) -> Server:
    """Return the server's side of an exchange.

    Args:
        mechanism: one of ALL.
        initial: the response that came with the command; None: none did.
    """
    return Server(mechanism, _SERVERS[mechanism](initial, setting))


def client(mechanism: str, who: Credentials, nonce: str) -> Client:
    """Return the client's side of an exchange; `nonce` is never used again."""
    return Client(mechanism, _CLIENTS[mechanism](who, nonce), clear=mechanism in CLEAR)


def chosen(
    offered: Collection[str],
    wanted: Collection[str] = ALL,
    *,
    secure: bool,
    bound: bool = False,
    token: bool = False,
    certificate: bool = False,
) -> str | None:
    """Return the best mechanism both sides know; None: there is none.

    Args:
        offered: by the server.
        wanted: what may be used at all.
        secure: it goes through TLS: else no password is sent.
        bound: the TLS can be bound to.
        token: what we have is a token, no password.
        certificate: what we have is that alone.
    """
    known = {each.upper() for each in offered}

    def fits(each: str) -> bool:
        if certificate or each == EXTERNAL:
            return certificate and each == EXTERNAL
        if token is not (each in TOKENS) or (each == SCRAM_PLUS and not bound):
            return False
        return secure or each not in CLEAR

    return next((each for each in ALL if each in known and each in wanted and fits(each)), None)
