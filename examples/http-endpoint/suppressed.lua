-- Who gets no more mail: told by HTTP, kept in a database, obeyed at RCPT.

require "json"
require "msys.core"
require "msys.db"
require "msys.extended.httpsrv"
require "msys.extended.message"
require "msys.extended.vctx"

local mod = {}

local function known(address)
  return msys.db.fetch_row("list", "SELECT since FROM suppressed WHERE address = ?", { address })
end

-- The address a request is about; without one the client has its answer.
local function wanted(session)
  local attrs = session:request_url_get().attrs
  local address = attrs and attrs.address
  if not address or not string.find(address, "^[^@%s]+@[^@%s]+$") then
    session:response_status_set_std(400, "say which, such as ?address=a@example.org\n")
    return nil
  end
  return string.lower(address)
end

local function put(session)
  local address = wanted(session)
  if address then
    msys.db.execute("list", "INSERT OR REPLACE INTO suppressed VALUES (?, ?)",
                    { address, os.time() })
    session:response_status_set_std(201, "suppressed\n")
  end
end

local function delete(session)
  local address = wanted(session)
  if address then
    msys.db.execute("list", "DELETE FROM suppressed WHERE address = ?", { address })
    session:response_status_set_std(204, "")
  end
end

local function get(session)
  local address = wanted(session)
  if address then
    local row = known(address)
    if row then
      session:response_status_set_std(200, json.encode({ address = address, since = row.since }),
                                      "application/json")
    else
      session:response_status_set_std(404, "not suppressed\n")
    end
  end
end

function mod:rsrc_setup()
  msys.httpsrv.register("PUT", "/suppressed", put)
  msys.httpsrv.register("DELETE", "/suppressed", delete)
  msys.httpsrv.register("GET", "/suppressed", get)
  return true
end

function mod:validate_rcptto(msg, address, ac, vctx)
  if known(string.lower(tostring(address))) then
    vctx:set_code(550, "5.7.1 this address asked not to be written to")
    return msys.core.VALIDATE_DONE
  end
  return msys.core.VALIDATE_CONT
end

msys.registerModule("suppressed", mod)
