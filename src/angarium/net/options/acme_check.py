"""What of the stanzas of ACME makes sense together, and what of them listeners may count on."""

import binascii
from collections.abc import Iterator
from typing import Final

from angarium.config.check import Checked
from angarium.config.errors import Severity
from angarium.config.rules import report, rule
from angarium.config.section import Section
from angarium.net.options.acme import MOST_NAMES

STANZA: Final = "acme"
HTTP: Final = "http_listener"
NEEDED: Final = {
    "directory": "no authority is named",
    "names": "no name is given which the certificate is for",
    "certificate": "no file is named for the certificate",
}


def awaited_by(root: Section) -> frozenset[str]:
    """Return the same of a configuration which is being checked."""
    found = (each.values.get("certificate") for each in root.all(STANZA).values())
    return frozenset(each for each in found if isinstance(each, str))


@rule
def a_certificate_of_acme_can_be_asked_for(checked: Checked) -> None:
    sections = checked.root.all(STANZA).values()
    for section in sections:
        for option, message in NEEDED.items():
            if not section.values.get(option):
                report(checked, section, "", message, f"set {option}")
        if section.values.get("terms_agreed") is not True:
            message = "the terms of the authority are not agreed to, so it gives no certificate"
            report(checked, section, "terms_agreed", message, "read them, and set terms_agreed")
        names = section.values.get("names")
        if isinstance(names, tuple) and len(names) > MOST_NAMES:
            message = f"one certificate is for {MOST_NAMES} names at most"
            report(checked, section, "names", message, "write a second stanza")
        _external(checked, section)
    if sections:
        _once(checked, list(sections))
        _reachable(checked, next(iter(sections)))


def _external(checked: Checked, section: Section) -> None:
    name, key = (section.values.get(each) for each in ("external_key_id", "external_key"))
    if bool(name) is not bool(key):
        message = "external_key_id and external_key go together"
        report(checked, section, "external_key_id" if name else "external_key", message)
    elif isinstance(key, str) and not _is_base64url(key):
        report(checked, section, "external_key", "external_key is no base64url")


def _is_base64url(text: str) -> bool:
    try:
        octets = binascii.a2b_base64(text.replace("-", "+").replace("_", "/") + "==")
    except ValueError:
        return False
    return bool(octets) and text.replace("-", "").replace("_", "").rstrip("=").isalnum()


def _files(section: Section) -> Iterator[tuple[str, str]]:
    for option in ("certificate", "key"):
        value = section.values.get(option)
        if isinstance(value, str):
            yield option, value


def _once(checked: Checked, sections: list[Section]) -> None:
    """Two which write one file would undo each other, for ever."""
    seen: dict[str, Section] = {}
    for section in sections:
        for option, path in _files(section):
            if seen.setdefault(path, section) is not section:
                report(checked, section, option, f"another acme stanza writes {path} too")


def _reachable(checked: Checked, section: Section) -> None:
    listener = checked.root.get(HTTP)
    if listener is None or not listener.all("listen"):
        message = "no http_listener of ours answers the challenges of the authority"
        advice = 'write http_listener { listen ":80" { only_challenges = true } }'
        report(checked, section, "", message, advice, Severity.WARNING)
