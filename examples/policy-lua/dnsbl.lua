-- Refuse clients which a list in DNS names; where the list does not answer, let them in.
require("msys.core")
require("msys.extended.ac")
require("msys.extended.vctx")

local LIST = "zen.dnsbl.example"
local mod = {}

local function reversed(address)
  local a, b, c, d = string.match(address, "^(%d+)%.(%d+)%.(%d+)%.(%d+):")
  return a and string.format("%s.%s.%s.%s", d, c, b, a)
end

function mod:validate_connect(ac, vctx)
  local name = reversed(tostring(ac.remote_addr))
  if name then
    local found = msys.dnsLookup(name .. "." .. LIST, "A")
    if found and #found > 0 then
      vctx:disconnect(554, "5.7.1 your address is in " .. LIST)
      return msys.core.VALIDATE_DONE
    end
  end
  return msys.core.VALIDATE_CONT
end

msys.registerModule("dnsbl", mod)
