"""Policies which benchmarks put before reception, as texts of a configuration.

    none            nobody is asked
    python          an empty function of Python for each hook of a message
    lua             an empty callout of Lua for each of them
    limits          policy in Lua as sites have it: sessions and recipients counted, a list, a size
    NAME=FILE       a script in Lua which registers itself as NAME

The training policy of github.com/SparkPost/momentum_sample_policy is `inbound_policy=FILE`. It lets
in more than one session of those only who are on its list of good guys.
"""

from pathlib import Path
from typing import Final

KINDS: Final = ("none", "python", "lua", "limits")
_PYTHON: Final = """
from angarium.policy.script import on

@on.sender
def sender() -> None: ...
@on.recipient
def recipient() -> None: ...
@on.data
def data() -> None: ...
@on.message
def message() -> None: ...
@on.each_recipient
def each_recipient() -> None: ...
"""
_LUA: Final = """
local mod = {}
local function nothing() return msys.core.VALIDATE_CONT end
for _, name in ipairs {
  "validate_mailfrom", "validate_rcptto", "validate_data", "validate_data_spool",
  "validate_data_spool_each_rcpt",
} do
  mod[name] = nothing
end
msys.registerModule("lua", mod)
"""
_LIMITS: Final = """
require("msys.core") require("msys.audit_series") require("msys.pbp")
require("msys.extended.ac") require("msys.extended.vctx") require("msys.extended.message")
local CONT, DONE, CONN = msys.core.VALIDATE_CONT, msys.core.VALIDATE_DONE, msys.core.VCTX_CONN
local mod = {}

local function within(ac, vctx)
  local most = tonumber(vctx:get(CONN, "most"))
  for _, series in ipairs {"good", "bad"} do
    if msys.audit_series.count(series, {key = ac, startv = 0, endv = 11}) > most then
      vctx:set_code(452, "4.7.1 too many recipients in this hour")
      return false
    end
  end
  return true
end

function mod:init()
  msys.audit_series.define("good", "cidr", 300, 12)
  msys.audit_series.define("bad", "cidr", 300, 12)
  return true
end

function mod:validate_connect(ac, vctx)
  vctx:set(CONN, "most", 1000000)
  if ac:inbound_session_count("/32", "SMTP") > 1000 then
    vctx:disconnect(421, "4.7.1 too many sessions")
    return DONE
  end
  return CONT
end

function mod:validate_mailfrom(str, ac, vctx)
  local msg = msys.core.accept_construct_get_message_construct(ac).message
  if msys.pbp.check_whitelist(vctx, "friends") then return CONT end
  msg:context_set(msys.core.ECMESS_CTX_MESS, "tenant", string.match(msg:mailfrom(), "@(.*)$") or "")
  return CONT
end

function mod:validate_rcptto(msg, str, ac, vctx)
  return within(ac, vctx) and CONT or DONE
end

function mod:validate_data(msg, ac, vctx)
  if not within(ac, vctx) then return DONE end
  if msg:get_message_size() > msys.pbp.size_in_bytes("30m") then
    vctx:set_code(552, "5.3.4 too large")
    return DONE
  end
  return CONT
end

function mod:validate_data_spool_each_rcpt(msg, ac, vctx)
  local tenant = msg:context_get(msys.core.ECMESS_CTX_MESS, "tenant")
  if tenant ~= "" and msg:header("X-Tenant")[1] then msg:header("X-Tenant", "") end
  return CONT
end

msys.registerModule("limits", mod)
"""


def stanza(kind: str, folder: Path) -> str:
    """Return the stanza of a policy; its script is written to the folder."""
    if kind == "none":
        return ""
    name, _, file = kind.partition("=")
    if not file:
        suffix, text = {
            "python": ("py", _PYTHON), "lua": ("lua", _LUA), "limits": ("lua", _LIMITS),
        }[kind]  # fmt: skip
        file = f"{folder}/{kind}.{suffix}"
        Path(file).write_text(text, "utf-8")
    module = "python" if file.endswith(".py") else "scriptlet"
    return f'{module} "{module}" {{ script "{name}" {{ source = "{file}" }} }}\n'
