"""The objects of mail which scripts hold, and what the functions about them have in common.

A validation context and an accept construct are one object, `policy/context.Session`, by two names.
"""

from typing import Final

from angarium.core.reply import Reply, from_text
from angarium.modules.lua.bind import LuaError, lua, lua_object
from angarium.policy.context import Session, Steps, Which
from angarium.policy.mail import Mail

lua_object("ac", "accept_construct")(Session)
lua_object("vctx", "validate_context")(Session)
lua_object("mc", "message_construct", doc="The message which a session is about to bring.")(Session)
lua_object("msg", "ec_message", lasting=True)(Mail)
lua_object("list", "list_node", userdata=True, lasting=True)(Mail)

_WHICH: Final = {int(which): which for which in Which}


@lua_object("string", "ec_string", userdata=True)
class Text:
    """A string which functions of ours can fill."""

    def __init__(self, octets: bytes = b"") -> None:
        self.octets = octets


@lua("msys.core.string_new", since="3.0")
def string_new() -> Text:
    """Make an empty string, for a function which fills it."""
    return Text()


@lua("string:set")
def string_set(self: Text, text: bytes, length: int | None = None) -> None:
    """Put a text in; with a length, that much of it."""
    self.octets = text if length is None else text[: max(length, 0)]


@lua("string:write")
def string_write(self: Text, text: bytes, length: int | None = None) -> None:
    """Put a text behind what is there; with a length, that much of it."""
    self.octets += text if length is None else text[: max(length, 0)]


@lua("string:__tostring")
def string_text(self: Text) -> bytes:
    """Return the text."""
    return self.octets


@lua("string:__len")
def string_length(self: Text) -> int:
    """Return how many octets it has."""
    return len(self.octets)


@lua("list:__len")
def list_length(self: Mail) -> int:
    """Return how many recipients there are."""
    return len(self.recipients)


@lua("list:__index")
def list_item(self: Mail, place: object) -> bytes | None:
    """Return the address of a recipient by its place, from 1 on."""
    if not isinstance(place, int) or not 1 <= place <= len(self.recipients):
        return None
    return octets(self.recipients[place - 1].address)


def which(number: int) -> Which:
    """Return a dictionary by its number.

    Raises:
        LuaError: it has none of ours.
    """
    try:
        return _WHICH[number]
    except KeyError:
        said = f"{number} is neither msys.core.VCTX_MESS nor msys.core.VCTX_CONN"
        raise LuaError(said) from None


def text(octets: bytes) -> str:
    return octets.decode("utf-8", "surrogateescape")


def octets(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def reply(code: int, said: bytes) -> Reply:
    """Return an SMTP reply; a code of 0 is to be found in the text.

    Raises:
        LuaError: it is none.
    """
    line = said.decode("utf-8", "replace").replace("\r\n", "\n").strip()
    if code == 0:
        if not line[:3].isdigit():
            raise LuaError("the reply begins with no code")
        return from_text(line)
    if not 200 <= code <= 599:
        raise LuaError(f"{code} is no code of a reply")
    return from_text(f"{code} {line}")


def not_after(mail: Mail | Session, step: Steps, what: str) -> None:
    """Raise LuaError if it is too late for something."""
    if mail.step > step:
        raise LuaError(f"{what} cannot be changed any more")
