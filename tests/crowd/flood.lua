-- Asks for different paths below a prefix, once each, until limit answers have come; says how
-- many of each status there were, and how many requests have none yet. For one thread.

function init(args)
  prefix, limit, asked, seen = args[1], tonumber(args[2]), 0, 0
  ok, missing, other = 0, 0, 0
end

function request()
  asked = asked + 1
  return wrk.format("GET", prefix .. asked)
end

function response(status)
  seen = seen + 1
  if status == 200 then ok = ok + 1
  elseif status == 404 then missing = missing + 1
  else other = other + 1 end
  if seen >= limit then
    -- wrk itself would sleep until the end of its duration.
    io.write(string.format("ANSWERS %d %d %d %d\n", ok, missing, other, asked - seen))
    io.flush()
    os.exit(0)
  end
end
