"""Puts signatures before messages, for all modules which sign.

    desk = Desk(means)
    answer = desk.sign(mail, signer)        None: it is done; else await it

What is alike is done once: the hash of a body for all who sign the message, and the signature for
all its recipients, as long as none of them has a content of its own. RSA takes longer than all the
rest, so it is computed in a thread; so is the hash of a large body.
"""

from collections.abc import Coroutine
from typing import Any, Final, NamedTuple

from angarium.core.body import Body
from angarium.mail.auth.digest import BodyHash, BodyHashes, Want, hashed
from angarium.mail.auth.fields import Fields
from angarium.mail.auth.sign import Signer, Unsigned
from angarium.modules.means import Means
from angarium.modules.sign.found import value_of
from angarium.policy.mail import Mail

LARGE: Final = 1 << 20  # octets of a body which is not hashed on the loop
FIELD: Final = "DKIM-Signature"
_WANTS: Final = 8  # hashes of one body which are kept
_MADE: Final = 8  # signatures over one body which are kept beside the last


class _Signed(NamedTuple):
    """The signature which was made last."""

    signer: Signer
    body: Body
    header: bytes
    field: bytes


class Desk:
    """One for all modules of a generation which sign."""

    __slots__ = ("_clock", "_hashed", "_hashes", "_loop", "_signed")

    def __init__(self, means: Means) -> None:
        self._clock = means.clock
        self._loop = means.loop
        self._hashed: Body | None = None  # the body of which there are hashes
        self._hashes: dict[Want, BodyHash] = {}
        self._signed: list[_Signed] = []

    def sign(self, mail: Mail, signer: Signer) -> Coroutine[Any, Any, None] | None:
        """Sign a message. None: it is done; else it goes on in what is returned."""
        header, body = mail.draft.header_octets, mail.draft.body
        same = _same(mail)
        if same is not None:
            for made in self._signed:
                if made.signer is signer and made.body is same and made.header == header:
                    put(mail, made.field)
                    return None
        hashes = self._known(same, signer.want)
        if hashes is None and body.size <= LARGE:
            hashes = self._keep(same, signer.want, hashed({signer.want}, body.pieces()))
        if hashes is None or signer.key.kind == "rsa":
            return self._later(mail, signer, header, hashes)
        work = signer.prepare(Fields(header), hashes, self._clock.time())
        self._done(mail, signer, header, work.sign())
        return None

    async def _later(
        self, mail: Mail, signer: Signer, header: bytes, hashes: BodyHashes | None
    ) -> None:
        if hashes is None:
            pieces = mail.draft.body.pieces()
            made = await self._loop.run_in_executor(None, hashed, {signer.want}, pieces)
            hashes = self._keep(_same(mail), signer.want, made)
        work: Unsigned = signer.prepare(Fields(header), hashes, self._clock.time())
        self._done(mail, signer, header, await self._loop.run_in_executor(None, work.sign))

    def _done(self, mail: Mail, signer: Signer, header: bytes, field: bytes) -> None:
        same = _same(mail)
        put(mail, field)
        if same is not None:
            kept = [each for each in self._signed if each.body is same]
            self._signed = [*kept[-_MADE:], _Signed(signer, same, header, field)]

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


def _same(mail: Mail) -> Body | None:
    """Return what is the same object for all messages which have the same body; None: nobody is.

    What stands before the content does not count, nor what was changed in it: the header is
    compared by its octets.
    """
    draft = mail.draft
    return None if draft.body_changed or draft.header_changed else mail.message.body


def put(mail: Mail, field: bytes) -> None:
    """Put a whole field before the message."""
    name, _, _ = field.partition(b":")
    mail.edited.prepend(name.decode(), value_of(field))


def desk_of(means: Means) -> Desk:
    """Return the desk of this generation, made for the first module which asks."""
    for modules in means.modules.values():
        for module in modules:
            desk = getattr(module, "desk", None)
            if isinstance(desk, Desk):
                return desk
    return Desk(means)
