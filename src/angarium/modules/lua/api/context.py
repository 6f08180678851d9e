"""The two dictionaries of strings: msg:context_get and friends, vctx:get and vctx:set.

That of the connection lives as long as the session, that of the message begins anew with each MAIL;
both go with the message to the disk. In a hook for one recipient the message's is its own.
"""

from angarium.modules.lua import current
from angarium.modules.lua.api.kinds import octets, text, which
from angarium.modules.lua.bind import LuaError, Runtime, Several, lua
from angarium.policy.context import Session, Which
from angarium.policy.mail import Mail

CORE = "msys.core"
_CONNECTION = int(Which.CONNECTION)


def written(value: object) -> str:
    """Return a value as the dictionaries keep it: numbers and booleans as strings.

    Raises:
        LuaError: it is of another kind.
    """
    if isinstance(value, bytes):
        return text(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return f"{value:.14g}"
    if value is None:
        return ""
    raise LuaError("a variable is a string or a number")


@lua("msg:context_get", package=CORE)
def context_get(self: Mail, type: int, key: bytes) -> bytes:
    """Return a variable; "" if there is none."""
    found = self.get(which(type), key.decode("utf-8", "surrogateescape"))
    return found.encode("utf-8", "surrogateescape") if found else b""


@lua("msg:context_set", package=CORE)
def context_set(self: Mail, type: int, key: bytes, value: object) -> None:
    """Set a variable."""
    plain = value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else written(value)
    self.set(which(type), key.decode("utf-8", "surrogateescape"), plain)


@lua("msg:context_exists", package=CORE)
def context_exists(self: Mail, type: int, key: bytes) -> int:
    """Return 1 if there is such a variable, else 0, which is true in Lua."""
    return int(self.get(which(type), text(key)) is not None)


@lua("msg:context_exists_and_get", package=CORE)
def context_exists_and_get(self: Mail, type: int, key: bytes) -> Several:
    """Return 1 and a variable, or 0 and nil."""
    found = self.get(which(type), text(key))
    return Several(0, None) if found is None else Several(1, octets(found))


@lua("msg:context_delete", package=CORE)
def context_delete(self: Mail, type: int, key: bytes) -> int:
    """Forget a variable; return 1 if there was one, else 0."""
    return int(self.delete(which(type), text(key)))


def mail_of(lua: Runtime, session: Session) -> Mail | None:
    """Return the message a validation context is about: in a hook that of the hook."""
    ours, mail = current.about(lua)
    return mail if ours is session and mail is not None else session.mail


def _get(lua: Runtime, session: Session, type: int, key: bytes) -> str | None:
    kind = which(type)
    if kind is Which.CONNECTION:
        return session.variables.get(text(key))
    mail = mail_of(lua, session)
    return None if mail is None else mail.get(kind, text(key))


@lua("vctx:get", package=CORE)
def vctx_get(lua: Runtime, self: Session, type: int, key: bytes) -> bytes:
    """Return a variable; "" if there is none."""
    if type == _CONNECTION:  # As `_get`; it is what policies ask most.
        found = self.variables.get(key.decode("utf-8", "surrogateescape"))
    else:
        found = _get(lua, self, type, key)
    return found.encode("utf-8", "surrogateescape") if found else b""


@lua("vctx:exists", package=CORE)
def vctx_exists(lua: Runtime, self: Session, type: int, key: bytes) -> int:
    """Return 1 if there is such a variable, else 0, which is true in Lua."""
    return int(_get(lua, self, type, key) is not None)


@lua("vctx:set", package=CORE)
def vctx_set(lua: Runtime, self: Session, type: int, key: bytes, value: object) -> None:
    """Set a variable."""
    kind = which(type)
    if kind is Which.CONNECTION:
        name = key.decode("utf-8", "surrogateescape")
        if isinstance(value, bytes):
            self.variables[name] = value.decode("utf-8", "surrogateescape")
        else:
            self.variables[name] = written(value)
        return
    mail = mail_of(lua, self)
    if mail is None:
        raise LuaError("there is no message yet whose variable could be set")
    mail.set(kind, text(key), written(value))


@lua("vctx:delete", package=CORE)
def vctx_delete(lua: Runtime, self: Session, type: int, key: bytes) -> int:
    """Forget a variable; return 1 if there was one, else 0."""
    kind = which(type)
    if kind is Which.CONNECTION:
        return int(self.variables.pop(text(key), None) is not None)
    mail = mail_of(lua, self)
    return int(mail is not None and mail.delete(kind, text(key)))
