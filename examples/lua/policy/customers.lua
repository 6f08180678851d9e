-- By which binding a customer's mail leaves, and what it may say of its sender.

require("msys.core")
require("msys.extended.message")
require("msys.extended.vctx")

local mod = {}

local customers = {
  ["gold.example"] = "gold",
  ["bulk.example"] = "bulk",
}

local function domain_of(address)
  return (address:match("@([^@]+)$") or ""):lower()
end

-- A sender whom nobody knows is refused before the content comes.
function mod:validate_mailfrom(str, accept, vctx)
  local domain = domain_of(tostring(str))
  if domain != "" and !customers[domain] then
    vctx:set_code(550, "5.7.1 " .. domain .. " is no customer")
    return msys.core.VALIDATE_DONE
  end
  vctx:set(msys.core.VCTX_MESS, "customer", domain)
  return msys.core.VALIDATE_CONT
end

-- Each copy says which customer it is of; what a client says about it does not count.
function mod:validate_data_spool_each_rcpt(msg, accept, vctx)
  msg:header("X-Customer", msg:context_get(msys.core.VCTX_MESS, "customer"))
  return msys.core.VALIDATE_CONT
end

function mod:validate_set_binding(msg)
  local binding = customers[msg:context_get(msys.core.VCTX_MESS, "customer")]
  if binding and not msg:binding(binding) then
    print("there is no binding " .. binding)
  end
  return msys.core.VALIDATE_CONT
end

msys.registerModule("customers", mod)
