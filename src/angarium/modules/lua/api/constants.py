"""Constants of msys.core.

Scripts use their names. Where a manual or a header of Momentum tells a number it is that; the
others are ours.
"""

import socket

from angarium.modules.lua.bind import lua_constants
from angarium.policy.context import Which
from angarium.policy.verdict import AGAIN, CONT, DONE

# What a callout returns. EC_HOOK_... are those of core_final_validation2.
lua_constants(
    "msys.core",
    VALIDATE_CONT=CONT.value,
    VALIDATE_AGAIN=AGAIN.value,
    VALIDATE_DONE=DONE.value,
    EC_HOOK_CONT=0,
    EC_HOOK_DONE=1,
    EC_HOOK_RETRY=2,
)

# Which dictionary: both names mean the same ones, and scripts mix them.
lua_constants(
    "msys.core",
    VCTX_MESS=int(Which.MESSAGE),
    VCTX_CONN=int(Which.CONNECTION),
    ECMESS_CTX_MESS=int(Which.MESSAGE),
    ECMESS_CTX_CONN=int(Which.CONNECTION),
)

# Of msg:get_envelope2; they are joined by "|".
EC_MSG_ENV_FROM, EC_MSG_ENV_TO, EC_MSG_ENV_COMPLETE = 1, 2, 4
lua_constants(
    "msys.core",
    EC_MSG_ENV_FROM=EC_MSG_ENV_FROM,
    EC_MSG_ENV_TO=EC_MSG_ENV_TO,
    EC_MSG_ENV_COMPLETE=EC_MSG_ENV_COMPLETE,
)

# How a message came: msg.recv_method. A sample tells that 2 is ESMTP.
lua_constants(
    "msys.core",
    P_UNKNOWN=0,
    P_SMTP=1,
    P_ESMTP=2,
    P_ECSTREAM=3,
    P_INTERNAL=4,
    P_HTTP=5,
    P_PICKUP=6,
)

# Transfer encodings of parts.
lua_constants(
    "msys.core",
    EC_MIME_TE_7BIT=0,
    EC_MIME_TE_8BIT=1,
    EC_MIME_TE_BASE64=2,
    EC_MIME_TE_QUOTED_PRINTABLE=3,
)

# What an authentication scheme returns.
EC_AUTH_OK, EC_AUTH_FAIL, EC_AUTH_ERROR = 0, 1, 2
lua_constants(
    "msys.core",
    EC_AUTH_OK=EC_AUTH_OK,
    EC_AUTH_FAIL=EC_AUTH_FAIL,
    EC_AUTH_ERROR=EC_AUTH_ERROR,
)

# What a report tells of a recipient.
FAILED, DELAYED, DELIVERED, RELAYED, EXPANDED = range(1, 6)
lua_constants(
    "msys.core",
    FAILED=FAILED,
    DELAYED=DELAYED,
    DELIVERED=DELIVERED,
    RELAYED=RELAYED,
    EXPANDED=EXPANDED,
)

# Where a function runs which is called when another thread is done.
lua_constants("msys.core", ECTP_COMPLETE_CALLBACK=0, ECTP_COMPLETE_CALLBACK_SCHED=1)

lua_constants("msys.core", AF_INET=int(socket.AF_INET), AF_INET6=int(socket.AF_INET6))

# Levels of msys.log, as syslog has them.
LEVELS = ("EMERG", "ALERT", "CRIT", "ERR", "WARNING", "NOTICE", "INFO", "DEBUG")
lua_constants("msys.core", **{f"LOG_{name}": number for number, name in enumerate(LEVELS)})
lua_constants("msys.core", LOG_ERROR=LEVELS.index("ERR"), LOG_CRITICAL=LEVELS.index("CRIT"))

# What a Sieve script may use, of msys.runSieveScript.
lua_constants(
    "msys.core",
    **{
        f"SIEVEREQ_{name}": 1 << number
        for number, name in enumerate(
            "MSG ENV_FROM ENV_TO AC 550_OK PHASE_CONNECT PHASE_EHLO PHASE_MAILFROM PHASE_RCPTTO"
            " PHASE_DATA PHASE_SPOOL PHASE_EACH_RCPT DNS_LOOKUP_OK MSG_BODY PHASE_ACCEPT".split()
        )
    },
)
