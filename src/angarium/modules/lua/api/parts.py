"""Parts of a message: msg:mime, msgpart and the making of new parts."""

import secrets
from typing import Final

from angarium.core.body import MemoryBody
from angarium.mail.format import build, transfer
from angarium.mail.format import text as texts
from angarium.mail.format.tree import Part, tree
from angarium.modules.lua.api.content import (
    DATA,
    EXTENDED,
    addresses,
    editable,
    headers,
    matched,
    readable,
    replace_in,
    search_in,
    searched,
    strings,
)
from angarium.modules.lua.api.files import IoObject
from angarium.modules.lua.api.pcre import expansion
from angarium.modules.lua.bind import LuaError, lua, lua_field, lua_object
from angarium.policy.mail import Mail

lua_object("msgpart", "msgpart")(Part)

# As constants.py numbers them.
ENCODINGS: Final = ("7bit", "8bit", "base64", "quoted-printable")


@lua("msg:mime", package=EXTENDED, phases=DATA)
def mime(self: Mail, readonly: bool = True) -> Part:
    """Return the top of the parts: with false they can be changed.

    `part.thread` is the next one in the order of the message, `part.parts` those in it.
    """
    if readonly:
        return tree(readable(self))
    return tree(editable(self), readonly=False)


def _encoded(body: object, encoding: str) -> bytes:
    if body is None:
        return b""
    if isinstance(body, IoObject):
        body.seek("set", 0)
        body = body.read(b"*a") or b""
        return transfer.encoded(body if isinstance(body, bytes) else b"", encoding)
    if isinstance(body, bytes):
        return body
    raise LuaError("bad argument #2 to 'msg:makePart' (string or io_object expected)")


@lua("msg:makePart", package=EXTENDED, phases=DATA[:3])
def make_part(self: Mail, mimetype: str, body: object = None, encoding: int = 0) -> Part:
    """Return a new part: a string is its body as it is sent; a file is encoded.

    `encoding`: one of msys.core.EC_MIME_TE_...
    """
    if not 0 <= encoding < len(ENCODINGS):
        raise LuaError("the encoding is one of msys.core.EC_MIME_TE_...")
    name = ENCODINGS[encoding]
    return build.leaf(mimetype, _encoded(body, name), name)


@lua("msg:makeContainer", package=EXTENDED, phases=DATA[:3])
def make_container(
    self: Mail, mimetype: str, boundary: str | None = None, add_terminator: bool = False
) -> Part:
    """Return a new part which holds others; without a boundary it gets one."""
    if boundary and not (boundary.isascii() and boundary.isprintable() and len(boundary) <= 70):
        raise LuaError("a boundary has up to 70 characters of ASCII")  # RFC 2046 section 5.1.1
    return build.container(mimetype, boundary or _boundary(self, ()))


def _boundary(mail: Mail, parts: tuple[Part, ...]) -> str:
    tops = (tree(mail.draft),) if mail.whole else ()
    return build.boundary_beside(secrets.token_hex(8), *tops, *parts)


@lua("msg:makeBoundary", package=EXTENDED, phases=DATA[:3])
def make_boundary(self: Mail, *rest: object) -> str:
    """Return a boundary which is nowhere in the message, nor in the parts that are given."""
    parts = []
    for each in rest:
        if not isinstance(each, Part):
            raise LuaError("a boundary is made beside parts of a message")
        parts.append(each)
    return _boundary(self, tuple(parts))


# -- the tree -----------------------------------------------------------------------------------


@lua("msgpart:addFirstChild", package=EXTENDED, phases=DATA[:3])
def add_first(self: Part, child: Part) -> bool:
    """Put a part before all others in a container."""
    self.add_first(child)
    return True


@lua("msgpart:addLastChild", package=EXTENDED, phases=DATA[:3])
def add_last(self: Part, child: Part) -> bool:
    """Put a part behind all others in a container."""
    self.add_last(child)
    return True


@lua("msgpart:insertBefore", package=EXTENDED, phases=DATA[:3])
def insert_before(self: Part, before: Part) -> None:
    """Put it before another part."""
    self.insert_before(before)


@lua("msgpart:insertAfter", package=EXTENDED, phases=DATA[:3])
def insert_after(self: Part, after: Part) -> None:
    """Put it behind another part."""
    self.insert_after(after)


@lua("msgpart:unlink", package=EXTENDED, phases=DATA[:3])
def unlink(self: Part) -> None:
    """Take it, with all in it, out of the message."""
    self.unlink()


lua_field("msgpart.thread", lambda part: part.thread, doc="The next one in the message, or nil.")
lua_field("msgpart.parts", lambda part: list(part.parts), doc="Those in it.")
lua_field("msgpart.parent", lambda part: part.parent, doc="The one it is in, or nil.")
lua_field("msgpart.body", lambda part: part.body, doc="Its body as it is sent.")


def _range(_part: Part, _value: object) -> None:
    """The limits of a body, which scripts set on parts they make: here a body has its own."""


lua_field("msgpart.body_start", lambda part: 0, _range, doc="Where the body begins.")
lua_field("msgpart.body_end", lambda part: len(part.body), _range, doc="Where the body ends.")

# -- header and content -------------------------------------------------------------------------


@lua("msgpart:header", package=EXTENDED, phases=DATA)
def header(self: Part, name: str, *rest: object) -> list[str] | bool:
    """Return the values of a header field of the part; with a value set it, with nil delete it.

    A second value is the mode: "replace", "prepend" or "append".
    """
    if not rest:
        return self.header.texts(name)
    return headers(self.header, name, rest)


@lua("msgpart:address_header", package=EXTENDED, phases=DATA)
def address_header(self: Part, headername: str, component: str = "all") -> list[str]:
    """Return a component of each address in all header fields of a name."""
    return addresses(self.header.values(headername), component)


@lua("msgpart:content_type", package=EXTENDED, phases=DATA)
def content_type(self: Part) -> dict[str, object]:
    """Return what it is: mimetype, charset, encoding, is_attachment and filename."""
    kind = self.kind
    return {
        "mimetype": kind.mimetype,
        "charset": kind.charset or None,
        "encoding": kind.encoding,
        "is_attachment": kind.is_attachment,
        "filename": kind.filename or None,
    }


@lua("msgpart:text", package=EXTENDED, phases=DATA)
def part_text(self: Part, *rest: object) -> str | None:
    """Return its text, in UTF-8, or nil if it holds parts; with a string, make that its text first.

    `value`, `type` and `charset`.
    """
    if rest and rest[0] is not None:
        value, mimetype, charset = strings(rest, 3)
        texts.set_text(self, value, mimetype, charset)
    return None if self.parts else texts.text_of(self)


def _set_body(part: Part, octets: bytes) -> None:
    part.body = octets


def _set_raw(part: Part, octets: bytes) -> None:
    part.raw = octets


@lua("msgpart:body_match", package=EXTENDED, phases=DATA)
def body_match(self: Part, pattern: bytes) -> dict[object, object] | bool:
    """Search its body as it is sent: captures of the first match, all at `matches`; or false."""
    return search_in(MemoryBody(self.body), pattern)


@lua("msgpart:body_replace", package=EXTENDED, phases=DATA[:3])
def body_replace(self: Part, pattern: bytes, replacement: bytes) -> bool:
    """Replace in its body as it is sent; return false where that changes nothing."""
    content = MemoryBody(self.body)
    return replace_in(content, pattern, replacement, lambda made: _set_body(self, made.whole()))


@lua("msgpart:raw_match", package=EXTENDED, phases=DATA)
def raw_match(self: Part, pattern: bytes) -> dict[object, object] | bool:
    """Search its header and body: captures of the first match, all at `matches`; or false."""
    return search_in(MemoryBody(self.raw), pattern)


@lua("msgpart:raw_replace", package=EXTENDED, phases=DATA[:3])
def raw_replace(self: Part, pattern: bytes, replacement: bytes) -> bool:
    """Replace in its header and body; return false where that changes nothing."""
    content = MemoryBody(self.raw)
    return replace_in(content, pattern, replacement, lambda made: _set_raw(self, made.whole()))


@lua("msgpart:text_match", package=EXTENDED, phases=DATA)
def text_match(self: Part, pattern: bytes) -> dict[object, object] | bool:
    """Search its text: captures of the first match, all at `matches`; or false."""
    compiled, codec = searched(pattern, len(self.raw))
    return matched(texts.text_matches(self, compiled, codec), codec)


@lua("msgpart:text_replace", package=EXTENDED, phases=DATA[:3])
def text_replace(self: Part, pattern: bytes, replacement: bytes) -> bool:
    """Replace in its text, in its charset and encoding; return false where nothing changed."""
    compiled, codec = searched(pattern, len(self.raw))
    return texts.text_replace(self, compiled, expansion(replacement, codec), codec)
