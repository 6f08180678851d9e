"""What OpenSSL can do and the `ssl` of Python does not let us: by its own functions.

    cipher suites of TLS 1.3                            Python 3.15 has set_ciphersuites
    a list of groups for the exchange of keys           Python 3.15 has set_groups
    Diffie-Hellman with parameters of the library
    a certificate that is asked for, judged, and not insisted on
    no memory of sessions, where a resumed one would not be judged again

A context of Python begins with the head of any object, then the pointer to that of OpenSSL. That
has been so from Python 2.6 to 3.14, and is tried once on contexts whose setting we know before it
is believed: where it is not so, or the functions cannot be found, `AVAILABLE` is false, each of
these says UnsupportedError, and all else of TLS works.
"""

import _ssl
import ctypes
import functools
import ssl
import sys
from collections.abc import Callable
from typing import Any, Final

from angarium.core.errors import Error

_SET_CACHE_SIZE: Final = 42  # SSL_CTRL_SET_SESS_CACHE_SIZE, of openssl/ssl.h as the others
_SET_CACHE_MODE: Final = 44
_SET_GROUPS_LIST: Final = 92
_SET_DH_AUTO: Final = 118
_CACHE_OFF: Final = 0
# Sessions kept for clients which know no tickets; each has some 2 KB. OpenSSL's own 20,480 would
# be 40 MB for each context.
_SESSIONS: Final = 1000
_MODES: Final = {ssl.CERT_NONE: 0, ssl.CERT_OPTIONAL: 1, ssl.CERT_REQUIRED: 3}
_VERIFY_PEER: Final = 1


class UnsupportedError(Error):
    """The library does not do this, or does not let us."""


class _Functions:
    """Those of the library which `ssl` itself uses."""

    def __init__(self) -> None:
        path = getattr(_ssl, "__file__", None)
        library = ctypes.CDLL(path)
        self._callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int, ctypes.c_void_p)
        self.control: Any = library.SSL_CTX_ctrl
        self.control.argtypes = (ctypes.c_void_p, ctypes.c_int, ctypes.c_long, ctypes.c_void_p)
        self.control.restype = ctypes.c_long
        self.set_suites: Any = library.SSL_CTX_set_ciphersuites
        self.set_suites.argtypes = (ctypes.c_void_p, ctypes.c_char_p)
        self.set_verify: Any = library.SSL_CTX_set_verify
        self.set_verify.argtypes = (ctypes.c_void_p, ctypes.c_int, self._callback)
        self.set_verify.restype = None
        self.verify_mode: Any = library.SSL_CTX_get_verify_mode
        self.verify_mode.argtypes = (ctypes.c_void_p,)
        self.error: Any = library.X509_STORE_CTX_get_error
        self.error.argtypes = (ctypes.c_void_p,)
        self.judge = self._callback(_judge)

    def proved(self) -> bool:
        """Say whether a context is laid out as we think."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        for mode, number in _MODES.items():
            context.verify_mode = mode
            if self.verify_mode(_pointer(context)) != number:
                return False
        return True


def _pointer(context: ssl.SSLContext) -> int:
    found = ctypes.c_void_p.from_address(id(context) + object.__basicsize__).value
    return found or 0


@functools.cache
def _functions() -> _Functions | None:
    if sys.implementation.name != "cpython":
        return None
    try:
        found = _Functions()
    except (AttributeError, OSError, TypeError):
        return None  # It is linked in, and shows no names.
    return found if found.proved() else None


def available() -> bool:
    """Say whether what stands here can be done."""
    return _functions() is not None


def _needed(what: str) -> _Functions:
    found = _functions()
    if found is None:
        raise UnsupportedError(f"{what} cannot be set in this Python")
    return found


def set_suites(context: ssl.SSLContext, suites: str) -> None:
    """Set cipher suites of TLS 1.3, the preferred one first. Raises UnsupportedError."""
    if _needed("cipher suites of TLS 1.3").set_suites(_pointer(context), suites.encode()) != 1:
        raise UnsupportedError(f"OpenSSL does not know these cipher suites: {suites}")


def set_groups(context: ssl.SSLContext, groups: str) -> None:
    """Set groups for the exchange of keys, the preferred one first. Raises UnsupportedError."""
    control = _needed("groups for the exchange of keys").control
    if control(_pointer(context), _SET_GROUPS_LIST, 0, groups.encode()) != 1:
        raise UnsupportedError(f"OpenSSL does not know all of these groups: {groups}")


def set_own_dh(context: ssl.SSLContext) -> None:
    """Use parameters of the library for Diffie-Hellman, where it lets us."""
    found = _functions()
    if found is not None:
        found.control(_pointer(context), _SET_DH_AUTO, 1, None)


def remember_few_sessions(context: ssl.SSLContext) -> None:
    """Bound the memory of sessions of a server, where the library lets us."""
    found = _functions()
    if found is not None:
        found.control(_pointer(context), _SET_CACHE_SIZE, _SESSIONS, None)


# Certificates which are judged and not insisted on.

_judged: list[int] = []  # what was wrong with certificates of the handshake that is at work


def _judge(fine: int, store: int | None) -> int:
    """Take the library's verdict on one certificate of a chain, and let it go on in any case."""
    if not fine:
        found = _functions()
        _judged.append(found.error(store) if found is not None else 1)
    return 1


def judge_only(context: ssl.SSLContext) -> None:
    """Ask clients for a certificate, and let them in whatever it is. Raises UnsupportedError.

    No session is resumed by such a context: its certificate would not be judged again.
    """
    found = _needed("a certificate which is asked for and not insisted on")
    context.verify_mode = ssl.CERT_OPTIONAL
    context.options |= ssl.OP_NO_TICKET
    context.num_tickets = 0
    pointer = _pointer(context)
    found.control(pointer, _SET_CACHE_MODE, _CACHE_OFF, None)
    found.set_verify(pointer, _VERIFY_PEER, found.judge)


def judge_host(context: ssl.SSLContext) -> None:
    """Let a client go on whatever the host's certificate is. Raises UnsupportedError.

    A session that is resumed is not judged again: who keeps it keeps what was said of it.
    """
    found = _needed("a certificate which is judged and not insisted on")
    context.check_hostname = False
    context.verify_mode = ssl.CERT_OPTIONAL
    found.set_verify(_pointer(context), _VERIFY_PEER, found.judge)


def with_verdict(handshake: Callable[[], None], tell: Callable[[list[int]], None]) -> None:
    """Go on with a handshake; tell what is wrong with the peer's certificates, if anything is.

    A step which needs more octets ends by an exception, and may have judged them all the same.
    One thread makes all handshakes, and a step of one is not interrupted by another's.
    """
    _judged.clear()
    try:
        handshake()
    finally:
        if _judged:
            tell(list(_judged))
