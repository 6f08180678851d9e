-- Coroutines: how scripts wait, and what stops them.
--
-- A script runs in a coroutine of a pool. It waits by yielding AWAIT; `start` and `continue`, which
-- Python calls, say what became of it: DONE with its results, WAITS with a number and what it
-- waits for, FAILED with the error and where it was.
--
-- A hook on the count of instructions looks at the clock and at the memory. Once it has stopped a
-- script, every pcall and resume on the way out fails too, so no script outlives its budget.

local runtime = ...
local limits = runtime.limits           -- seconds, kilobytes, spare, uses, fresh
local stub = runtime.stub

local error, pcall, xpcall, select, pairs = error, pcall, xpcall, select, pairs
local yield, resume, create = coroutine.yield, coroutine.resume, coroutine.create
local running, status = coroutine.running, coroutine.status
local clock, collectgarbage, traceback = os.clock, collectgarbage, debug.traceback
local getinfo = debug.getinfo
local setmetatable, type = setmetatable, type

local FINISHED, AWAIT = {}, {}
local DONE, WAITS, FAILED = 0, 1, 2

-- The guard.

local INSTRUCTIONS = 10000              -- some 0.1 ms
local ticks, began, stopped, depth = 0, 0, nil, 0

-- Where a script is: its innermost function that is neither ours nor of C. It is part of the reason,
-- for a pcall of the script may catch the error, and then it is raised again elsewhere.
local OURS = { prelude = true, threads = true, patterns = true, sandbox = true }

local function place()
  local level = 4
  local found = getinfo(level, "Sl")
  while found and (found.currentline < 1 or OURS[found.short_src]) do
    level = level + 1
    found = getinfo(level, "Sl")
  end
  return found and found.short_src .. ":" .. found.currentline .. ": " or ""
end

local function stop(why)
  stopped = place() .. why
  error(stopped, 0)
end

local function look()
  if depth == 0 then return end
  ticks = ticks + 1
  if ticks == 1 then
    began = clock()
  elseif clock() - began > limits.seconds then
    stop("stopped: it ran for more than " .. limits.seconds .. " s without a rest")
  end
  if limits.kilobytes > 0 and collectgarbage("count") > limits.kilobytes then
    collectgarbage()
    if collectgarbage("count") > limits.kilobytes then
      stop("stopped: scripts use more than " .. limits.kilobytes .. " KB of memory")
    end
  end
end

debug.sethook(look, "", INSTRUCTIONS)
runtime.look = look

local function still(...)
  if stopped then error(stopped, 0) end
  return ...
end

-- Where a call belongs: a session's record, with what is local to it.

local nobody = {tls = {}, selves = {}}
local current = nobody

local function own_self(record, module)
  local found = record.selves[module]
  if not found then
    found = setmetatable({}, {__index = module})
    record.selves[module] = found
  end
  return found
end

-- Waiting.

local may_wait = false

local function wait(ok, awaitable)
  if not ok then return false, awaitable end
  return yield(AWAIT, awaitable)
end

local function waitable(name)
  if not may_wait or not running() then
    error("'" .. name .. "' has to wait, and nothing may wait here", 3)
  end
end

local function can_wait() return may_wait and running() ~= nil end

-- What a function says which waits only at times: see `Maybe` in stubs.
local PENDING = "\0pending"

local function maybe(ok, first, ...)
  if ok and first == PENDING then
    if not can_wait() then
      runtime.forget(...)
      error("it would have to wait here, where nothing may", 2)
    end
    return stub.finish(yield(AWAIT, ...))
  end
  return stub.finish(ok, first, ...)
end

local free, spare = {}, 0
local waiting, records, last = {}, {}, 0
local uses = setmetatable({}, {__mode = "k"})

local body
body = function(f, ...)
  return body(yield(FINISHED, f(...)))
end

-- To be used again, unless it is not to be.
local most = limits.fresh and 0 or limits.spare
local counts = limits.uses > 0

local function rest(co)
  if spare >= most then return end
  if counts then
    local n = (uses[co] or 0) + 1
    uses[co] = n
    if n >= limits.uses then return end
  end
  spare = spare + 1
  free[spare] = co
end

local function settle(co, ok, tag, ...)
  if ok then
    if tag == FINISHED then
      rest(co)
      return DONE, ...
    elseif tag == AWAIT then
      last = last + 1
      waiting[last], records[last] = co, current
      return WAITS, last, ...
    end
    return FAILED, "attempt to yield outside of a coroutine", traceback(co)
  end
  return FAILED, tag, traceback(co)
end

local function after(before, record, ...)
  may_wait, current, depth = before, record, depth - 1
  if depth == 0 then stopped = nil end
  return ...
end

local function begin()
  if depth == 0 then ticks = 0 end
  depth = depth + 1
end

local function start(wait_allowed, record, f, ...)
  local co
  if spare > 0 then
    co = free[spare]
    free[spare] = nil
    spare = spare - 1
  else
    co = create(body)
  end
  local before, around = may_wait, current
  may_wait, current = wait_allowed, record or current
  begin()
  return after(before, around, settle(co, resume(co, f, ...)))
end

-- What calls a callout for the session of a record. It is `start`, written out as it is called
-- more often than all else; and a number which is the answer comes back alone.
local function entrance(wait_allowed, f)
  return function(record, mail, x1, x2, x3, x4)
    local co = free[spare]
    if co then
      free[spare] = nil
      spare = spare - 1
    else
      co = create(body)
    end
    local before, around = may_wait, current
    may_wait, current = wait_allowed, record
    if depth == 0 then ticks = 0 end
    depth = depth + 1
    local ok, tag, answer = resume(co, f, record, mail, x1, x2, x3, x4)
    if ok and tag == FINISHED then
      rest(co)
      may_wait, current, depth = before, around, depth - 1
      if depth == 0 then stopped = nil end
      if type(answer) == "number" then return answer end
      return DONE, answer
    end
    return after(before, around, settle(co, ok, tag, answer))
  end
end

local function continue(number, ...)
  local co, record = waiting[number], records[number]
  waiting[number], records[number] = nil, nil
  local before, around = may_wait, current
  may_wait, current = true, record
  begin()
  return after(before, around, settle(co, resume(co, ...)))
end

-- For tests and statistics: coroutines which rest, and which wait.
local function counted()
  local n = 0
  for _ in pairs(waiting) do n = n + 1 end
  return spare, n
end

-- Coroutines of scripts: who waits in one waits with all around it.

local function through(co, ok, tag, ...)
  if stopped then error(stopped, 0) end
  if ok and tag == AWAIT then return through(co, resume(co, yield(AWAIT, ...))) end
  return ok, tag, ...
end

local function plainly(ok, ...)
  if ok then return ... end
  error(..., 0)
end

runtime.coroutine = {
  create = create, status = status, running = running, yield = yield,
  resume = function(co, ...) return through(co, resume(co, ...)) end,
  wrap = function(f)
    local co = create(f)
    return function(...) return plainly(through(co, resume(co, ...))) end
  end,
}
runtime.pcall = function(...) return still(pcall(...)) end

-- LuaJIT calls no hook in a handler of xpcall, so one that loops could not be stopped: handlers run
-- when the stack is unwound, and debug.traceback shows there what it was.

local unwound

local function trace_of(said)
  return {said, traceback("", 2)}
end

local function handled(handler, ok, ...)
  if stopped then error(stopped, 0) end
  if ok then return true, ... end
  local failure = ...
  if type(failure) ~= "table" or not failure[2] then return false, handler(failure) end
  local before = unwound
  unwound = failure[2]
  local fine, said = pcall(handler, failure[1])
  unwound = before
  return false, said
end

runtime.xpcall = function(f, handler, ...)
  return handled(handler, xpcall(f, trace_of, ...))
end
runtime.traceback = function(said, ...)
  if unwound and (type(said) == "string" or said == nil) then return (said or "") .. unwound end
  return traceback(said, ...)
end

stub.wait, stub.waitable, stub.can_wait, stub.maybe = wait, waitable, can_wait, maybe
runtime.start, runtime.continue, runtime.entrance = start, continue, entrance
runtime.abandon = function(number) waiting[number], records[number] = nil, nil end
runtime.counted, runtime.own_self = counted, own_self
runtime.tls = function() return current.tls end
runtime.record = function() return {tls = {}, selves = {}} end
