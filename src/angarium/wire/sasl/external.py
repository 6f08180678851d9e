"""EXTERNAL (RFC 4422 appendix A): who it is was proved already, by the certificate of TLS."""

from collections.abc import Sequence

from angarium.wire.sasl import exchange
from angarium.wire.sasl.errors import RefusedError
from angarium.wire.sasl.exchange import Asking, Challenge, Credentials, Identity, Serving


def serve(initial: bytes | None, names: Sequence[str]) -> Serving:
    """The server's side; `names` are those of the certificate, the first one by default."""
    said = initial if initial is not None else (yield Challenge(b""))
    wanted = exchange.name(said) if said else ""
    if not names or wanted not in ("", *names):
        raise RefusedError("the certificate does not say that")
    return Identity(wanted or names[0])


def ask(who: Credentials) -> Asking:
    """The client's side; without a user the certificate says all."""
    challenge = yield who.user.encode()
    if challenge is not None:
        raise RefusedError("the server asks for more")
