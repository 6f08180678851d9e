-- Mail leaves by the binding its header names; the customer's name is kept for the logs.
require("msys.core")
require("msys.extended.message")

local FIELD = "X-Customer"
local mod = {}

function mod:validate_data_spool_each_rcpt(msg, ac, vctx)
  local customer = msg:header(FIELD)[1]
  if customer then
    msg:context_set(msys.core.VCTX_MESS, "customer", customer)
    msg:header(FIELD, "")
  end
  return msys.core.VALIDATE_CONT
end

function mod:validate_set_binding(msg)
  local known, customer = msg:context_exists_and_get(msys.core.VCTX_MESS, "customer")
  if known == 1 and msg:binding(customer) == nil then
    msys.log(msys.core.LOG_WARNING, "there is no binding for customer " .. customer)
  end
  return msys.core.VALIDATE_CONT
end

msys.registerModule("customer_binding", mod)
