"""What a message must look like: the rules of the rfc2822_* options, and what breaks them.

`survey` looks once at a header and says what is there; the rest says what must be answered or
changed. All is done by offset, on octets; what is changed is made anew, what is not is not copied.
"""

import re
from dataclasses import dataclass
from typing import Final

from angarium.core.reply import Reply
from angarium.mail.format.header import Header

LONE_IN_HEADER: Final = Reply(550, "Lone CR or LF in headers (see RFC2822 section 2.2)", "5.6.0")
LONE_IN_BODY: Final = Reply(550, "Lone CR or LF in body (see RFC2822 section 2.3)", "5.6.0")
NO_HEADER: Final = Reply(550, "Required headers not found (see RFC2822 section 3.6)", "5.6.0")
UNTERMINATED: Final = Reply(
    550, "Header not terminated by CR LF (see RFC2822 section 2.2)", "5.6.0"
)
INVALID: Final = Reply(550, "Invalid header found (see RFC2822 section 3.6)", "5.6.0")
NO_DATE: Final = Reply(
    550, "Missing required RFC2822 Date field (see RFC2822 section 3.6)", "5.6.0"
)
LONG_IN_HEADER: Final = Reply(550, "Header line too long (see RFC2822 section 3.5)", "5.6.0")
LONG_IN_BODY: Final = Reply(550, "Body line too long (see RFC2822 section 3.5)", "5.6.0")
LOOP: Final = Reply(554, "mail loop: too many Received header fields", "5.4.6")
HEADER_TOO_LARGE: Final = Reply(552, "header size limit exceeded", "5.3.4")

LINE_LIMIT: Final = 998  # octets without CRLF, RFC 5322 section 2.1.1

# A line which neither continues a field nor begins one.
_NO_FIELD: Final = re.compile(rb"\r(?!\n[ \t]|\n[!-9;-~]+[ \t]*:|\n\Z)")
_ASKED_FOR: Final = re.compile(
    rb"\r\n(?:(date)|(message-id)|(return-path)|received)[ \t]*:", re.IGNORECASE
)
_BEGINS_A_FIELD: Final = re.compile(rb"[!-9;-~]+[ \t]*:")
# Atomic, or CRLF would be taken for two line ends.
EMPTY_LINE: Final = re.compile(rb"(?>\r\n|\r|\n)(\r\n|\r|\n)")


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules for one pathway, as plain values; made once for a configuration."""

    fix_lone_in_header: bool = False
    lone_in_body: str = "ignore"  # ignore, pedantic, fix
    require_header: bool = True
    date: str = "ifneeded"  # ignore, pedantic, ifneeded
    message_id: bool = True
    trace: bool = True
    line_limit: int = 0  # 0: lines may be as long as they like
    fix_lines: bool = False  # or refuse them
    received_limit: int = 100  # 0: none
    header_limit: int = 1 << 20  # 0: none
    fields: tuple[bytes, ...] = ()  # to be kept for those who ask, by lower case name


@dataclass(slots=True)
class Survey:
    """What a header has of what we add, count or refuse."""

    begins: bool  # the first line is a field
    valid: bool  # and so are the others
    date: bool
    message_id: bool
    return_path: bool
    received: int


def survey(header: bytes) -> Survey:
    """Look at a header with its last CRLF, without the empty line."""
    lines = b"\r\n" + header
    date = message_id = return_path = False
    received = 0
    for is_date, is_id, is_path in _ASKED_FOR.findall(lines):
        if is_date:
            date = True
        elif is_id:
            message_id = True
        elif is_path:
            return_path = True
        else:
            received += 1
    fault = _NO_FIELD.search(lines)
    # A continuation with nothing before it begins no header either.
    begins = (fault is None or fault.start() > 0) and header[:1] not in (b"", b" ", b"\t")
    return Survey(begins, fault is None, date, message_id, return_path, received)


def judge(header: bytes, found: Survey, rules: Rules) -> Reply | None:
    """Return the refusal for a header which breaks the rules, else None."""
    if rules.require_header:
        if not found.begins:
            return NO_HEADER
        if not found.valid:
            return INVALID
        if not header.endswith(b"\r\n"):
            return UNTERMINATED
    if not found.date and rules.date == "pedantic":
        return NO_DATE
    if 0 < rules.received_limit < found.received:
        return LOOP
    if 0 < rules.header_limit < len(header):
        return HEADER_TOO_LARGE
    return None


def values(header: bytes, names: tuple[bytes, ...]) -> dict[bytes, bytes]:
    """Return the values of the fields of these names which are there, the first of each."""
    fields = Header(header)
    found = {}
    for name in names:
        value = fields.value(name)
        if value is not None:
            found[name] = value
    return found


def has_lone(content: bytes) -> bool:
    """Say whether there is a CR or LF alone; for what is short."""
    return not content.count(b"\r\n") == content.count(b"\n") == content.count(b"\r")


def lenient_limits(content: bytes) -> tuple[int, int]:
    """Return `header.limits` of what may have lone CRs or LFs for line ends."""
    if found := re.match(rb"\r\n|\r|\n", content):
        return 0, found.end()
    empty = EMPTY_LINE.search(content)
    return (empty.start(1), empty.end()) if empty else (len(content), len(content))


def with_crlf(content: bytes) -> bytes:
    """Make each lone CR and LF a CRLF. No CRLF may be cut between two calls."""
    return content.replace(b"\r\n", b"\n").replace(b"\r", b"\n").replace(b"\n", b"\r\n")


def has_long_line(content: bytes, limit: int) -> bool:
    """Say whether a line has more than `limit` octets without its CRLF."""
    start, size = 0, len(content)
    while size - start > limit:
        # The last line end before a line which begins at `start` would be too long.
        end = content.rfind(b"\n", start, start + limit + 2)
        if end < 0:
            return True
        start = end + 1
    return False
