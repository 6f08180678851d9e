-- Recipients are looked up in a database, whose answers its datasource keeps for a while.
require("msys.core")
require("msys.db")
require("msys.extended.vctx")

local QUERY = "SELECT state FROM users WHERE address = ?"
local mod = {}

function mod:validate_rcptto(msg, str, ac, vctx)
  local rows, why = msys.db.query("users", QUERY, { string.lower(msg:rcptto()) },
                                  { raise_error = false })
  if rows == nil then
    msys.log(msys.core.LOG_ERROR, "users cannot be looked up: " .. tostring(why))
    vctx:set_code(451, "4.3.0 please try again later")
    return msys.core.VALIDATE_DONE
  end
  local row = rows()
  if row == nil then
    vctx:set_code(550, "5.1.1 nobody has that address here")
    return msys.core.VALIDATE_DONE
  end
  if row.state == "full" then
    vctx:set_code(452, "4.2.2 the mailbox is full")
    return msys.core.VALIDATE_DONE
  end
  return msys.core.VALIDATE_CONT
end

msys.registerModule("known_users", mod)
