"""Letters of other programs: a message in a file, a maildir, what `postcat -q` prints.

The spool of Momentum is not among them: its form is described nowhere ("opaque", says its manual).
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from angarium.core import address
from angarium.core.body import MemoryBody
from angarium.core.errors import Error
from angarium.core.message import DEFAULT_BINDING, DEFAULT_BINDING_GROUP, Message, Recipient
from angarium.queue.spool.letter import Letter, Receiver, described, digest_of

# Who was to get it, as programs write it into what they deliver; the first that is there counts.
_TO: Final = ("x-envelope-to", "envelope-to", "x-original-to", "delivered-to", "x-rcpt-to")
_FIELD: Final = re.compile(rb"^([\x21-\x39\x3b-\x7e]+):[ \t]*((?:[^\n]|\n[ \t])*)\n", re.MULTILINE)
_LINE: Final = re.compile(rb"\r\n|\r|\n")
_RECORD: Final = re.compile(rb"^(sender|recipient): (.*)$")
_RECORDS: Final = b"*** ENVELOPE RECORDS "
_CONTENTS: Final = b"*** MESSAGE CONTENTS "
_EXTRACTED: Final = b"*** HEADER EXTRACTED "
_EMPTY_LINES: Final = (b"\r\n\r\n", b"\n\n", b"\r\r")
HEAD: Final = 1 << 18  # octets in which a header ends; what is longer is not looked through
PIECE: Final = 1 << 16
PROTOCOL: Final = "import"


class ForeignError(Error):
    """A file is not what it should be, or does not say whom it is for."""


def letter(octets: bytes, sender: str | None, recipients: Sequence[str], at: float) -> Letter:
    """Return the letter that a file with a message is.

    Args:
        sender, recipients: None and (): as the header says (Return-Path, Delivered-To and others).

    Raises:
        ForeignError: nobody says whom it is for.
    """
    whole = b"".join(lines(octets))
    sender, to = addressed(whole, sender, recipients)
    return _made(whole, sender, to, at)


def addressed(
    octets: bytes, sender: str | None, recipients: Sequence[str]
) -> tuple[str, Sequence[str]]:
    """Return who sends a message and who gets it, as they are given or as its header says."""
    ends = [at for mark in _EMPTY_LINES if (at := octets.find(mark, 0, HEAD)) >= 0]
    head = _LINE.sub(b"\n", octets[: min(ends, default=HEAD)] + b"\n")
    fields: dict[str, list[str]] = {}
    for name, value in _FIELD.findall(head):
        text = value.decode("utf-8", "replace").strip().strip("<>")
        fields.setdefault(name.decode("ascii").lower(), []).append(text)
    if sender is None:
        sender = fields.get("return-path", [""])[0]
    return sender, list(recipients) or next((fields[name] for name in _TO if name in fields), [])


def lines(octets: bytes, piece: int = PIECE) -> Iterator[bytes]:
    """Yield octets with lines which end in CRLF, in pieces which end with a line where they can."""
    at, end = 0, len(octets)
    while at < end:
        cut = at + piece
        if cut < end and (line := octets.find(b"\n", cut - 1, cut + piece)) >= 0:
            cut = line + 1
        yield _LINE.sub(b"\r\n", octets[at:cut])
        at = cut


def domains_of(to: Sequence[str]) -> dict[str, str]:
    """Return the domain of each address. Raises ForeignError."""
    if not to:
        raise ForeignError("nothing says whom this message is for; name them with --to")
    domains = {each: address.routing_domain(address.split(each)[1]) for each in to}
    if wrong := [each for each, domain in domains.items() if domain is None]:
        raise ForeignError("this is no address mail can be sent to", address=wrong[0])
    return {each: domain or "" for each, domain in domains.items()}


def _made(octets: bytes, sender: str, to: Sequence[str], at: float) -> Letter:
    message = Message(sender, MemoryBody(octets), protocol=PROTOCOL, received_at=at)
    recipients = [
        Recipient(each, domain, DEFAULT_BINDING_GROUP, DEFAULT_BINDING)
        for each, domain in domains_of(to).items()
    ]
    known, targets = described(message, recipients)
    receivers = [Receiver(target) for target in targets]
    return Letter(
        known, receivers, lambda: iter((octets,)), len(octets), digest=digest_of([octets])
    )


def maildir(folder: Path) -> list[Path]:
    """Return the files of the messages in a maildir, those delivered first first."""
    files = [
        each for name in ("new", "cur") for each in (folder / name).glob("*") if each.is_file()
    ]
    return sorted(files, key=lambda each: each.name)


def is_maildir(path: Path) -> bool:
    return (path / "new").is_dir() and (path / "cur").is_dir()


def postcat(output: bytes, at: float) -> Letter:
    """Return the letter in what `postcat -q` has printed of one message. Raises ForeignError."""
    sender, to, content = unwrapped(output)
    return _made(b"".join(lines(content)), sender, to, at)


def is_postcat(octets: bytes) -> bool:
    return octets.startswith(_RECORDS)


def unwrapped(output: bytes) -> tuple[str, Sequence[str], bytes]:
    """Return sender, recipients and content in what `postcat -q` has printed of one message.

    The content is what stands between the first mark of its beginning and the last of its end, for
    lines of a content may look like either.

    Raises:
        ForeignError: it is something else.
    """
    begins, ends = output.find(b"\n" + _CONTENTS), output.rfind(b"\n" + _EXTRACTED)
    content = output.find(b"\n", begins + 1) + 1
    if not is_postcat(output) or begins < 0 or not 0 < content <= ends + 1:
        raise ForeignError("this is not what postcat prints, or not all of it")
    sender, to = "", []
    for line in output[:begins].split(b"\n")[1:]:
        if record := _RECORD.match(line):
            text = record[2].decode("utf-8", "replace")
            if record[1] == b"sender":
                sender = text
            else:
                to.append(text)
    return sender, to, output[content : ends + 1]
