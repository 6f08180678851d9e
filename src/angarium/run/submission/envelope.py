"""From whom to whom a message of this machine goes; also as a file in the maildrop has it."""

import json
import re
from dataclasses import asdict, dataclass, replace
from typing import Final, Self, TypeVar

from angarium.run.submission.addresses import AddressError, mailbox

MOST_RECIPIENTS: Final = 10_000
Kind = TypeVar("Kind")
_ENVID: Final = re.compile(r"(?:[!-*,-<>-~]|\+[0-9A-F]{2}){0,300}")  # xtext, RFC 3461 section 4
_NOTIFY: Final = re.compile(r"NEVER|(?:SUCCESS|FAILURE|DELAY)(?:,(?:SUCCESS|FAILURE|DELAY)){0,2}|")
_RETURNED: Final = frozenset({"", "FULL", "HDRS"})


@dataclass(frozen=True, slots=True)
class Envelope:
    """See above.

    Attributes:
        sender: "" for none.
        uid: of the user who has given us the message.
        token: names the message in its Received field.
        at: Unix time when it was given to us.
    """

    sender: str
    recipients: tuple[str, ...]
    uid: int
    token: str
    at: float
    notify: str = ""
    returned: str = ""
    envid: str = ""
    eight_bit: bool = False

    def to(self, recipients: tuple[str, ...]) -> Self:
        return replace(self, recipients=recipients)

    def encode(self) -> bytes:
        """Return it as one line."""
        return json.dumps(asdict(self)).encode() + b"\n"

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        """Return what a file says; everything in it may have been written by an enemy.

        Raises:
            ValueError: it is none of ours, or asks for what a command line could not.
        """
        said = json.loads(octets)
        sender, recipients = _of(str, said, "sender"), _of(list, said, "recipients")
        if not 0 < len(recipients) <= MOST_RECIPIENTS:
            raise ValueError("no recipients, or too many")
        try:
            for each in [sender, *recipients] if sender else recipients:
                # Not one that only becomes an address: it goes into a command as it is.
                if mailbox(_of(str, {"": each}, ""), "") != each:
                    raise ValueError("no address")
        except AddressError as error:
            raise ValueError(str(error)) from error
        notify, returned, envid, token = (
            _of(str, said, name) for name in ("notify", "returned", "envid", "token")
        )
        if not _NOTIFY.fullmatch(notify) or returned not in _RETURNED:
            raise ValueError("no such notification")
        if not _ENVID.fullmatch(envid) or not re.fullmatch(r"[0-9a-f.]{1,64}", token):
            raise ValueError("no such identifier")
        uid, at = _of(int, said, "uid"), _of(float, said, "at")
        if not 0 <= at < 1 << 32:  # datetime has no other
            raise ValueError("no such time")
        return cls(
            sender, tuple(recipients), uid, token, at, notify, returned, envid,
            said.get("eight_bit") is True,
        )  # fmt: skip


def _of(kind: type[Kind], said: object, name: str) -> Kind:
    found = said.get(name) if isinstance(said, dict) else None
    if type(found) is kind:
        return found
    raise ValueError(f"no {name or 'address'}")
