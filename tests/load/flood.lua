-- Asks for limit different paths below a prefix, once each; says how many of each status came.
local threads = {}

function setup(thread)
  thread:set("id", #threads)
  table.insert(threads, thread)
end

function init(args)
  prefix, limit, asked, seen = args[1], tonumber(args[2]), 0, 0
  s200, s404, other = 0, 0, 0
end

function request()
  asked = asked + 1
  return wrk.format("GET", prefix .. "w" .. id .. "-" .. asked)
end

function response(status)
  seen = seen + 1
  if status == 200 then s200 = s200 + 1
  elseif status == 404 then s404 = s404 + 1
  else other = other + 1 end
  if seen >= limit then wrk.thread:stop() end
end

function done(summary)
  local a, b, c = 0, 0, 0
  for _, thread in ipairs(threads) do
    a, b, c = a + thread:get("s200"), b + thread:get("s404"), c + thread:get("other")
  end
  local errors = summary.errors
  local lost = errors.connect + errors.read + errors.write + errors.timeout
  io.write(string.format("\nANSWERS %d %d %d %d\n", a, b, c, lost))
end
