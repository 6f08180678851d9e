-- A client names at most so many recipients an hour. Counted by its address, in twelve windows of
-- five minutes, on all workers together.
require("msys.core")
require("msys.audit")
require("msys.extended.vctx")

local SERIES, MOST = "recipients", 3
local mod = {}

function mod:init()
  msys.audit_series.define(SERIES, "cidr", 300, 12)
  return true
end

function mod:validate_rcptto(msg, str, ac, vctx)
  local count = msys.audit_series.count(SERIES, { key = ac, startv = 0, endv = 11 })
  if count >= MOST then
    vctx:set_code(452, "4.7.1 too many recipients in this hour")
    return msys.core.VALIDATE_DONE
  end
  msys.audit_series.add(SERIES, { key = ac })
  return msys.core.VALIDATE_CONT
end

msys.registerModule("recipients_per_hour", mod)
