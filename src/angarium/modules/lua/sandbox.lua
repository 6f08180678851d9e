-- The globals of scripts: what Lua 5.1 has, without files, programs, C and the inside of this Lua.
--
-- There is one set of globals for all scripts of a worker, as in Momentum.

local runtime = ...

local type, tostring, error, select, pairs = type, tostring, error, select, pairs
local pcall = pcall
local setmetatable, getmetatable, rawset, rawget = setmetatable, getmetatable, rawset, rawget
local concat, insert = table.concat, table.insert
local getinfo = debug.getinfo
local count = collectgarbage

-- Out of reach: files and programs, which have ways of their own (msys.core.io_wrapper_open,
-- msys.readfile); compiled code, which is not checked before it runs; what takes apart this Lua.

for _, name in pairs {"io", "jit", "ffi", "newproxy", "dofile", "loadfile", "gcinfo", "python"} do
  _G[name] = nil
end
string.dump = nil
for _, name in pairs {"io", "jit", "ffi", "python", "jit.util", "jit.opt", "debug", "os"} do
  package.loaded[name] = nil
end

os = {
  clock = os.clock, date = os.date, difftime = os.difftime, getenv = os.getenv, time = os.time,
}

debug = {
  traceback = runtime.traceback,
  -- Without the functions themselves, by which the inside of this Lua could be got at.
  getinfo = function(at, what)
    if type(at) == "number" then at = at + 1 end
    local found = getinfo(at, (what or "Slnu"):gsub("[fL]", ""))
    return found
  end,
  output = function(...) print(...) end,
}

package = {loaded = package.loaded, preload = {}, path = "", cpath = "", seeall = package.seeall}
for name, value in pairs {package = package, debug = debug, os = os} do
  package.loaded[name] = value
end

coroutine = runtime.coroutine
package.loaded.coroutine = coroutine
_G.pcall, xpcall = runtime.pcall, runtime.xpcall

-- Names of Lua 5.0 which 5.1 still has.
math.mod, string.gfind = math.fmod, string.gmatch

local repeated = string.rep
string.rep = function(text, times, between)
  if type(text) == "string" and type(times) == "number" and times > 0 then
    local octets = #text + (type(between) == "string" and #between or 0)
    if octets == 0 then return "" end
    runtime.room(octets * times)
  end
  return repeated(text, times, between)
end

collectgarbage = function(what, ...)
  what = what or "collect"
  if what == "collect" or what == "count" or what == "step" then return count(what, ...) end
  error("bad argument #1 to 'collectgarbage' (the server decides '" .. tostring(what) .. "')", 2)
end

print = function(...)
  local shown = {}
  for at = 1, select("#", ...) do shown[at] = tostring((select(at, ...))) end
  runtime.show(concat(shown, "\t"))
end

-- Userdata of Momentum, which here are tables, say that they are userdata.
local reference = runtime.reference
_G.type = function(...)
  if select("#", ...) == 0 then error("bad argument #1 to 'type' (value expected)", 2) end
  local value = ...
  local kind = type(value)
  if kind == "table" then
    local ref = reference(value)
    if ref ~= nil then return "userdata" end
  end
  return kind
end

-- Texts become functions by way of the dialect.

local native = loadstring

local function loaded(text, name)
  local ok, source = pcall(runtime.translate, text)
  if not ok then return nil, runtime.explain(source) end
  return native(source, name or text)
end

loadstring = function(text, name)
  if type(text) ~= "string" then
    error("bad argument #1 to 'loadstring' (string expected, got " .. type(text) .. ")", 2)
  end
  return loaded(text, name)
end

load = function(from, name)
  if type(from) == "string" then return loaded(from, name) end
  local pieces = {}
  while true do
    local piece = from()
    if piece == nil or piece == "" then break end
    insert(pieces, piece)
  end
  return loaded(concat(pieces), name or "=(load)")
end

runtime.loaded = loaded

-- Modules: of ours, and files along the search path.

local LOADING = {}

require = function(name)
  if type(name) ~= "string" then
    error("bad argument #1 to 'require' (string expected, got " .. type(name) .. ")", 2)
  end
  local known = package.loaded[name]
  if known == LOADING then error("loop in what is required: '" .. name .. "'", 2) end
  if known ~= nil then return known end
  local found = runtime.package(name)
  if found ~= nil then
    package.loaded[name] = found
    return found
  end
  local loader = package.preload[name]
  if loader == nil then
    local source, at = runtime.find(name, package.path)
    if source == nil then error(at, 2) end
    local made, why = loaded(source, "@" .. at)
    if made == nil then error(why, 2) end
    loader = made
  end
  package.loaded[name] = LOADING
  local ok, result = pcall(loader, name)
  if not ok then
    package.loaded[name] = nil
    error(result, 0)
  end
  if result ~= nil then
    package.loaded[name] = result
  elseif package.loaded[name] == LOADING then
    package.loaded[name] = true
  end
  return package.loaded[name]
end

-- module() of LuaJIT goes by the same table, which must not hold the mark then.
local original = module
module = function(name, ...)
  if package.loaded[name] == LOADING then package.loaded[name] = nil end
  return original(name, ...)
end

-- Globals: those of the session, and, once `strict` is required, no others by accident.

local strict, declared = false, {}

local function where()
  local info = getinfo(3, "S")
  return info and info.what or "C"
end

setmetatable(_G, {
  __index = function(_, name)
    if name == "_TLS" then return runtime.tls() end
    if strict and not declared[name] and where() ~= "C" then
      error("variable '" .. tostring(name) .. "' is not declared", 2)
    end
  end,
  __newindex = function(globals, name, value)
    if strict and not declared[name] then
      local at = where()
      if at ~= "main" and at ~= "C" then
        error("assign to undeclared variable '" .. tostring(name) .. "'", 2)
      end
      declared[name] = true
    end
    rawset(globals, name, value)
  end,
})
_OSTLS = {}
package.preload.strict = function()
  strict = true
  return true
end
