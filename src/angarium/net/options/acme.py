"""Options of certificates which an authority gives us by ACME."""

import pathlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol
from urllib.parse import urlsplit

from angarium.config.kinds import Bool, Choice, Duration, List, Path, Raw, Secret, Text, word
from angarium.config.option import OURS, Options, option
from angarium.config.scope import Naming

DAY: Final = 86400.0
MOST_NAMES: Final = 100  # which the authorities we know take in one certificate
_LABEL: Final = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_NAME: Final = re.compile(rf"{_LABEL}(\.{_LABEL})*")


@dataclass(frozen=True, slots=True)
class DnsName(Text):
    """A host name, in lower case."""

    def parse(self, raw: Raw) -> str:
        text = word(raw).lower().removesuffix(".")
        if text.startswith("*."):
            raise ValueError(f"{text!r}: names with * cannot be proved by HTTP")
        if len(text) > 253 or not _NAME.fullmatch(text):
            raise ValueError(f"{text!r} is no host name; write others than ASCII as xn--...")
        return text

    def __str__(self) -> str:
        return "host name"


@dataclass(frozen=True, slots=True)
class Contact(Text):
    """user@example.com."""

    def parse(self, raw: Raw) -> str:
        text = word(raw).removeprefix("mailto:")
        if not re.fullmatch(r"[!-~]{1,200}", text) or not re.fullmatch(
            r"[^@,?<>]+@[^@,?<>]+", text
        ):
            raise ValueError(f"{text!r} is no address such as postmaster@example.com")
        return text

    def __str__(self) -> str:
        return "address of mail, in ASCII"


@dataclass(frozen=True, slots=True)
class Https(Text):
    """https://..."""

    def parse(self, raw: Raw) -> str:
        text = Text.parse(self, raw)
        parts = urlsplit(text)
        if parts.scheme != "https" or not parts.hostname or "@" in parts.netloc:
            raise ValueError(f"{text!r} is no URL such as https://ca.example.com/directory")
        return text

    def __str__(self) -> str:
        return "URL, https://"


class Acme(Options, stanza="acme", naming=Naming.MAYBE, since=OURS):
    """A certificate which an authority gives us by ACME, and renews; one stanza for each.

    A listener has it by naming the same files.
    """

    directory = option(
        Https(),
        None,
        example="https://ca.example.com/directory",
        doc="The authority: the URL of its directory, which it publishes. There is no default.",
    )
    terms_agreed = option(
        Bool(),
        False,
        example="true",
        doc="Whether you agree to the terms of the authority. Nothing is asked for before.",
    )
    names = option(
        List(DnsName(), split=True),
        (),
        example="( mx.example.com mail.example.com )",
        doc="""
        Names which the certificate is for. By each of them the authority must reach a listener of
        HTTP of ours at port 80.
        """,
    )
    certificate = option(
        Path(),
        None,
        example="/etc/angarium/tls/mx.pem",
        doc="""
        File which the certificate is written to, with those between it and its authority, in PEM.
        The user of the server must be able to write to its directory.
        """,
    )
    key = option(
        Path(),
        None,
        example="/etc/angarium/tls/mx.key",
        doc="""
        File which the private key is written to. Unset: that of the certificate, before it; then
        both are replaced at one blow, and tls_sni_certificates can name it.
        """,
    )
    key_type = option(
        Choice(("ecdsa", "rsa")),
        "ecdsa",
        doc="What the key is: `ecdsa`, of P-256, or `rsa`, of 2048 bits, for very old clients.",
    )
    reuse_key = option(
        Bool(),
        False,
        doc="""
        Whether a renewed certificate has the key of the one before, as TLSA records of DANE name
        it. `false` makes a new one each time.
        """,
    )
    renew_before = option(
        Duration(minimum=3600.0, maximum=365 * DAY),
        30 * DAY,
        doc="""
        Time before its end at which a certificate is renewed, or when a third of its life is left,
        whichever is later.
        """,
    )
    contact = option(
        List(Contact(), split=True),
        (),
        example="( postmaster@example.com )",
        doc="Addresses at which the authority may tell you of trouble with the account.",
    )
    ca_file = option(
        Path(),
        None,
        example="/etc/angarium/tls/our-authority.pem",
        doc="""
        Certificates in PEM which the server of the directory is checked by, as for an authority of
        your own. Unset: those of the system.
        """,
    )
    external_key_id = option(
        Text(),
        None,
        example="kid-1234",
        doc="Name of the account you have with the authority already, where it asks for one.",
    )
    external_key = option(
        Secret(),
        None,
        example="zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W",
        doc="The key which it gave you with external_key_id, in base64url.",
    )


class Configuration(Protocol):
    """What is needed of `config.Configuration`."""

    def instances(self, stanza: type[Acme], /) -> Sequence[tuple[str, Acme]]: ...


def awaited(configuration: Configuration) -> frozenset[str]:
    """Return the files which ACME writes: until they are there nobody misses them."""
    found = (each.certificate for _, each in configuration.instances(Acme))
    return frozenset(each for each in found if each is not None)


def is_coming(path: str, expected: frozenset[str]) -> bool:
    """Say whether a file is one that ACME is to write, and has not yet."""
    return path in expected and not pathlib.Path(path).exists()
