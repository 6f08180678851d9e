"""msys.delivery, msys.httpclnt, msys.gcm, msys.apn: what a status of a push service means.

Numbers and names are those services' own. What they say for sure is a failure for good; all else
may be another time.
"""

from collections.abc import Mapping
from typing import Final

from angarium.modules.lua.bind import lua, lua_constants

CONTINUE: Final = 0  # of generic_delivery_msg_dispose: go on as without it
DONE: Final = 1  # it has dealt with the message
SUCCESS: Final = 2
TEMPFAILED: Final = 3
PERMFAILED: Final = 4

lua_constants(
    "msys.delivery",
    DELIVERY_CONTINUE=CONTINUE,
    DELIVERY_DONE=DONE,
    DELIVERY_SUCCESS=SUCCESS,
    DELIVERY_TEMPFAILED=TEMPFAILED,
    DELIVERY_PERMFAILED=PERMFAILED,
)
lua_constants(
    "msys.httpclnt",
    HTTP_INTERNAL_CONT=0,
    HTTP_INTERNAL_OK=0,
    HTTP_INTERNAL_DONE=1,
    HTTP_INTERNAL_FAIL=-1,
)

# Name of a constant, what Google's service says, and whether to try again.
GCM: Final[tuple[tuple[str, str, bool], ...]] = (
    ("GCM_NO_ERROR", "", False),
    ("GCM_UNAVAILABLE", "Unavailable", True),
    ("GCM_MISSING_REGISTRATION", "MissingRegistration", False),
    ("GCM_INVALID_REGISTRATION", "InvalidRegistration", False),
    ("GCM_MISMATCH_SENDER_ID", "MismatchSenderId", False),
    ("GCM_NOT_REGISTERED", "NotRegistered", False),
    ("GCM_MESSAGE_TOO_BIG", "MessageTooBig", False),
    ("GCM_INVALID_DATA_KEY", "InvalidDataKey", False),
    ("GCM_INVALID_TTL", "InvalidTtl", False),
    ("GCM_INTERNAL_SERVER_ERROR", "InternalServerError", True),
    ("GCM_INVALID_PACKAGE_NAME", "InvalidPackageName", False),
)
GCM_UNKNOWN: Final = len(GCM)
lua_constants(
    "msys.gcm",
    **{name: code for code, (name, _, _) in enumerate(GCM)},
    GCM_UNKNOWN=GCM_UNKNOWN,
    GCM_UNKNOW=GCM_UNKNOWN,  # as the manual of Lua has it
)
_GCM_BY_WORD: Final[Mapping[str, int]] = {
    word.lower(): code for code, (_, word, _) in enumerate(GCM)
}
# Of Apple's binary service: a fault there, a server which is being shut down, an unknown one.
_APN_TEMPORARY: Final = frozenset({1, 10, 255})


@lua("msys.httpclnt.http_status_classifier", since="3.6")
def http_status_classifier(status: int) -> int:
    """Say what a status of HTTP means: DELIVERY_SUCCESS for 2xx, else DELIVERY_PERMFAILED."""
    return SUCCESS if 200 <= status < 300 else PERMFAILED


@lua("msys.gcm.gcm_classify_error", since="3.5.5")
def gcm_classify_error(status: int) -> int:
    """Say what a code of Google's service means, one of the constants GCM_..."""
    if status == 0:
        return SUCCESS
    known = 0 < status < len(GCM)
    return TEMPFAILED if known and GCM[status][2] else PERMFAILED


@lua("msys.gcm.gcm_get_result_error_code", since="3.5.5")
def gcm_get_result_error_code(error: str = "") -> int:
    """Return the code of what Google's service says, one of the constants GCM_..."""
    return _GCM_BY_WORD.get(error.lower(), GCM_UNKNOWN)


@lua("msys.apn.apn_status_classifier", since="3.5.5")
def apn_status_classifier(status: int) -> int:
    """Say what a code of Apple's service means."""
    if status == 0:
        return SUCCESS
    return TEMPFAILED if status in _APN_TEMPORARY else PERMFAILED
