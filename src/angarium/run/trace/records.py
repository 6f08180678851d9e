r"""Lines of mainlog and rejectlog, read as `events/format` wrote them, or Momentum.

A line is split once, from left to right. One that is no record, such as a heartbeat or half of a
line, is None and never an error: logs are cut where machines fail.
"""

import re
from dataclasses import dataclass, field
from typing import Final

HIRES: Final = 16  # digits of a time in microseconds (log_hires_timestamp)
REJECTION: Final = "rejection"
NAMES: Final = {
    "R": "reception",
    "D": "delivery",
    "X": "transfer",
    "T": "transient",
    "P": "permanent",
}
_ARRIVAL: Final = ("domain", "size", "group", "binding", "retries", "elapsed", "destination")
_FAILURE: Final = (
    "domain", "size", "group", "binding", "stage", "retries", "elapsed", "destination", "reason",
)  # fmt: skip
FIELDS: Final = {
    "R": (
        "local", "domain", "sender_local", "sender_domain", "source", "size", "protocol", "group",
        "binding",
    ),
    "D": _ARRIVAL,
    "X": _ARRIVAL,
    "T": _FAILURE,
    "P": _FAILURE,
}  # fmt: skip
_HEAD: Final = 5  # time, message, batch, connection, code
_FIELD: Final = re.compile(r"((?:[^@\\]|\\.)*)@", re.DOTALL)
_ESCAPED: Final = re.compile(r"\\(?:x([0-9a-f]{2})|u([0-9a-f]{4})|(.))", re.DOTALL)
_SHORT: Final = {"n": "\n", "r": "\r", "t": "\t"}
_QUOTED: Final = r'"((?:[^"\\]|\\.)*)"'
_LIST: Final = r'\[((?:[^\]"\\]|\\.|"(?:[^"\\]|\\.)*")*)\]'
_REJECTION: Final = re.compile(
    rf"(\d+): R={_QUOTED} L={_QUOTED} C={_QUOTED} PATH={_QUOTED} PATH_GRP={_QUOTED}"
    rf" P={_QUOTED} E=(\d+) M=(?:{_QUOTED}|(\S*)) CTXCONN={_LIST} CTXMESS={_LIST} ?(.*)",
    re.DOTALL,
)
_VARIABLE: Final = re.compile(
    r'(?:"((?:[^"\\]|\\.)*)"|([^=,"]*))=(?:"((?:[^"\\]|\\.)*)"|([^,"]*))(?:,|$)', re.DOTALL
)


@dataclass(slots=True)
class Record:
    """One line.

    Attributes:
        code: R, D, X, T or P; "" for a refusal.
        stamp: the time as it is written.
        at: Unix time.
        ident: of the message; of a refusal, of the connection.
        fields: by name, unescaped.
        text: the line.
    """

    code: str
    stamp: str
    at: float
    ident: str
    fields: dict[str, str]
    text: str
    conn: dict[str, str] = field(default_factory=dict)
    mess: dict[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return NAMES.get(self.code, REJECTION)

    @property
    def sender(self) -> str:
        return _joined(self.fields.get("sender_local", ""), self.fields.get("sender_domain", ""))

    @property
    def recipient(self) -> str:
        return _joined(self.fields.get("local", ""), self.fields.get("domain", ""))


def _joined(local: str, domain: str) -> str:
    return f"{local}@{domain}" if domain else local


def parse(text: str) -> Record | None:
    """Return what a line says, without its end; None if it is no record."""
    head = text.split("@", _HEAD)
    if len(head) > _HEAD and head[4] in FIELDS:
        names = FIELDS[head[4]]
        if "\\" in head[5]:
            values = [unescaped(each) for each in _split(head[5], len(names))]
        else:
            values = head[5].split("@", len(names) - 1)
        at = seconds(head[0])
        if at is None or not head[1].isascii():
            return None
        fields = dict(zip(names, values, strict=False))
        return Record(head[4], head[0], at, head[1], fields, text)
    return _rejection(text)


def _split(text: str, count: int) -> list[str]:
    """Return at most so many fields; the last one has the rest, in which an @ is an at sign."""
    found: list[str] = []
    at = 0
    while len(found) < count - 1:
        piece = _FIELD.match(text, at)
        if piece is None:
            break
        found.append(piece[1])
        at = piece.end()
    return [*found, text[at:]]


def unescaped(text: str) -> str:
    r"""Return a field as it was before it was written.

    >>> unescaped(r"a\@b\\c\x01")
    'a@b\\c\x01'
    """
    return _ESCAPED.sub(_character, text)


def _character(found: re.Match[str]) -> str:
    if code := found[1] or found[2]:
        return chr(int(code, 16))
    return _SHORT.get(found[3], found[3])


def seconds(stamp: str) -> float | None:
    """Return the time of a line, None if it has none."""
    if not stamp.isascii() or not stamp.isdigit() or len(stamp) > HIRES:
        return None
    return int(stamp) / 1e6 if len(stamp) == HIRES else float(stamp)


def _rejection(text: str) -> Record | None:
    found = _REJECTION.fullmatch(text)
    if found is None or (at := seconds(found[1])) is None:
        return None
    fields = {
        "remote": unescaped(found[2]),
        "local": unescaped(found[3]),
        "pathway": unescaped(found[5]),
        "pathway_group": unescaped(found[6]),
        "phase": unescaped(found[7]),
        "reply": found[8],
        "module": unescaped(found[9]) if found[9] is not None else found[10],
        "reason": unescaped(found[13]),
    }
    return Record("", found[1], at, found[4], fields, text, variables(found[11]),
                  variables(found[12]))  # fmt: skip


def variables(text: str) -> dict[str, str]:
    """Return the variables of a list of a refusal."""
    found: dict[str, str] = {}
    at = 0
    while at < len(text) and (pair := _VARIABLE.match(text, at)) is not None:
        name = unescaped(pair[1]) if pair[1] is not None else pair[2]
        found[name] = unescaped(pair[3]) if pair[3] is not None else pair[4]
        at = pair.end()
    return found
