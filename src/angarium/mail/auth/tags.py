"""Lists of tags, as signatures and key records have them: RFC 6376 section 3.2.

    parsed(b"v=1; b=abc\\r\\n def")          {b"v": b"1", b"b": b"abc\\r\\n def"}

Values keep the blanks inside them; who reads one that may not have any, such as base64, removes
them by `solid`.
"""

import binascii
import re
from typing import Final

from angarium.core.errors import Error

WSP: Final = b" \t\r\n"
_NAME: Final = re.compile(rb"[A-Za-z][A-Za-z0-9_]*\Z")
# No control characters but folds. UTF-8 is let through: RFC 8616 has it in domains and local parts.
_BAD: Final = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_QUOTED: Final = re.compile(rb"=([0-9A-F]{2})")
MAX_TAGS: Final = 64  # the longest signatures seen have sixteen


class TagError(Error):
    """What is no list of tags, or lacks one, or has one that makes no sense."""


def parsed(text: bytes) -> dict[bytes, bytes]:
    """Return the tags of a list by name. Raises TagError."""
    if _BAD.search(text):
        raise TagError("there is a control character in it")
    specs = text.split(b";", MAX_TAGS + 1)
    if len(specs) > MAX_TAGS:
        raise TagError("there are too many tags")
    if not specs[-1].strip(WSP):
        specs.pop()
    tags: dict[bytes, bytes] = {}
    for spec in specs:
        name, equals, value = spec.partition(b"=")
        name = name.strip(WSP)
        if not equals or not _NAME.match(name):
            raise TagError("a tag has no name, or no value")
        if name in tags:
            raise TagError("a tag is there twice", tag=name.decode())
        tags[name] = value.strip(WSP)
    return tags


def needed(tags: dict[bytes, bytes], name: bytes) -> bytes:
    """Return the value of a tag which must be there. Raises TagError."""
    value = tags.get(name)
    if not value:
        raise TagError(f"the tag {name.decode()}= is missing")
    return value


def solid(value: bytes) -> bytes:
    """Return a value without the blanks and folds in it."""
    return value.translate(None, WSP)


def octets(value: bytes, name: str) -> bytes:
    """Return what a value has in base64, whose padding may be missing. Raises TagError."""
    text = solid(value)
    try:
        return binascii.a2b_base64(text + b"=" * (-len(text) % 4), strict_mode=True)
    except binascii.Error:
        raise TagError(f"the tag {name}= is not base64") from None


def number(tags: dict[bytes, bytes], name: bytes, digits: int) -> int | None:
    """Return the number a tag has, of so many digits at most; None without it. Raises TagError."""
    value = tags.get(name)
    if value is None:
        return None
    if not value.isdigit() or len(value) > digits:
        raise TagError(f"the tag {name.decode()}= is no number")
    return int(value)


def unquoted(value: bytes) -> bytes:
    """Return what is quoted in a tag: dkim-quoted-printable, section 2.11."""
    return _QUOTED.sub(lambda found: bytes((int(found[1], 16),)), solid(value))


def words(value: bytes) -> list[bytes]:
    """Return the words of a list with colons, in lower case."""
    return [word.strip(WSP).lower() for word in value.split(b":")]


def name_of(value: bytes, tag: str) -> str:
    """Return a domain or a selector, in lower case and in ASCII. Raises TagError."""
    try:
        text = value.decode()
        if not text.isascii():
            text = ".".join(label.encode("idna").decode() for label in text.split("."))
    except UnicodeError:
        raise TagError(f"the tag {tag}= is no name") from None
    text = text.lower().removesuffix(".")
    if len(text) > 253 or not all(0 < len(label) <= 63 for label in text.split(".")):
        raise TagError(f"the tag {tag}= is no name")
    if not re.fullmatch(r"[a-z0-9_.-]+", text):
        raise TagError(f"the tag {tag}= is no name")
    return text
