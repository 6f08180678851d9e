-- Objects, arguments and operators: what stands between scripts and functions of Python.
--
-- Given the table of the runtime, which has `explain` (Python: an exception as the text which
-- scripts see) and `calculate` (operators on large numbers); what others need of it is put there.

local runtime = ...
local explain, calculate, is_same = runtime.explain, runtime.calculate, runtime.is_same
local named = runtime.named

local type, tostring, tonumber, error, pcall = type, tostring, tonumber, error, pcall
local getmetatable, setmetatable, rawget, select = getmetatable, setmetatable, rawget, select
local floor, newproxy, next, unpack = math.floor, newproxy, next, unpack

-- Objects. A proxy is a table with the reference to Python's object at 1, or userdata which stands
-- in `refs`, and the metatable of its kind.

local kinds = {}             -- metatable -> kind
local by_name = {}           -- name of the kind -> kind
local refs = setmetatable({}, {__mode = "k"})

local function reference(value)
  local mt = getmetatable(value)
  local kind = mt and kinds[mt]
  if kind then
    if kind.userdata then return refs[value], kind end
    return rawget(value, 1), kind
  end
end

local function name_of(value)
  local _, kind = reference(value)
  return kind and kind.name or type(value)
end

local function define(name, userdata)
  local methods, getters, setters = {}, {}, {}
  local pattern = userdata and newproxy(true)
  local mt = pattern and getmetatable(pattern) or {}
  local kind = {
    name = name, mt = mt, methods = methods, getters = getters, setters = setters,
    userdata = userdata,
  }
  mt.__index = function(self, key)
    local method = methods[key]
    if method ~= nil then return method end
    local getter = getters[key]
    if getter then return getter(self) end
    local other = methods.__index
    if other then return other(self, key) end
  end
  mt.__newindex = function(self, key, value)
    local setter = setters[key]
    if setter then return setter(self, value) end
    local other = methods.__newindex
    if other then return other(self, key, value) end
    if getters[key] or methods[key] then
      error("'" .. tostring(key) .. "' of " .. name .. " cannot be set", 2)
    end
    error(name .. " has no field '" .. tostring(key) .. "'", 2)
  end
  mt.__eq = function(a, b)
    local left, right = reference(a), reference(b)
    if left == nil or right == nil then return false end
    return left == right or is_same(left, right)
  end
  mt.__tostring = function(self)
    local shown = methods.__tostring
    if shown then return shown(self) end
    return name .. ": " .. tostring(methods):match("0x%x+")
  end
  mt.__concat = function(a, b) return tostring(a) .. tostring(b) end
  mt.__len = function(self)
    local length = methods.__len
    if not length then error("attempt to get length of " .. name, 2) end
    return length(self)
  end
  mt.__call = function(self, ...)
    local called = methods.__call
    if not called then error("attempt to call a " .. name, 2) end
    return called(self, ...)
  end
  -- `for item in thing`, of what has a length and numbers.
  mt.__iter = function(self)
    if methods.__call or not methods.__len then return self end
    local at = 0
    return function()
      at = at + 1
      if at <= methods.__len(self) then return at, methods.__index(self, at) end
    end
  end
  -- What scripts hold already of an object which is told by a number: that is never another one's,
  -- for what is held keeps its object. Else `fetch` brings the object.
  local made = setmetatable({}, {__mode = "v"})
  kind.of = function(number, fetch)
    local found = made[number]
    if not found then
      found = kind.new(fetch())
      made[number] = found
    end
    return found
  end
  mt.__name = name
  kinds[mt] = kind
  by_name[name] = kind
  if pattern then
    kind.new = function(ref)
      local made = newproxy(pattern)
      refs[made] = ref
      return made
    end
  else
    kind.new = function(ref) return setmetatable({ref}, mt) end
  end
  return kind
end

-- Arguments. Fast checks stand in the stubs; what they do not take comes here.

local LARGEST = 9007199254740992

local function check(wanted, value, position, name)
  local kind = type(value)
  if wanted.any then
    local ref = reference(value)
    if ref ~= nil then return ref end
    return value
  end
  local ref, declared = reference(value)
  if declared then
    if wanted.kinds[declared.name] then return ref end
    if wanted.string and declared.methods.__tostring then return tostring(value) end
  elseif value == nil and wanted.none then
    return nil
  elseif kind == "string" then
    if wanted.string then return value end
    if wanted.number then
      local number = tonumber(value)
      if number then value, kind = number, "number" end
    end
  end
  if kind == "number" and wanted.number then
    if not wanted.whole then return value end
    if value == value and value <= LARGEST and value >= -LARGEST then
      return value >= 0 and value - value % 1 or -(-value - -value % 1)
    end
    error("bad argument #" .. position .. " to '" .. name .. "' (number out of range)", 3)
  end
  if kind == "number" and wanted.string then return tostring(value) end
  if kind == "function" and wanted["function"] then return value end
  if kind == "table" and wanted.table and not declared then return value end
  if wanted.boolean then return value and value ~= 0 and true or false end
  error("bad argument #" .. position .. " to '" .. name .. "' (" .. wanted.expected
    .. " expected, got " .. (declared and declared.name or kind) .. ")", 3)
end

-- Variable arguments: proxies become references.
local function open(...)
  local n = select("#", ...)
  if n == 0 then return end
  local first = (...)
  local ref = reference(first)
  if ref ~= nil then first = ref end
  if n == 1 then return first end
  return first, open(select(2, ...))
end

local function finish(ok, ...)
  if ok then return ... end
  error(explain(...), 2)
end

-- Of a function which returns an object or nothing.
local function give(new, ok, object)
  if not ok then error(explain(object), 2) end
  if object == nil then return nil end
  return new(object)
end

-- The same of an object which lasts: Python has said by its number which it is.
local function again(kind, ok, number)
  if not ok then error(explain(number), 2) end
  if number == nil then return nil end
  return kind.of(number, named)
end

-- A field of a table of options, which is not nil.
local function field(wanted, value, name)
  if wanted.any then
    local ref = reference(value)
    if ref ~= nil then return ref end
    return value
  end
  local number = value
  if type(value) == "string" then number = tonumber(value) end
  if type(number) == "number" and not wanted.whole then return number end
  if type(number) == "number" and number <= LARGEST and number >= -LARGEST then
    return number >= 0 and number - number % 1 or -(-number - -number % 1)
  end
  error("bad field '" .. name .. "' (number expected)", 3)
end

-- Operators of the dialect, which `dialect` makes calls: on numbers up to 31 bits by the library of
-- LuaJIT, on others, which it would cut, by Python. Two strings which are numbers count as such.

local operators = {}
local INT31 = 2147483648

local function operator(name, event, sign, quick, slow)
  operators[name] = function(a, b)
    if type(a) == "number" and type(b) == "number" then
      if quick and a >= 0 and b >= 0 and a < INT31 and b < INT31 and a % 1 == 0 and b % 1 == 0 then
        return quick(a, b)
      end
      return slow(sign, a, b)
    end
    local left, right = tonumber(a), tonumber(b)
    if left and right then return slow(sign, left, right) end
    local mt = getmetatable(a)
    local by = type(mt) == "table" and mt[event]
    if not by then
      mt = getmetatable(b)
      by = type(mt) == "table" and mt[event]
    end
    if by then return (by(a, b)) end
    local wrong = a
    if left then wrong = b end
    error("attempt to perform '" .. sign .. "' on a " .. name_of(wrong) .. " value", 2)
  end
end

local function whole(sign, a, b)
  local ok, result = pcall(calculate, sign, a, b)
  if ok then return result end
  error(explain(result), 2)
end

operator("band", "__and", "&", bit.band, whole)
operator("bor", "__or", "|", bit.bor, whole)
operator("bxor", "__xor", "^^", bit.bxor, whole)
operator("shl", "__shl", "<<", nil, whole)
operator("shr", "__shr", ">>", nil, whole)
operator("intdiv", "__intdiv", "\\", nil, function(_, a, b) return floor(a / b) end)
operator("bnot_", "__not", "~", nil, whole)
operators.bnot = function(a) return operators.bnot_(a, a) end

-- `for x in thing`: what is no function says by __iter how it is gone through.
operators.each = function(thing)
  if type(thing) ~= "function" then
    local mt = getmetatable(thing)
    local iter = type(mt) == "table" and mt.__iter
    if iter then return iter(thing) end
  end
  return thing
end

-- What Python does with values of Lua. It calls these functions, got in the main thread, since a
-- handle of lupa holds on to the thread in which it came to be, which may be gone when it is used.

local function make_list(...) return {...} end

local function make_map(...)
  local made = {}
  for at = 1, select("#", ...), 2 do
    local key, value = select(at, ...)
    made[key] = value
  end
  return made
end

local function put(made, ...)
  for at = 1, select("#", ...), 2 do
    local key, value = select(at, ...)
    made[key] = value
  end
end

-- Some of the pairs after `key`, flat.
local function pairs_after(from, key)
  local found, n = {}, 0
  local next_key, value = next(from, key)
  while next_key ~= nil and n < 64 do
    found[n + 1], found[n + 2] = next_key, value
    n = n + 2
    if n < 64 then next_key, value = next(from, next_key) end
  end
  return unpack(found, 1, n)
end

runtime.define, runtime.by_name = define, by_name
runtime.reference, runtime.name_of = reference, name_of
runtime.operators = operators
runtime.same = function(value) return value end
runtime.get = function(from, key) return from[key] end
runtime.make_list, runtime.make_map, runtime.put = make_list, make_map, put
runtime.pairs_after = pairs_after
runtime.stub = {
  check = check, open = open, finish = finish, explain = explain, give = give, again = again, field = field,
  kinds = kinds,
  pcall = pcall, type = type, error = error, getmetatable = getmetatable, by_name = by_name,
  reference = reference,
}
