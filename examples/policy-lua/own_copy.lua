-- Recipients of one domain get a copy that says for whom it is; all others share one as it came.
require("msys.core")
require("msys.extended.message")

local DOMAIN = "lists.example"
local mod = {}

function mod:validate_data_spool_each_rcpt(msg, ac, vctx)
  local user, domain = string.match(msg:rcptto(), "^(.*)@(.-)$")
  if domain and string.lower(domain) == DOMAIN then
    msg:header("List-Unsubscribe", "<mailto:leave+" .. user .. "@" .. DOMAIN .. ">")
  end
  return msys.core.VALIDATE_CONT
end

msys.registerModule("own_copy", mod)
