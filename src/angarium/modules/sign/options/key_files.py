"""Which files of keys the stanzas of signing name, for who reads them before rights are given up.

Rule: a file is one of these if its path follows from the configuration alone. `%{s}` always does,
for a selector is an option; `%{d}` does where a domain has a stanza of its own, and else it is the
author's, so nobody knows before there is mail.
"""

import os
from collections.abc import Iterator
from typing import Final

from angarium.config.check import Checked
from angarium.config.errors import Severity
from angarium.config.rules import report, rule_of_files
from angarium.config.section import Section

DOMAIN: Final = "%{d}"
SELECTOR: Final = "%{s}"
DOMAINS: Final = {
    "opendkim": "opendkim.dkim_domain",
    "dkim_sign": "dkim_sign.dk_domain",
    "dk_sign": "dk_sign.dk_domain",
}  # stanzas which sign, and those of domains inside them
SEALS: Final = "openarc"


def files_of(root: Section) -> list[str]:
    """Return the files of keys which are known from the configuration, each once."""
    return list(dict.fromkeys(path for _, path in _named(root)))


def _named(root: Section) -> Iterator[tuple[Section, str]]:
    """Yield the files of keys, each with the stanza which settles its path."""
    for stanza, of_domain in DOMAINS.items():
        for section in root.all(stanza).values():
            yield from _fixed(section, _path(section))
            for name, inner in section.all(of_domain).items():
                who = _text(inner, "base_domain") or name.lower()
                path = _path(inner, section)
                yield from _fixed(inner, path if "*" in who else path.replace(DOMAIN, who))
    for section in root.all(SEALS).values():
        who = _text(section, "signing_domain")
        yield from _fixed(section, _path(section).replace(DOMAIN, who or DOMAIN))


def _fixed(section: Section, path: str) -> Iterator[tuple[Section, str]]:
    """Yield a path with nothing left open; a relative one means another file later on."""
    if path.startswith("/") and DOMAIN not in path and SELECTOR not in path:
        yield section, path


def _path(section: Section, around: Section | None = None) -> str:
    """Return the path of a key with its selector in it; what a domain leaves out is as for all."""
    key, selector = _text(section, "key"), _text(section, "selector")
    if around is not None:
        key, selector = key or _text(around, "key"), selector or _text(around, "selector")
    return key.replace(SELECTOR, selector or SELECTOR)


def _text(section: Section, option: str) -> str:
    value = section.values.get(option)
    return value if isinstance(value, str) else ""


@rule_of_files
def keys_can_be_read(checked: Checked) -> None:
    told = set[str]()
    for section, path in _named(checked.root):
        if path in told:
            continue
        told.add(path)
        if checked.held.stands_in(path):
            message = f"key: what {path} held at the start counts until a restart"
            advice = "let the user of the security stanza read it"
        elif (reason := _unreadable(path)) is not None:
            message, advice = f"key: {path}: {reason}; nothing is signed with it", ""
        else:
            continue
        place = section if "key" in section.values else section.parent or section
        report(checked, place, "key", message, advice, Severity.WARNING)


def _unreadable(path: str) -> str | None:
    """Return why a file cannot be read."""
    try:
        with open(path, "rb", opener=_without_waiting):
            return None
    except OSError as error:
        return error.strerror


def _without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK)  # A pipe would wait for who writes to it.
