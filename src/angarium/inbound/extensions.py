"""What only trusted clients may say: whom they speak for, and what we know of a session.

    XCLIENT ADDR=192.0.2.9 HELO=mx.test     the session begins anew, as if that client had called
    XREMOTEIP 192.0.2.9                     it goes on, as if that client had called
    XSETCONTEXT name=value                  a variable of the connection
    XDUMPCONTEXT                            all of them

Each is there for who has it in smtp_extensions. What the wire was told at the beginning stays:
lengths of lines, and which of these commands there are. Options of the claimed address hold for
the rest. Values are in xtext (RFC 3461 section 4); XCLIENT is Postfix's, as its XCLIENT_README
has it.
"""

import ipaddress
import re
from typing import Final

from angarium.core.reply import Reply
from angarium.inbound.origin import Origin
from angarium.inbound.profile import Profiles
from angarium.wire.smtp_grammar import Command, Hello, decode_xtext

MOST_VARIABLES: Final = 100  # of one connection
# Of a client whose address the gateway does not know: it must not have the gateway's rights.
NOWHERE: Final = "0.0.0.0"

BAD_CLAIM: Final = Reply(501, "bad attribute or value", "5.5.4")
BAD_ADDRESS: Final = Reply(501, "this is no IP address", "5.5.4")
BAD_VARIABLE: Final = Reply(501, "write name=value", "5.5.4")
TOO_MANY: Final = Reply(452, "too many variables", "4.5.3")
AGAIN: Final = Reply(220, "again")  # the caller has the banner

_NO_ADDRESS: Final = frozenset({"[UNAVAILABLE]", "[TEMPUNAVAIL]"})
_ATTRIBUTE: Final = re.compile(r"([A-Za-z]+)=([!-<>-~]+)")
_VARIABLE: Final = re.compile(r"([!-*,-<>-~]{1,64})=([!-~]*)")
# A name may go into a comment of Received, and a port is one.
_SHAPES: Final = {
    "NAME": re.compile(r"[!-'*-~]{1,255}"),
    "HELO": re.compile(r"[!#-'*+\--:=?A-\[\]-~]{1,255}"),
    "PORT": re.compile(r"[0-9]{1,5}"),
    "PROTO": re.compile(r"E?SMTP", re.IGNORECASE | re.ASCII),
    "ADDR": re.compile(r"\S{1,64}"),
    "DESTADDR": re.compile(r"\S{1,64}"),
    "DESTPORT": re.compile(r"[0-9]{1,5}"),
    "LOGIN": re.compile(r"[!-~]{1,255}"),
}


def obey(command: Command, origin: Origin, profiles: Profiles, listen: str) -> Reply:
    """Do what a trusted client says, and return what it is told.

    A 220 says that the session begins anew, with the banner.
    """
    text = command.argument.strip(" \t")
    match command.verb:
        case "XCLIENT":
            return _become(text, origin, profiles, listen)
        case "XREMOTEIP":
            address = _address(text)
            if address is None:
                return BAD_ADDRESS
            origin.claim(profiles.at(listen, address), address, 0)
            return Reply(250, "OK", "2.0.0")
        case "XSETCONTEXT":
            return _set(text, origin)
    lines = [f"[connection] {name} {value}" for name, value in origin.variables().items()]
    shown = "\n".join([*lines, "XDUMPCONTEXT complete"])
    return Reply(250, shown.encode("ascii", "backslashreplace").decode())


def _become(text: str, origin: Origin, profiles: Profiles, listen: str) -> Reply:
    """XCLIENT: the attributes hold from the beginning of the session on."""
    claimed: dict[str, str] = {}
    for word in text.split():
        found = _ATTRIBUTE.fullmatch(word)
        if found is None or (name := found[1].upper()) not in _SHAPES:
            return BAD_CLAIM
        value = decode_xtext(found[2])
        if value.upper() in _NO_ADDRESS:
            if name != "ADDR":
                continue
            value = NOWHERE
        if _SHAPES[name].fullmatch(value) is None:
            return BAD_CLAIM
        claimed[name] = value
    address = _address(claimed["ADDR"]) if "ADDR" in claimed else origin.address
    port = int(claimed.get("PORT", "0"))
    if not text or address is None or port > 65535:
        return BAD_CLAIM
    origin.unknown()
    origin.claim(profiles.at(listen, address), address, port)
    if "LOGIN" in claimed:
        origin.authenticated("XCLIENT", claimed["LOGIN"])
    origin.hello = None
    if "HELO" in claimed:
        verb = "HELO" if claimed.get("PROTO", "").upper() == "SMTP" else "EHLO"
        origin.greeted(Hello(verb, claimed["HELO"]))
    return AGAIN


def _address(text: str) -> str | None:
    """Return an address in normal form; Postfix writes "IPV6:" before one of the sixth version."""
    plain = text[5:] if text[:5].upper() == "IPV6:" else text
    try:
        return str(ipaddress.ip_address(plain))
    except ValueError:
        return None


def _set(text: str, origin: Origin) -> Reply:
    """XSETCONTEXT: all of it, or nothing."""
    told: dict[str, str] = {}
    for word in text.split():
        found = _VARIABLE.fullmatch(word)
        if found is None or not _is_plain(value := decode_xtext(found[2])):
            return BAD_VARIABLE
        told[found[1]] = value
    if not told:
        return BAD_VARIABLE
    if len(origin.told | told) > MOST_VARIABLES:
        return TOO_MANY
    origin.told |= told
    return Reply(250, "XSETCONTEXT complete", "2.0.0")


def _is_plain(text: str) -> bool:
    return text.isascii() and text.isprintable()
