"""`msys.tls_params`: what TLS to a host is to be like (core_get_outbound_tls_parameters)."""

from collections.abc import Callable
from typing import Any, Final

from angarium.modules.lua.api.kinds import octets, text
from angarium.modules.lua.bind import LuaError, lua, lua_field, lua_object
from angarium.policy.hook import TlsParameters

TEXTS: Final = ("certfile", "keyfile", "ca", "cipherlist")
NUMBERS: Final = ("use_tls", "tls_verify")

lua_object("tls_params", "ec_ssl_ctx_params")(TlsParameters)


def _read(name: str) -> Callable[[Any], object]:
    return lambda params: octets(getattr(params, name)) or None


def _number(name: str) -> Callable[[Any, Any], None]:
    def write(params: TlsParameters, value: Any) -> None:
        if isinstance(value, bool) or not isinstance(value, int | float) or value != int(value):
            raise LuaError(f"{name} is a number: {value!r} is none")
        setattr(params, name, int(value))

    return write


lua_field(
    "tls_params.use_tls", lambda params: params.use_tls, _number("use_tls"),
    doc="0 no, 1 ifavailable, 2 required.",
)  # fmt: skip
lua_field(
    "tls_params.tls_verify", lambda params: params.tls_verify, _number("tls_verify"),
    doc="0 no, 1 ca, 2 host.",
)  # fmt: skip
for _name, _doc in zip(
    TEXTS,
    (
        "File of our certificate.", "File of its key.", "File of the authorities which count.",
        "Ciphers up to TLS 1.2.",
    ),
    strict=True,
):  # fmt: skip
    lua_field(f"tls_params.{_name}", _read(_name), doc=_doc)


@lua("msys.tls_params.set", since="4.4")
def set_parameter(tls_params: TlsParameters, param: str, val: bytes) -> None:
    """Set a text of them by its name; an empty one takes it away."""
    if param not in TEXTS:
        raise LuaError(f"{param!r} is none of {', '.join(TEXTS)}")
    setattr(tls_params, param, text(val))
