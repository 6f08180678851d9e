"""An engine of SNMP as agent and traps use it: who it is, who its users are. By pysnmp.

An engine is known by its id, and how often it has started: both have to stay, or receivers of
version 3 take what it says for a replay (RFC 3414 section 2.2). So its starts are counted in a
file of ours, and not where pysnmp would have it, in the directory of everybody's temporary files.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from pysnmp.entity import config
from pysnmp.entity.engine import SnmpEngine
from pysnmp.proto.api import v2c

from angarium.modules.monitor.mib import Object
from angarium.modules.monitor.options.snmp import SnmpUser, TrapUser

# RFC 3411 section 5: the enterprise with the first bit set, 5 for octets of our own choice.
_ENGINE_PREFIX: Final = (0x80000000 | 19552).to_bytes(4, "big") + b"\x05"
_MOST_BOOTS: Final = 2**31 - 2
AUTHENTICATION: Final[Mapping[str, Any]] = {
    "none": config.USM_AUTH_NONE,
    "md5": config.USM_AUTH_HMAC96_MD5,
    "sha": config.USM_AUTH_HMAC96_SHA,
    "sha224": config.USM_AUTH_HMAC128_SHA224,
    "sha256": config.USM_AUTH_HMAC192_SHA256,
    "sha384": config.USM_AUTH_HMAC256_SHA384,
    "sha512": config.USM_AUTH_HMAC384_SHA512,
}
PRIVACY: Final[Mapping[str, Any]] = {
    "none": config.USM_PRIV_NONE,
    "des": config.USM_PRIV_CBC56_DES,
    "aes": config.USM_PRIV_CFB128_AES,
    "aes192": config.USM_PRIV_CFB192_AES,
    "aes256": config.USM_PRIV_CFB256_AES,
}
TYPES: Final[Mapping[str, Any]] = {
    "integer": v2c.Integer32,
    "counter": v2c.Counter32,
    "gauge": v2c.Gauge32,
    "text": v2c.OctetString,
    "ticks": v2c.TimeTicks,
    "oid": v2c.ObjectIdentifier,
}


AnyUser = SnmpUser | TrapUser


def engine(host: str, boots: int) -> SnmpEngine:
    """Return an engine with the id of this host.

    Args:
        boots: which start of it this is.
    """
    made = SnmpEngine()
    builder = made.get_mib_builder()
    ident, count = builder.import_symbols("__SNMP-FRAMEWORK-MIB", "snmpEngineID", "snmpEngineBoots")
    digest = hashlib.sha256(host.encode()).digest()[:12]
    ident.syntax = ident.syntax.clone(_ENGINE_PREFIX + digest)
    made.snmpEngineID = ident.syntax
    count.syntax = count.syntax.clone(boots)
    return made


def boots(path: Path) -> int:
    """Count a start in a file, and return the number of it."""
    try:
        before = int(path.read_text(encoding="ascii"))
    except (OSError, ValueError):
        before = 0
    number = before % _MOST_BOOTS + 1
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"{number}\n", encoding="ascii")
    return number


def level_of(user: AnyUser) -> str:
    """Return how what a user says is protected."""
    if user.authentication == "none" or not user.authentication_secret:
        return "noAuthNoPriv"
    return "authNoPriv" if user.privacy == "none" else "authPriv"


def keys_of(user: AnyUser) -> dict[str, Any]:
    """Return the methods and keys of a user, by the names which pysnmp has for them."""
    level, keys = level_of(user), dict[str, Any]()
    if level != "noAuthNoPriv":
        keys |= {
            "authProtocol": AUTHENTICATION[user.authentication],
            "authKey": user.authentication_secret,
        }
    if level == "authPriv":
        keys |= {
            "privProtocol": PRIVACY[user.privacy],
            "privKey": user.privacy_secret or user.authentication_secret,
        }
    return keys


def encoded(found: Object) -> Any:
    """Return a value as pysnmp has it."""
    value = found.value.encode() if isinstance(found.value, str) else found.value
    return TYPES[found.type](value)
