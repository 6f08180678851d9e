"""The content of a message: msg:header, msg:body, msg:raw, msg:text and searches in them."""

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Final

from angarium.core.body import Body
from angarium.mail.format import search
from angarium.mail.format import text as texts
from angarium.mail.format.addresses import COMPONENTS, components
from angarium.mail.format.draft import Draft
from angarium.mail.format.fields import Head
from angarium.mail.format.tree import tree
from angarium.modules.lua.api.kinds import text
from angarium.modules.lua.api.pcre import captured, expansion, prepared
from angarium.modules.lua.bind import LuaError, Runtime, Table, lua
from angarium.policy.context import Steps
from angarium.policy.mail import Mail

EXTENDED: Final = "msys.extended.message"
END_OF_DATA: Final = b"\r\n.\r\n"
MOST_MATCHES: Final = 10_000
MODES: Final = ("replace", "prepend", "append")
DATA: Final = ("data", "data_spool", "data_spool_each_rcpt", "set_binding")


def readable(mail: Mail) -> Draft:
    """Return the content, to read. Raises LuaError before it has come."""
    if not mail.whole:
        raise LuaError("the message has no content yet")
    return mail.draft


def editable(mail: Mail) -> Draft:
    """Return the content, to change. Raises LuaError where it cannot be."""
    if not mail.whole:
        raise LuaError("the message has no content yet")
    if mail.step == Steps.BINDING:
        raise LuaError("in validate_set_binding a message cannot be changed")
    return mail.edited


# -- header fields ------------------------------------------------------------------------------


def headers(head: Draft | Head, name: str, rest: tuple[object, ...]) -> list[str] | bool:
    """Read, set or delete header fields; what is deleted is set to nothing. Raises LuaError."""
    value, mode = rest[0] if rest else None, rest[1] if len(rest) > 1 else b"replace"
    if mode is None:
        mode = b"replace"
    if not isinstance(mode, bytes) or mode.decode("latin-1") not in MODES:
        raise LuaError(f"the mode is {', '.join(MODES)}")
    several = value.array() if isinstance(value, Table) else [value]
    given = [each for each in map(_field, several) if each]
    if not given:
        return head.delete(name) > 0
    if mode == b"prepend":
        head.prepend(name, *given)
    elif mode == b"append":
        head.append(name, *given)
    else:
        head.replace(name, *given)
    return True


def _field(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bytes):
        return text(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return f"{value:.14g}"
    raise LuaError("the value of a header field is a string, or a table of strings")


@lua("msg:header", package=EXTENDED, phases=DATA)
def header(self: Mail, hdr: str, *rest: object) -> list[str] | bool:
    """Return the values of a header field; with a value set it, with "" delete it.

    A second value is the mode: "replace", "prepend" or "append". The value may be a table of
    several; what is not ASCII is encoded.
    """
    if not rest:
        return readable(self).texts(hdr)
    return headers(editable(self), hdr, rest)


def addresses(values: Iterable[bytes], component: str) -> list[str]:
    """Return a component of each address in header fields. Raises LuaError."""
    if component not in COMPONENTS:
        raise LuaError(f"an address has {', '.join(COMPONENTS)}, not '{component}'")
    return [each for value in values for each in components(value, component)]


@lua("msg:address_header", package=EXTENDED, phases=DATA)
def address_header(self: Mail, headername: str, component: str = "all") -> list[str]:
    """Return a component of each address in all header fields of a name.

    `component`: all, localpart, user, detail or domain.
    """
    return addresses(readable(self).values(headername), component)


# -- octets -------------------------------------------------------------------------------------


def without_end(value: bytes) -> bytes:
    """Return a content without the mark of its end, which scripts have to append."""
    return value[:-3] if value.endswith(END_OF_DATA) else value


@lua("msg:body", package=EXTENDED, phases=DATA)
def body(lua: Runtime, self: Mail, *rest: object) -> bytes:
    """Return the body as it is sent; with a string, make that the body first.

    What is set ends in CRLF.CRLF, which is not returned.
    """
    if rest and rest[0] is not None:
        if not isinstance(rest[0], bytes):
            raise LuaError("a body is a string")
        editable(self).set_body(without_end(rest[0]))
    draft = readable(self)
    lua.room_for(draft.body.size)
    return draft.body_octets


@lua("msg:raw", package=EXTENDED, phases=DATA)
def raw(lua: Runtime, self: Mail, value: bytes | None = None) -> bytes:
    """Return the whole message; with a string, make that the message first."""
    if value is not None:
        editable(self).set_raw(without_end(value))
    draft = readable(self)
    lua.room_for(draft.size)
    return draft.whole()


# -- text ---------------------------------------------------------------------------------------


@lua("msg:text", package=EXTENDED, phases=DATA)
def message_text(lua: Runtime, self: Mail, *rest: object) -> list[str] | str | None:
    """Return the text of the parts that are text, in UTF-8: a string, or a table of several.

    With a string, make that all of the body: `value`, `type` ("text/plain") and `charset`.
    """
    if rest and rest[0] is not None:
        value, mimetype, charset = strings(rest, 3)
        texts.set_text(tree(editable(self), readonly=False), value, mimetype, charset)
        return None
    draft = readable(self)
    lua.room_for(draft.size)
    found = [texts.text_of(part) for part in texts.text_parts(tree(draft))]
    return found if len(found) > 1 else (found[0] if found else "")


def strings(rest: tuple[object, ...], count: int) -> list[str]:
    """Return so many strings; "" for what is not given. Raises LuaError."""
    given = [*rest, *[None] * count][:count]
    for number, each in enumerate(given, 1):
        if not isinstance(each, bytes | None):
            raise LuaError(f"bad argument #{number} (string expected)")
    return [text(each) if isinstance(each, bytes) else "" for each in given]


# -- searches -----------------------------------------------------------------------------------


def matched(found: Iterator[re.Match[str]], codec: str) -> dict[object, object] | bool:
    """Return what a search found: captures of the first match, and at `matches` those of all."""
    every: list[dict[object, object]] = [
        dict(captured(each, codec).items()) for each in islice(found, MOST_MATCHES)
    ]
    return {**every[0], "matches": every} if every else False


def searched(pattern: bytes, longest: int) -> tuple[re.Pattern[str], str]:
    """Return a pattern for a content of so many octets, and its codec. Raises LuaError."""
    compiled, _, codec = prepared(b"x" * min(longest, search.WINDOW), pattern)
    return compiled, codec


def search_in(content: Body, pattern: bytes) -> dict[object, object] | bool:
    """Search a content of any size. Raises LuaError."""
    compiled, codec = searched(pattern, content.size)
    return matched(search.matches(compiled, content.pieces(), codec), codec)


def replace_in(
    content: Body, pattern: bytes, replacement: bytes, write: Callable[[Body], None]
) -> bool:
    """Replace in a content of any size; say whether that changed it. Raises LuaError."""
    compiled, codec = searched(pattern, content.size)
    made = search.replaced(compiled, content, expansion(replacement, codec), codec, ended=True)
    if made is None:
        return False
    write(made)
    return True


@lua("msg:body_match", package=EXTENDED, phases=DATA)
def body_match(self: Mail, pattern: bytes) -> dict[object, object] | bool:
    """Search the body as it is sent: captures of the first match, all at `matches`; or false."""
    return search_in(readable(self).body, pattern)


@lua("msg:body_replace", package=EXTENDED, phases=DATA[:3])
def body_replace(self: Mail, pattern: bytes, replacement: bytes) -> bool:
    """Replace in the body as it is sent; return false where that changes nothing."""
    draft = editable(self)
    return replace_in(draft.body, pattern, replacement, draft.set_body)


@lua("msg:raw_match", package=EXTENDED, phases=DATA)
def raw_match(self: Mail, pattern: bytes) -> dict[object, object] | bool:
    """Search header and body: captures of the first match, all at `matches`; or false."""
    return search_in(_Whole(readable(self)), pattern)


@lua("msg:raw_replace", package=EXTENDED, phases=DATA[:3])
def raw_replace(self: Mail, pattern: bytes, replacement: bytes) -> bool:
    """Replace in header and body; return false where that changes nothing."""
    draft = editable(self)
    return replace_in(_Whole(draft.copy()), pattern, replacement, draft.set_raw)


@lua("msg:text_match", package=EXTENDED, phases=DATA)
def text_match(self: Mail, pattern: bytes) -> dict[object, object] | bool:
    """Search the text of the parts that are text: captures, all at `matches`; or false."""
    draft = readable(self)
    compiled, codec = searched(pattern, draft.size)
    return matched(texts.text_matches(tree(draft), compiled, codec), codec)


@lua("msg:text_replace", package=EXTENDED, phases=DATA[:3])
def text_replace(self: Mail, pattern: bytes, replacement: bytes) -> bool:
    """Replace in the text of parts, in their charset and encoding; false: nothing changed."""
    draft = editable(self)
    compiled, codec = searched(pattern, draft.size)
    top = tree(draft, readonly=False)
    return texts.text_replace(top, compiled, expansion(replacement, codec), codec)


class _Whole:
    """A whole message as a body, header and all."""

    def __init__(self, draft: Draft) -> None:
        self._draft = draft
        self.size = draft.size

    def pieces(self, at_most: int = 65536) -> Iterator[bytes]:
        return self._draft.pieces()

    def whole(self) -> bytes:
        return self._draft.whole()
