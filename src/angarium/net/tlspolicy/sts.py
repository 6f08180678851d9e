"""MTA-STS without I/O: the record which says that there is a policy, and the policy (RFC 8461).

    policy_id([b"v=STSv1; id=20260831085700Z;"])        "20260831085700Z"
    parsed(b"version: STSv1\\nmode: enforce\\n...")       Policy, or StsError
    policy.allows("mx1.example.com")                    by the patterns of its hosts

Both parsers are total. What a policy says twice counts once, the first time; what nobody knows is
left alone, as the RFC asks.
"""

import enum
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from angarium.core.errors import Error

# Section 3.3 has 64 KiB as what a client may stop at.
MAX_OCTETS: Final = 65536
MAX_AGE_SECONDS: Final = 31_557_600  # section 3.2: a year
MAX_HOSTS: Final = 1000
_VERSION: Final = b"v=STSv1"
# Section 3.1: sts-id, and the fields which may come with it.
_ID: Final = re.compile(r"[A-Za-z0-9]{1,32}\Z")
_FIELD: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,31}=[!-:<>-~]+\Z")
_NUMBER: Final = re.compile(r"[0-9]{1,10}\Z")
_LABEL: Final = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_HOST: Final = re.compile(rf"(?:\*\.)?{_LABEL}(?:\.{_LABEL})*\Z")


class StsError(Error):
    """A policy, or the record of one, which is not as RFC 8461 has it."""


class Mode(enum.Enum):
    """How a policy wants to be taken."""

    ENFORCE = "enforce"
    TESTING = "testing"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Policy:
    """The policy of a domain.

    Attributes:
        max_age: seconds for which it may be kept.
        hosts: patterns of the mail servers, in lower case.
    """

    mode: Mode
    max_age: int
    hosts: tuple[str, ...] = ()

    def allows(self, host: str) -> bool:
        """Say whether a mail server is one of the domain's: section 4.1."""
        host = host.lower().removesuffix(".")
        _, _, parent = host.partition(".")
        return host in self.hosts or f"*.{parent}" in self.hosts

    def lines(self) -> list[str]:
        """Return it line by line, as it is stored, and as reports quote it."""
        hosts = [f"mx: {host}" for host in self.hosts]
        return ["version: STSv1", f"mode: {self.mode.value}", *hosts, f"max_age: {self.max_age}"]


def policy_id(records: Iterable[bytes]) -> str | None:
    """Return the id which the TXT records of _mta-sts.<domain> name; None: there is no policy.

    Other records may stand beside it, but no second one: then there is none (section 3.1).
    """
    own = [each for each in records if _is_own(each)]
    return _id_of(own[0]) if len(own) == 1 else None


def _is_own(record: bytes) -> bool:
    return record.startswith(_VERSION) and record[len(_VERSION) :].lstrip(b" \t")[:1] == b";"


def _id_of(record: bytes) -> str | None:
    try:
        fields = record.decode("ascii").split(";")[1:]
    except UnicodeDecodeError:
        return None
    found = None
    for number, field in enumerate(fields, 1):
        text = field.strip(" \t")
        if not text and number == len(fields):
            break
        name, _, value = text.partition("=")
        if name == "id":
            if found is not None or not _ID.match(value):
                return None
            found = value
        elif not _FIELD.match(text):
            return None
    return found


def parsed(document: bytes) -> Policy:
    """Return the policy a web server gave. Raises StsError, which says what is wrong with it."""
    if len(document) > MAX_OCTETS:
        raise StsError("the policy is too long", octets=len(document))
    try:
        text = document.decode()
    except UnicodeDecodeError:
        raise StsError("the policy is not UTF-8") from None
    fields: dict[str, str] = {}
    hosts: list[str] = []
    for line in text.replace("\r\n", "\n").split("\n"):
        name, colon, value = line.strip(" \t").partition(":")
        if not (name or colon):
            continue
        if not colon:
            raise StsError("a line of the policy has no colon", line=line[:80])
        value = value.strip(" \t")
        if name == "mx":
            hosts.append(_host(value))
        else:
            fields.setdefault(name, value)
    return _made(fields, tuple(dict.fromkeys(hosts)))


def _host(pattern: str) -> str:
    host = pattern.lower().removesuffix(".")
    if not host.isascii():
        try:
            host = host.encode("idna").decode()
        except UnicodeError:
            raise StsError("no name of a host", mx=pattern[:80]) from None
    if not _HOST.match(host):
        raise StsError("no name of a host", mx=pattern[:80])
    return host


def _made(fields: dict[str, str], hosts: tuple[str, ...]) -> Policy:
    if fields.get("version") != "STSv1":
        raise StsError("the policy has no version which we know", version=fields.get("version"))
    try:
        mode = Mode(fields.get("mode"))
    except ValueError:
        raise StsError("the policy has no mode which we know", mode=fields.get("mode")) from None
    max_age = fields.get("max_age", "")
    if not _NUMBER.match(max_age):
        raise StsError("the policy does not say how long it may be kept", max_age=max_age[:80])
    if not hosts and mode is not Mode.NONE:
        raise StsError("the policy names no mail server")
    if len(hosts) > MAX_HOSTS:
        raise StsError("the policy names too many mail servers", hosts=len(hosts))
    return Policy(mode, min(int(max_age), MAX_AGE_SECONDS), hosts)
