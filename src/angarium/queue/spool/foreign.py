"""Letters of other programs: a message in a file, a maildir, what `postcat -q` prints.

The spool of Momentum is not among them: its form is described nowhere ("opaque", says its manual).
"""

import re
from collections.abc import Sequence
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


class ForeignError(Error):
    """A file is not what it should be, or does not say whom it is for."""


def letter(octets: bytes, sender: str | None, recipients: Sequence[str], at: float) -> Letter:
    """Return the letter that a file with a message is.

    Args:
        sender, recipients: None and (): as the header says (Return-Path, Delivered-To and others).

    Raises:
        ForeignError: nobody says whom it is for.
    """
    whole = _LINE.sub(b"\r\n", octets)
    head = _LINE.sub(b"\n", whole.partition(b"\r\n\r\n")[0] + b"\r\n")
    fields: dict[str, list[str]] = {}
    for name, value in _FIELD.findall(head):
        text = value.decode("utf-8", "replace").strip().strip("<>")
        fields.setdefault(name.decode("ascii").lower(), []).append(text)
    if sender is None:
        sender = fields.get("return-path", [""])[0]
    to = list(recipients) or next((fields[name] for name in _TO if name in fields), [])
    return _made(whole, sender, to, at)


def _made(octets: bytes, sender: str, to: Sequence[str], at: float) -> Letter:
    if not to:
        raise ForeignError("nothing says whom this message is for; name them with --to")
    message = Message(sender, MemoryBody(octets), protocol="import", received_at=at)
    domains = {each: address.routing_domain(address.split(each)[1]) for each in to}
    if wrong := [each for each, domain in domains.items() if domain is None]:
        raise ForeignError("this is no address mail can be sent to", address=wrong[0])
    recipients = [
        Recipient(each, domain or "", DEFAULT_BINDING_GROUP, DEFAULT_BINDING)
        for each, domain in domains.items()
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
    """Return the letter in what `postcat -q` has printed of one message.

    The content is what stands between the first mark of its beginning and the last of its end, for
    lines of a content may look like either.

    Raises:
        ForeignError: it is something else.
    """
    lines = output.split(b"\n")
    begins = next((n for n, line in enumerate(lines) if line.startswith(_CONTENTS)), None)
    ends = [n for n, line in enumerate(lines) if line.startswith(_EXTRACTED)]
    if begins is None or not ends or not lines[0].startswith(_RECORDS):
        raise ForeignError("this is not what postcat prints, or not all of it")
    sender, to = "", []
    for line in lines[1:begins]:
        if record := _RECORD.match(line):
            text = record[2].decode("utf-8", "replace")
            if record[1] == b"sender":
                sender = text
            else:
                to.append(text)
    content = b"\n".join(lines[begins + 1 : ends[-1]]) + b"\n"
    return _made(_LINE.sub(b"\r\n", content), sender, to, at)
