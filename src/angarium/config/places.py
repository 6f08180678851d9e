"""The types of values which name hosts, addresses, networks, header fields; else as in `kinds`."""

import ipaddress
import re
from dataclasses import dataclass
from typing import TypeAlias

from angarium.config.kinds import Place, Raw, Schema, Text, word

Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class Hostname(Text):
    """A host name, or one of the special names `also`."""

    also: tuple[str, ...] = ()

    def parse(self, raw: Raw) -> str:
        text = word(raw)
        if text in self.also or re.fullmatch(r"[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*", text):
            return text
        if re.fullmatch(r"\[[0-9A-Fa-f:.IPv]+\]", text):
            return text  # An address literal is a name too, RFC 5321 section 4.1.3.
        raise ValueError(f"{text!r} is no host name")

    def __str__(self) -> str:
        return " or ".join(["host name", *self.also])


@dataclass(frozen=True, slots=True)
class FieldName(Text):
    """The name of a header field."""

    def parse(self, raw: Raw) -> str:
        text = word(raw)
        if re.fullmatch(r"[!-9;-~]{1,76}", text):  # RFC 5322 section 3.6.8
            return text
        raise ValueError(f"{text!r} is no name of a header field, such as X-Priority")

    def __str__(self) -> str:
        return "name of a header field"


@dataclass(frozen=True, slots=True)
class KeySource(Text):
    """What of a message tells whose it is; a field's name is made lower case."""

    def parse(self, raw: Raw) -> str:
        text = word(raw).lower()
        if text in ("sender", "sender_domain", "client"):
            return text
        if text.startswith("header:"):
            return "header:" + FieldName().parse(text.removeprefix("header:"))
        raise ValueError(f"{text!r} is none of sender, sender_domain, client, header:NAME")

    def __str__(self) -> str:
        return "sender, sender_domain, client, or header:NAME"


@dataclass(frozen=True, slots=True)
class Cidr:
    """An address or a network; host bits after the prefix are ignored."""

    def parse(self, raw: Raw) -> Network:
        text = word(raw)
        try:
            return ipaddress.ip_network(text, strict=False)
        except ValueError:
            raise ValueError(f"{text!r} is no address or network such as 192.0.2.0/24") from None

    def schema(self) -> Schema:
        return {"type": "string", "format": "cidr"}

    def __str__(self) -> str:
        return "address or network"


@dataclass(frozen=True, slots=True)
class Address:
    """One address, in normal form; brackets around it are taken off."""

    def parse(self, raw: Raw) -> str:
        text = word(raw)
        try:
            return str(ipaddress.ip_address(text.strip("[]")))
        except ValueError:
            raise ValueError(f"{text!r} is no address such as 192.0.2.1") from None

    def schema(self) -> Schema:
        return {"type": "string"}

    def __str__(self) -> str:
        return "address"


@dataclass(frozen=True, slots=True)
class SourceAddress:
    """An address of this machine to send from, or * for any."""

    def parse(self, raw: Raw) -> str:
        text = word(raw)
        if text == "*":
            return text
        try:
            return str(ipaddress.ip_address(text.strip("[]")))
        except ValueError:
            raise ValueError(f"{text!r} is no address, nor *") from None

    def schema(self) -> Schema:
        return {"type": "string"}

    def __str__(self) -> str:
        return "address, or * for any"


@dataclass(frozen=True, slots=True)
class HostPort:
    """host, address or [IPv6 address], with :port or without; `bound`: the host may be * or ""."""

    bound: bool = False

    def parse(self, raw: Raw) -> Place:
        text = word(raw)
        found = re.fullmatch(r"(\[[^\[\]]*\]|[^\[\]:/\s]*)(?::([0-9]{1,5}))?", text)
        host = found[1].strip("[]") if found else ""
        port = int(found[2] or "0") if found else 0
        if found is None or port > 65535 or not (host or self.bound):
            raise ValueError(f"{text!r} is no host such as mx.example.com or [2001:db8::1]:25")
        return Place(host, port)

    def schema(self) -> Schema:
        return {"type": "string"}

    def __str__(self) -> str:
        return "host, address or [IPv6 address], with :port or without"


@dataclass(frozen=True, slots=True)
class DomainGlob:
    """A domain in lower case, or *.domain for what is below it (and not the domain itself)."""

    def parse(self, raw: Raw) -> str:
        text = word(raw).lower()
        if not re.fullmatch(r"\*|(\*\.)?[^\s*@/]+|\[[^\]]+\]", text):
            raise ValueError(f"{text!r} is no domain; a * may only stand at its beginning")
        return text

    def schema(self) -> Schema:
        return {"type": "string"}

    def __str__(self) -> str:
        return "domain, or *.domain for all below it"
