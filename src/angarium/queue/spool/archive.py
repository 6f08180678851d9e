"""Letters in a tar file: for each content its octets as a message, and before them what is known.

    00000001-6553f10000000001.json      sender, recipients and how far they are, ids, variables
    00000001-6553f10000000001.eml       header and content, octet for octet

Any program reads such a file. It is written and read from front to back, so it may be a pipe, and
it names each field, so that a later version adds some without a new form.
"""

import io
import json
import tarfile
from collections.abc import Callable, Iterator
from functools import partial
from itertools import groupby
from typing import IO, Any, Final

import msgspec

from angarium.core.body import Body
from angarium.core.ident import parse, printed
from angarium.core.message import Message, Recipient
from angarium.journal.errors import DamageError
from angarium.queue.spool.body import LargeBody, SpooledBody
from angarium.queue.spool.envelope import Envelope, Target
from angarium.queue.spool.letter import Letter, Receiver, described, digest_of
from angarium.queue.spool.offline import Opened

VERSION: Final = 1
MAX_ABOUT: Final = 1 << 26  # octets of what is said about a letter; a recipient takes some hundred

Wanted = Callable[[int, Message, Recipient], bool]
Skipped = Callable[[int, str], None]


class ArchiveError(DamageError):
    """A file is no archive of letters, or not whole."""


def letters(
    shard: Opened, wanted: Wanted, skipped: Skipped, *, damaged: bool = False
) -> Iterator[Letter]:
    """Yield what is in a shard, a letter for each content.

    Args:
        skipped: told of each entry that cannot be read: id and reason.
        damaged: yield what there is of contents which are not what was written.
    """
    entries = groupby(shard.entries(), key=lambda each: (each[1].segment, each[1].offset))
    for _, group in entries:
        letter: Letter | None = None
        for ident, slot, aside in group:
            try:
                message, recipient = shard.load(ident)
            except (DamageError, OSError) as error:
                skipped(ident, str(error))
                continue
            # Where it goes may have changed since it was written.
            route = shard.spool.routes.key(slot.route)
            recipient.binding_group, recipient.binding, recipient.domain = route
            if not wanted(ident, message, recipient):
                continue
            known, [target] = described(message, [recipient])
            if letter is None:
                letter = _letter(message, known)
                if letter.damaged and not damaged:
                    skipped(ident, letter.damaged)
                    letter = None
                    continue
            letter.receivers.append(Receiver(target, ident, slot.attempts, slot.due, aside))
        if letter is not None:
            yield letter


def _letter(message: Message, known: Envelope) -> Letter:
    octets = partial(_octets, message.header, message.body)
    size, batch = message.size, message.batch
    try:
        return Letter(known, [], octets, size, batch, digest=digest_of(octets()))
    except (DamageError, OSError) as error:
        octets = partial(_octets, message.header, message.body, unchecked=True)
        size = sum(map(len, octets()))
        return Letter(known, [], octets, size, batch, str(error), digest_of(octets()))


def _octets(header: bytes, body: Body, *, unchecked: bool = False) -> Iterator[bytes]:
    yield header
    if unchecked and isinstance(body, SpooledBody | LargeBody):
        yield from body.unchecked()
    else:
        yield from body.pieces()


class Writer:
    """Writes an archive.

    Args:
        compress: by gzip.
    """

    def __init__(self, file: IO[bytes], *, compress: bool = False) -> None:
        self._tar = tarfile.open(  # noqa: SIM115 - closed by `close`
            fileobj=file, mode="w|gz" if compress else "w|", format=tarfile.PAX_FORMAT
        )
        self.letters = 0
        self.receivers = 0

    def add(self, letter: Letter) -> None:
        """Write one letter. Raises OSError, and DamageError if it has changed since it was read."""
        self.letters += 1
        self.receivers += len(letter.receivers)
        name = f"{self.letters:08d}-{letter.batch:016x}"
        about = json.dumps(_about(letter), indent=1).encode() + b"\n"
        self._add(f"{name}.json", letter, len(about), io.BytesIO(about))
        self._add(f"{name}.eml", letter, letter.size, _Reading(letter.octets()))

    def _add(self, name: str, letter: Letter, size: int, content: Any) -> None:
        member = tarfile.TarInfo(name)
        member.size, member.mode = size, 0o600
        member.mtime = int(letter.envelope.received_at)
        self._tar.addfile(member, content)

    def close(self) -> None:
        """Write the end: a file without it is not whole."""
        self._tar.close()


class _Reading:
    """Pieces as a file to read from."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._left = b""

    def read(self, size: int) -> bytes:
        parts, got = [self._left], len(self._left)
        while got < size:
            piece = next(self._pieces, b"")
            if not piece and (piece := next(self._pieces, b"")) == b"":
                break
            parts.append(piece)
            got += len(piece)
        whole = b"".join(parts)
        self._left = whole[size:]
        return whole[:size]


def _about(letter: Letter) -> dict[str, Any]:
    """Return what is known of a letter, as JSON has it."""
    known = letter.envelope
    return {
        "angarium": VERSION,
        "batch": printed(letter.batch),
        "size": letter.size,
        "sha256": letter.digest,
        **({"damaged": letter.damaged} if letter.damaged else {}),
        "envelope": {name: getattr(known, name) for name in known.__struct_fields__},
        "recipients": [
            {
                "id": printed(each.ident),
                "state": "quarantined" if each.aside else "queued",
                "attempts": each.attempts,
                "due": each.due,
                **{name: getattr(each.target, name) for name in each.target.__struct_fields__},
            }
            for each in letter.receivers
        ],
    }


def read(file: IO[bytes]) -> Iterator[Letter]:
    """Yield the letters of an archive. Each must be dealt with before the next one is asked for.

    Raises:
        ArchiveError: it is none, of a newer version, or not whole.
    """
    about: tarfile.TarInfo | None = None
    try:
        with tarfile.open(fileobj=file, mode="r|*") as tar:
            known: dict[str, Any] = {}
            for member in tar:
                if member.name.endswith(".json") and member.size <= MAX_ABOUT:
                    about, known = member, json.loads(_content(tar, member).read())
                elif member.name.endswith(".eml") and about is not None:
                    if about.name[:-5] != member.name[:-4]:
                        raise ArchiveError("a letter without what is known of it", name=member.name)
                    yield _read(known, _content(tar, member).read())
                    about = None
                else:
                    raise ArchiveError("this is no archive of letters", name=member.name)
    except (tarfile.TarError, EOFError, json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ArchiveError("an archive cannot be read", reason=str(error)) from error
    if about is not None:
        raise ArchiveError("an archive is cut off", after=about.name)


def _content(tar: tarfile.TarFile, member: tarfile.TarInfo) -> IO[bytes]:
    content = tar.extractfile(member)
    if content is None:
        raise ArchiveError("this is no archive of letters", name=member.name)
    return content


def _read(known: dict[str, Any], octets: bytes) -> Letter:
    if known.get("angarium", 0) > VERSION:
        raise ArchiveError("an archive of a newer version", version=known["angarium"])
    try:
        said = msgspec.convert(_listed(Envelope, known["envelope"]), Envelope)
        receivers = [_receiver(each) for each in known["recipients"]]
        letter = Letter(said, receivers, lambda: iter((octets,)), len(octets))
        letter.batch = parse(known["batch"]) or 0
        letter.damaged, letter.digest = known.get("damaged", ""), known["sha256"]
    except (KeyError, TypeError, msgspec.MsgspecError) as error:
        raise ArchiveError("what is known of a letter makes no sense", reason=str(error)) from error
    if digest_of([octets]) != letter.digest or letter.envelope.header > letter.size:
        raise ArchiveError("a letter is not what was written", batch=known["batch"])
    return letter


def _listed(kind: type[Envelope] | type[Target], fields: dict[str, Any]) -> list[Any]:
    """Return the fields in their order, as far as this version and that of the writer know them."""
    names = kind.__struct_fields__
    end = next((at for at, name in enumerate(names) if name not in fields), len(names))
    return [fields[name] for name in names[:end]]


def _receiver(said: dict[str, Any]) -> Receiver:
    return Receiver(
        msgspec.convert(_listed(Target, said), Target),
        parse(said["id"]) or 0,
        int(said["attempts"]),
        int(said["due"]),
        said["state"] == "quarantined",
    )
