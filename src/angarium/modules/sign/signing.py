"""Puts signatures before messages, for all modules which sign.

    desk = Desk(means)
    answer = desk.sign(mail, signer)        whether it is signed; or to be awaited for that

What is alike is done once: the hash of a body for all who sign the message, and the signature for
all its recipients, as long as none of them has a content of its own. RSA takes longer than all the
rest, so it is computed in a thread; so is the hash of a large body.
"""

from collections.abc import Coroutine
from typing import Any, Final, NamedTuple, Protocol

from angarium.core.body import Body
from angarium.core.message import DEFAULT_BINDING
from angarium.events.signing import Kind, Signatures
from angarium.mail.auth.digest import BodyHash, BodyHashes, Want, hashed
from angarium.mail.auth.fields import Fields
from angarium.mail.auth.keys import PrivateKey
from angarium.modules.means import Means
from angarium.modules.sign.found import value_of
from angarium.policy.mail import Mail

LARGE: Final = 1 << 20  # octets of a body which is not hashed on the loop
_WANTS: Final = 8  # hashes of one body which are kept
_MADE: Final = 8  # signatures over one body which are kept beside the last


class Work(Protocol):
    """What lacks only its arithmetic."""

    def sign(self) -> bytes:
        """Return whole fields, in any thread."""
        ...


class Maker(Protocol):
    """Who makes signatures; of equal messages it makes equal ones."""

    @property
    def want(self) -> Want: ...

    @property
    def key(self) -> PrivateKey: ...

    def prepare(self, fields: Fields, hashes: BodyHashes, now: float, /) -> Work | None:
        """Return what is left to be done; None where nothing is to be put before the message."""
        ...


class _Signed(NamedTuple):
    """The signature which was made last."""

    signer: Maker
    body: Body
    header: bytes
    fields: bytes


class Desk:
    """One for all modules of a generation which sign."""

    __slots__ = ("_clock", "_hashed", "_hashes", "_loop", "_signed")

    def __init__(self, means: Means) -> None:
        self._clock = means.clock
        self._loop = means.loop
        self._hashed: Body | None = None  # the body of which there are hashes
        self._hashes: dict[Want, BodyHash] = {}
        self._signed: list[_Signed] = []

    def sign(self, mail: Mail, signer: Maker) -> bool | Coroutine[Any, Any, bool]:
        """Sign a message; return whether it is signed, or what goes on until that is known."""
        header, body = mail.draft.header_octets, mail.draft.body
        same = same_body(mail)
        if same is not None:
            for made in self._signed:
                if made.signer is signer and made.body is same and made.header == header:
                    put(mail, made.fields)
                    return True
        hashes = self._known(same, signer.want)
        if hashes is None and body.size <= LARGE:
            hashes = self._keep(same, signer.want, hashed({signer.want}, body.pieces()))
        if hashes is None or signer.key.kind == "rsa":
            return self._later(mail, signer, header, hashes)
        work = signer.prepare(Fields(header), hashes, self._clock.time())
        if work is not None:
            self._done(mail, signer, header, work.sign())
        return work is not None

    async def _later(
        self, mail: Mail, signer: Maker, header: bytes, hashes: BodyHashes | None
    ) -> bool:
        if hashes is None:
            pieces = mail.draft.body.pieces()
            made = await self._loop.run_in_executor(None, hashed, {signer.want}, pieces)
            hashes = self._keep(same_body(mail), signer.want, made)
        work = signer.prepare(Fields(header), hashes, self._clock.time())
        if work is not None:
            fields = await self._loop.run_in_executor(None, work.sign)
            self._done(mail, signer, header, fields)
        return work is not None

    def _done(self, mail: Mail, signer: Maker, header: bytes, fields: bytes) -> None:
        same = same_body(mail)
        put(mail, fields)
        if same is not None:
            kept = [each for each in self._signed if each.body is same]
            self._signed = [*kept[-_MADE:], _Signed(signer, same, header, fields)]

    def _known(self, body: Body | None, want: Want) -> BodyHashes | None:
        if body is not None and body is self._hashed and want in self._hashes:
            return self._hashes
        return None

    def _keep(self, body: Body | None, want: Want, made: dict[Want, BodyHash]) -> BodyHashes:
        if body is None:
            return made
        if body is not self._hashed or len(self._hashes) >= _WANTS:
            self._hashed, self._hashes = body, {}
        self._hashes[want] = made[want]
        return self._hashes


def same_body(mail: Mail) -> Body | None:
    """Return what is the same object for all messages which have the same body; None: nobody is.

    What stands before the content does not count, nor what was changed in it: the header is
    compared by its octets.
    """
    draft = mail.draft
    return None if draft.body_changed or draft.header_changed else mail.message.body


def put(mail: Mail, octets: bytes) -> None:
    """Put whole fields before the message, in their order."""
    fields = Fields(octets)
    for row in reversed(range(len(fields.names))):
        name, _, _ = fields.octets(row).partition(b":")
        mail.edited.prepend(name.decode(), value_of(fields.octets(row)))


def note(
    signatures: Signatures,
    kind: Kind,
    mail: Mail,
    began: float,
    *,
    signed: bool = False,
    failed: bool = False,
) -> None:
    """Count what became of a message, for where it goes; `began` is by `perf_counter`."""
    to = mail.recipient
    binding, domain = (to.binding or DEFAULT_BINDING, to.domain) if to is not None else ("", "")
    signatures.note(kind, binding, domain, began, signed=signed, failed=failed)


def desk_of(means: Means) -> Desk:
    """Return the desk of this generation, made for the first module which asks."""
    for modules in means.modules.values():
        for module in modules:
            desk = getattr(module, "desk", None)
            if isinstance(desk, Desk):
                return desk
    return Desk(means)
