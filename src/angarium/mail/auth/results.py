"""Authentication-Results, read and written: RFC 8601.

    field = written("mx.example.com", [Result("spf", "pass", {"smtp.mailfrom": "a@b.example"})])
    found = parsed(value)                    any octets give one; `results` may be empty
    rows = forged(fields, {"mx.example.com"})

Who reads the field trusts whoever stands in its first word. So what comes in under our own name is
removed (section 5), and so is what nobody can read: another reader might see our name in it.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from angarium.mail.auth.fields import Fields

NAME: Final = b"authentication-results"
_LINE: Final = 76  # octets of a line before it is folded
MAX_RESULTS: Final = 100
# What may stand without quotes: a token of MIME, or [local-part]@domain.
_PLAIN: Final = re.compile(
    r"(?:[!#-'*+.0-9A-Z^-~-]+|[!#-'*+./0-9=?A-Z^-~-]*@[0-9A-Z._-]+)\Z", re.IGNORECASE | re.ASCII
)
_UNSEEN: Final = re.compile(r"[\x00-\x1f\x7f]+")
# Each alternative takes all that it has looked at, so that the whole takes linear time.
_OUTSIDE: Final = re.compile(r'"(?:[^"\\]|\\.?)*(?:"|\Z)|\\.?|[(;]', re.DOTALL)
_INSIDE: Final = re.compile(r"\\.?|[()]", re.DOTALL)
# name [/ version] = value, or ptype.property = value
_PAIR: Final = re.compile(
    r"(?<![A-Za-z0-9_-])([A-Za-z0-9_-]++(?:\s*\.\s*[A-Za-z0-9_-]++)?)\s*(?:/\s*[0-9]++\s*)?="
    r'\s*("(?:[^"\\]|\\.)*"|[^\s"]+)',
    re.DOTALL,
)
_ESCAPED: Final = re.compile(r"\\(.)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Result:
    """What one method found."""

    method: str
    result: str
    properties: Mapping[str, str] = field(default_factory=dict)  # by "ptype.property"
    reason: str = ""
    comment: str = ""  # for people, behind the result; not read back


@dataclass(frozen=True, slots=True)
class Results:
    """What a field says, as far as it can be read."""

    authserv_id: str  # "" where it cannot be read
    results: tuple[Result, ...] = ()
    version: int = 1

    def of(self, method: str) -> list[Result]:
        """Return the results of a method, in lower case."""
        return [each for each in self.results if each.method == method]


def written(authserv_id: str, results: Iterable[Result]) -> bytes:
    """Return the whole field, folded; without results it says that nothing was checked."""
    return b"Authentication-Results: %b;\r\n\t%b\r\n" % (_value(authserv_id), clauses(results))


def clauses(results: Iterable[Result]) -> bytes:
    """Return what stands behind the authserv-id, folded, as ARC wants it, too."""
    return b";\r\n\t".join([_clause(each) for each in results]) or b"none"


def _clause(result: Result) -> bytes:
    words = [f"{_keyword(result.method)}={_keyword(result.result)}"]
    if result.comment:
        words += f"({_commented(result.comment)})".split(" ")
    if result.reason:
        words.append(f"reason={_quoted(result.reason)}")
    for name, value in result.properties.items():
        kind, _, what = name.partition(".")
        words.append(f"{_keyword(kind)}.{_keyword(what)}={_value(value).decode()}")
    lines = [""]
    for word in words:
        if lines[-1] and len(lines[-1]) + len(word) > _LINE:
            lines.append(word)
        else:
            lines[-1] += f" {word}" if lines[-1] else word
    return "\r\n\t".join(lines).encode("utf-8", "surrogateescape")


def _keyword(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9_-]", "", text) or "x"


def _value(text: str) -> bytes:
    plain = text if _PLAIN.match(text) else _quoted(text)
    return plain.encode("utf-8", "surrogateescape")


def _quoted(text: str) -> str:
    inside = _UNSEEN.sub(" ", text).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{inside}"'


def _commented(text: str) -> str:
    return re.sub(r"[()\\]", "", _UNSEEN.sub(" ", text)).strip()


def parsed(value: bytes) -> Results:
    """Read the value of a field: what is neither a result nor a property is passed over."""
    text = value.decode("utf-8", "surrogateescape")
    parts = _parts(text)
    head = parts[0].split()
    if not head:
        return Results("")
    name = _unquoted(head[0])
    version = int(head[1]) if len(head) > 1 and re.fullmatch(r"[0-9]{1,3}", head[1]) else 1
    if len(head) > 2 or (len(head) == 2 and not re.fullmatch(r"[0-9]{1,3}", head[1])):
        return Results("")
    if version != 1:
        return Results(name, (), version)
    results = [_result(part) for part in parts[1 : MAX_RESULTS + 1]]
    return Results(name, tuple(each for each in results if each is not None), version)


def _marks(text: str) -> Iterator[tuple[int, int]]:
    """Yield where the comments are, and the semicolons which are in none and in no quotes."""
    depth = at = begin = 0
    while found := (_INSIDE if depth else _OUTSIDE).search(text, at):
        at = found.end()
        if found[0] == "(":
            begin = begin if depth else found.start()
            depth += 1
        elif found[0] == ")":
            depth -= 1
            if not depth:
                yield begin, at
        elif found[0] == ";":
            yield found.start(), at
    if depth:
        yield begin, len(text)


def _parts(text: str) -> list[str]:
    """Return what stands between the semicolons, without comments."""
    parts: list[str] = []
    kept: list[str] = []
    at = 0
    for begin, end in _marks(text):
        kept.append(text[at:begin])
        at = end
        if text[begin] == ";":
            parts.append(" ".join(kept))
            kept = []
    parts.append(" ".join([*kept, text[at:]]))
    return parts


def _result(part: str) -> Result | None:
    method = result = reason = ""
    properties: dict[str, str] = {}
    for name, value in _PAIR.findall(part):
        name = re.sub(r"\s", "", name).lower()  # noqa: PLW2901 - blanks around the dot are none of it
        text = _unquoted(value)
        if not method:
            if "." in name:
                return None
            method, result = name, text.lower()
        elif "." in name:
            properties.setdefault(name, text)
        elif name == "reason":
            reason = text
    return Result(method, result, properties, reason) if method else None


def _unquoted(text: str) -> str:
    if len(text) >= 2 and text.startswith('"') and text.endswith('"'):
        return _ESCAPED.sub(r"\1", text[1:-1])
    return text


def forged(fields: Fields, own: Iterable[str]) -> list[int]:
    """Return the rows of fields which claim to be ours, and of those nobody can read."""
    names = {name.lower() for name in own}
    rows = []
    for row in fields.rows(NAME):
        found = parsed(fields.unfolded(row)).authserv_id.lower()
        if not found or found in names:
            rows.append(row)
    return rows


def without(fields: Fields, rows: Iterable[int]) -> bytes:
    """Return a header without some of its fields."""
    gone = sorted((fields.place(row) for row in rows), reverse=True)
    raw = fields.raw
    for begin, end in gone:
        raw = raw[:begin] + raw[end:]
    return raw


def said(fields: Fields, authserv_id: str) -> bytes:
    """Return what the fields of an authserv-id say, as they say it, for a field of ARC.

    Several are put together, the uppermost first.
    """
    found = []
    for row in fields.rows(NAME):
        value = fields.value(row)
        text = value.decode("utf-8", "surrogateescape")
        if parsed(value).authserv_id.lower() != authserv_id.lower():
            continue
        ends = [end for begin, end in _marks(text) if text[begin] == ";"]
        rest = text[ends[0] :].strip(" \t\r\n;") if ends else ""
        if rest and rest.lower() != "none":
            found.append(rest)
    return ";\r\n\t".join(found).encode("utf-8", "surrogateescape")
