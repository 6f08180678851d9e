"""What stands for parts of an attempt in a map: "%{username_localpart}@%{username_domain||here}".

A name may be empty; then what follows `||` stands in its place.
"""

import re
from collections.abc import Mapping
from typing import Final

from angarium.core.address import split
from angarium.core.errors import Error
from angarium.inbound.authenticators import Visit
from angarium.wire.sasl.exchange import Claim, DigestWanted, ScramWanted

_NAME: Final = re.compile(r"%\{([^{}|]*)(?:\|\|([^{}]*))?\}")
# Those of auth_ds; auth_radius has the first four.
NAMES: Final = (
    "username", "username_localpart", "username_domain", "password", "crypt", "nonce", "realm",
    "digest-uri", "uri",
)  # fmt: skip
OF_RADIUS: Final = NAMES[:4]


def checked(templates: Mapping[str, str], names: tuple[str, ...] = NAMES) -> Mapping[str, str]:
    """Return the templates. Raises Error: one has a name that is not known."""
    for key, template in templates.items():
        for found in _NAME.finditer(template):
            if found[1] not in names:
                raise Error(f"map: {found[0]} is not known; known are {', '.join(names)}", key=key)
    return templates


def expanded(template: str, values: Mapping[str, str]) -> str:
    """Return a template with the values in it.

    >>> expanded("%{a}@%{b||x.example}", {"a": "tim", "b": ""})
    'tim@x.example'
    """
    return _NAME.sub(lambda found: values.get(found[1]) or found[2] or "", template)


def values_of(question: Claim | DigestWanted | ScramWanted, visit: Visit) -> Mapping[str, str]:
    """Return what the names stand for."""
    local, domain = split(question.user) if "@" in question.user else (question.user, "")
    known = dict.fromkeys(NAMES, "") | {
        "username": question.user,
        "username_localpart": local,
        "username_domain": domain,
        "uri": visit.uri,
    }
    if isinstance(question, Claim):
        known |= {
            "password": question.password, "crypt": question.crypt, "nonce": question.nonce,
        }  # fmt: skip
    elif isinstance(question, DigestWanted):
        known |= {
            "crypt": "digest-md5", "nonce": question.nonce, "realm": question.realm,
            "digest-uri": question.uri,
        }  # fmt: skip
    return known
