-- Searches with Lua's patterns, which run in C, where no clock stops them.
--
-- What a search may cost at most follows from its pattern: of each repetition after which several
-- lengths may have to be tried, a factor of the subject's length. Where that stays within a budget,
-- which it does nearly always, C does it. Where not, it is done here, by the same steps in Lua: some
-- thirty times as slow, and stopped in time like any other loop of a script.

local runtime = ...
local steps = runtime.limits.steps      -- of C, in one call; ten million take some 0.1 s

local find, match, gmatch, gsub = string.find, string.match, string.gmatch, string.gsub
local byte, char, sub = string.byte, string.char, string.sub
local type, error, tostring, unpack, floor = type, error, tostring, unpack, math.floor
local concat = table.concat
local HUGE = math.huge
local look = runtime.look
local LOOK = 1000000                    -- steps of C between two looks at the clock

-- Patterns, read once.

local ALL = {}
for octet = 0, 255 do ALL[octet] = true end
local sets, known, known_of_gmatch, count = {}, {}, {}, 0

local function set_of(text)
  if text == "." then return ALL end
  if #text == 1 then return {[byte(text)] = true} end
  local made = sets[text]
  if not made then
    made = {}
    local one = "^" .. text
    for octet = 0, 255 do
      if find(char(octet), one) then made[octet] = true end
    end
    sets[text] = made
  end
  return made
end

local function meet(a, b)
  for octet = 0, 255 do
    if a[octet] and b[octet] then return true end
  end
  return false
end

-- Where the class ends which begins at `at`; nil: the pattern is malformed.
local function class_end(pattern, at)
  local first = sub(pattern, at, at)
  if first == "%" then return at < #pattern and at + 2 or nil end
  if first ~= "[" then return at + 1 end
  at = at + 1
  if sub(pattern, at, at) == "^" then at = at + 1 end
  repeat
    if at > #pattern then return nil end
    at = at + (sub(pattern, at, at) == "%" and 2 or 1)
  until sub(pattern, at, at) == "]"
  return at + 1
end

-- The items of a pattern; nil if C is to say what is wrong with it.
local function parsed(pattern, at)
  local items, open, closed = {}, {}, {}
  local captures = 0
  while at <= #pattern do
    local one, two = sub(pattern, at, at), sub(pattern, at, at + 1)
    if two == "()" then
      captures = captures + 1
      closed[captures] = true
      items[#items + 1] = {kind = "position"}
      at = at + 2
    elseif one == "(" then
      captures = captures + 1
      open[#open + 1] = captures
      items[#items + 1] = {kind = "open"}
      at = at + 1
    elseif one == ")" then
      if #open == 0 then return nil end
      closed[open[#open]] = true
      items[#items + 1] = {kind = "close"}
      open[#open] = nil
      at = at + 1
    elseif one == "$" and at == #pattern then
      items[#items + 1] = {kind = "end"}
      at = at + 1
    elseif two == "%b" then
      if at + 3 > #pattern then return nil end
      local first, last = byte(pattern, at + 2, at + 3)
      items[#items + 1] = {kind = "balance", first = first, last = last, set = {[first] = true}}
      at = at + 4
    elseif two == "%f" then
      local after = sub(pattern, at + 2, at + 2) == "[" and class_end(pattern, at + 2)
      if not after then return nil end
      items[#items + 1] = {kind = "frontier", set = set_of(sub(pattern, at + 2, after - 1))}
      at = after
    elseif find(two, "^%%%d") then
      local number = byte(two, 2) - 48
      if not closed[number] then return nil end
      items[#items + 1] = {kind = "back", number = number}
      at = at + 2
    else
      local after = class_end(pattern, at)
      if not after then return nil end
      local times = sub(pattern, after, after)
      if not find(times, "^[*+?-]") then times = nil end
      items[#items + 1] = {kind = "set", set = set_of(sub(pattern, at, after - 1)), times = times}
      at = after + (times and 1 or 0)
    end
  end
  if #open > 0 or captures > 32 then return nil end
  return items
end

-- Whether one length of a repetition at most leads on from it: what follows cannot stand in it.
local function leads_on(items, at)
  local set = items[at].set
  repeat at = at + 1 until not items[at] or not find(items[at].kind, "^[ocp]")
  local after = items[at]
  if not after or after.kind == "end" then return true end
  if after.kind ~= "balance" and after.kind ~= "set" then return false end
  if after.times and after.times ~= "+" then return false end
  return not meet(set, after.set)
end

local function is_last(items, at)
  repeat at = at + 1 until not items[at] or not find(items[at].kind, "^[ocp]")
  return not items[at] or items[at].kind == "end"
end

-- What an attempt at one place costs: by which power of the length, and how often that.
local function cost(items)
  local power, before, times = 0, 0, #items + 1
  for at = 1, #items do
    local item = items[at]
    if item.kind == "balance" or item.kind == "back" then
      if before + 1 > power then power = before + 1 end
      if item.kind == "back" then items.back = true end
    elseif item.times == "?" then
      if not leads_on(items, at) then times = times * 2 end
    elseif item.times then
      -- The rest of the subject, taken at the end of a pattern, is a match: it is taken once.
      local rest = item.set == ALL and item.times ~= "-" and is_last(items, at)
      local needed = rest and 1 or before + 1
      if needed > power then power = needed end
      if not rest and not leads_on(items, at) then before = before + 1 end
    end
  end
  return power, times
end

local function longest(power, times)
  local most, ways = steps / times, 1
  if power == 0 then return most >= 1 and HUGE or 0 end
  for n = 2, power do ways = ways * n end
  return floor((most * ways) ^ (1 / power))
end

local FREE = {most = HUGE}

-- Attributes: `most` octets of a subject are for C; `each` are, if it looks at one place only.
local function read(pattern, gmatches)
  local anchored = not gmatches and byte(pattern) == 94
  local stop = find(pattern, "\0", 1, true)
  local items = parsed(stop and sub(pattern, 1, stop - 1) or pattern, anchored and 2 or 1)
  if not items then return FREE end
  local power, times = cost(items)
  local first = 1
  while items[first] and find(items[first].kind, "^[op]") do first = first + 1 end
  local lead = items[first] or {}
  local plain = gmatches and byte(pattern) == 94 and "%" .. pattern or pattern
  return {
    items = items, anchored = anchored,
    pattern = anchored and pattern or "^" .. plain,
    power = power, each = longest(power, times),
    most = longest(anchored and power or power + 1, times),
    -- Where such a beginning leads to nothing at one place, it does not at a later one.
    once = anchored or (lead.set == ALL and lead.times and lead.times ~= "?" and not items.back),
    -- Octets it may begin with.
    begins = lead.kind == "set" and (not lead.times or lead.times == "+") and lead.set or nil,
  }
end

local function of(pattern, gmatches)
  local found = (gmatches and known_of_gmatch or known)[pattern]
  if found then return found end
  if count >= 1000 then known, known_of_gmatch, sets, count = {}, {}, {}, 0 end
  found = read(pattern, gmatches)
  if gmatches then known_of_gmatch[pattern] = found else known[pattern] = found end
  count = count + 1
  return found
end

-- The same steps in Lua.

local OPEN, POSITION = -1, -2

-- A function which matches at a place: where the match ends, its captures are in `taken`.
local function matcher(subject, items, taken)
  local size, go = #subject, nil
  local starts, lengths = taken.starts, taken.lengths

  local function repeated(item, i, at)
    local set, times = item.set, item.times
    if times == "-" then
      while true do
        local found = go(i, at + 1)
        if found then return found end
        if i > size or not set[byte(subject, i)] then return nil end
        i = i + 1
      end
    end
    local j, last = i, times == "?" and i or size
    while j <= last and j <= size and set[byte(subject, j)] do j = j + 1 end
    for to = j, times == "+" and i + 1 or i, -1 do
      local found = go(to, at + 1)
      if found then return found end
    end
  end

  local function balanced(item, i)
    if i > size or byte(subject, i) ~= item.first then return nil end
    local depth = 1
    for j = i + 1, size do
      local octet = byte(subject, j)
      if octet == item.last then
        depth = depth - 1
        if depth == 0 then return j + 1 end
      elseif octet == item.first then
        depth = depth + 1
      end
    end
  end

  go = function(i, at)
    while true do
      local item = items[at]
      if not item then return i end
      local kind = item.kind
      if kind == "set" then
        if item.times then return repeated(item, i, at) end
        if i > size or not item.set[byte(subject, i)] then return nil end
        i = i + 1
      elseif kind == "open" or kind == "position" then
        local level = taken.level + 1
        taken.level, starts[level] = level, i
        lengths[level] = kind == "open" and OPEN or POSITION
        local found = go(i, at + 1)
        if not found then taken.level = level - 1 end
        return found
      elseif kind == "close" then
        local level = taken.level
        while lengths[level] ~= OPEN do level = level - 1 end
        lengths[level] = i - starts[level]
        local found = go(i, at + 1)
        if not found then lengths[level] = OPEN end
        return found
      elseif kind == "end" then
        return i > size and i or nil
      elseif kind == "balance" then
        i = balanced(item, i)
        if not i then return nil end
      elseif kind == "frontier" then
        local before = i > 1 and byte(subject, i - 1) or 0
        local here = i <= size and byte(subject, i) or 0
        if item.set[before] or not item.set[here] then return nil end
      else
        local from, length = starts[item.number], lengths[item.number]
        if length == POSITION then return nil end
        if sub(subject, i, i + length - 1) ~= sub(subject, from, from + length - 1) then
          return nil
        end
        i = i + length
      end
      at = at + 1
    end
  end
  return go
end

-- Where a pattern is found from a place on: beginning, end, list of captures.
local function search(subject, compiled, from)
  local size = #subject
  local taken = {starts = {}, lengths = {}, level = 0}
  local go, spent = nil, 0
  local begins, each, pattern = compiled.begins, compiled.each, compiled.pattern
  for at = from, compiled.once and from or size + 1 do
    if not begins or (at <= size and begins[byte(subject, at)]) then
      if size - at < each then
        spent = spent + (compiled.power > 1 and LOOK or size - at)
        if spent >= LOOK then
          spent = 0
          look()
        end
        local found = {find(subject, pattern, at)}
        if found[1] then return found[1], found[2], {unpack(found, 3)} end
      else
        go = go or matcher(subject, compiled.items, taken)
        taken.level = 0
        local after = go(at, 1)
        if after then
          local captures = {}
          for level = 1, taken.level do
            local start, length = taken.starts[level], taken.lengths[level]
            captures[level] = length == POSITION and start or sub(subject, start, start + length - 1)
          end
          return at, after - 1, captures
        end
      end
    end
  end
end

local function place(subject, init)
  init = init and floor(init) or 1
  if init < 0 then init = #subject + init + 1 end
  return init < 1 and 1 or init
end

-- What a search in C is bounded by, or nil: it may be done there.
local function bound(subject, pattern, gmatches)
  if type(subject) ~= "string" or type(pattern) ~= "string" then return nil end
  local compiled = of(pattern, gmatches)
  return #subject > compiled.most and compiled or nil
end

-- Without a pattern C compares at each place, which takes long for a needle as large as a haystack.
local function is_large(subject, needle)
  return type(subject) == "string" and type(needle) == "string"
    and #needle > 64 and #subject * #needle > steps * 100
end

string.find = function(subject, pattern, init, plain)
  if is_large(subject, pattern) and (plain or not find(pattern, "[%^$*+?.()[%%-]")) then
    return runtime.search(subject, pattern, place(subject, init))
  end
  local compiled = not plain and bound(subject, pattern)
  if not compiled then return find(subject, pattern, init, plain) end
  local first, last, captures = search(subject, compiled, place(subject, init))
  if first then return first, last, unpack(captures) end
end

string.match = function(subject, pattern, init)
  local compiled = bound(subject, pattern)
  if not compiled then return match(subject, pattern, init) end
  local first, last, captures = search(subject, compiled, place(subject, init))
  if not first then return nil end
  if #captures == 0 then return sub(subject, first, last) end
  return unpack(captures)
end

string.gmatch = function(subject, pattern)
  local compiled = bound(subject, pattern, true)
  if not compiled then return gmatch(subject, pattern) end
  local at = 1
  return function()
    if at > #subject + 1 then return nil end
    local first, last, captures = search(subject, compiled, at)
    if not first then
      at = #subject + 2
      return nil
    end
    at = last < first and first + 1 or last + 1
    if #captures == 0 then return sub(subject, first, last) end
    return unpack(captures)
  end
end

local function filled(text, whole, captures)
  return (gsub(text, "%%(.?)", function(what)
    if not find(what, "%d") then return what end
    if what == "0" then return whole end
    local found = captures[byte(what) - 48]
    if found == nil and what == "1" and #captures == 0 then found = whole end
    if found == nil then error("invalid capture index", 0) end
    return found
  end))
end

local function replaced(by, whole, captures)
  local kind, found = type(by), nil
  if kind == "string" then return filled(by, whole, captures) end
  if kind == "table" then
    found = captures[1]
    if found == nil then found = whole end
    found = by[found]
  elseif #captures == 0 then
    found = by(whole)
  else
    found = by(unpack(captures))
  end
  if not found then return whole end
  if type(found) ~= "string" and type(found) ~= "number" then
    error("invalid replacement value (a " .. type(found) .. ")", 0)
  end
  return tostring(found)
end

local REPLACES = {string = true, number = true, table = true, ["function"] = true}

string.gsub = function(subject, pattern, by, most)
  local compiled = bound(subject, pattern)
  if not compiled or not REPLACES[type(by)] or (most ~= nil and type(most) ~= "number") then
    return gsub(subject, pattern, by, most)
  end
  if type(by) == "number" then by = tostring(by) end
  local pieces, size, done, at = {}, #subject, 0, 1
  while done < (most or HUGE) and at <= size + 1 do
    local first, last, captures = search(subject, compiled, at)
    if not first then break end
    pieces[#pieces + 1] = sub(subject, at, first - 1)
    pieces[#pieces + 1] = replaced(by, sub(subject, first, last), captures)
    done = done + 1
    at = last + 1
    if last < first then
      pieces[#pieces + 1] = sub(subject, first, first)
      at = first + 1
    end
    if compiled.anchored then break end
  end
  pieces[#pieces + 1] = sub(subject, at)
  return concat(pieces), done
end
