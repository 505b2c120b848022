"""What Redis does in one step, as its Lua scripts. Times are milliseconds, 0 is for ever."""

from __future__ import annotations

from typing import Final

__all__ = ["ADD", "COMMIT", "DELETE", "SET", "TOUCH"]

#: value, lease, value, lease, … | time, data, data, …: store each, and end its lease. In this
#: order, as a server without memory refuses the first writing command of a script and none
#: after one that it took.
SET: Final = """
for at = 1, #KEYS, 2 do
  local data = ARGV[(at + 3) / 2]
  if ARGV[1] == '0' then redis.call('SET', KEYS[at], data)
  else redis.call('SET', KEYS[at], data, 'PX', ARGV[1]) end
  redis.call('DEL', KEYS[at + 1])
end
"""

#: value, lease | token, data, time: store where the lease is still held, and end it.
COMMIT: Final = """
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[2])
if ARGV[3] == '0' then redis.call('SET', KEYS[1], ARGV[2])
else redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) end
return 1
"""

# Whether a value is within its time to live: `!<grace in seconds>|` or `,` begins one with a grace.
_FRESH: Final = """
local function fresh(key)
  local head = redis.call('GETRANGE', key, 0, 31)
  if head == '' then return false, 0 end
  local grace = tonumber(string.match(head, '^!([%d.]+)[,|]') or '0') * 1000
  local left = redis.call('PTTL', key)
  return left < 0 or left > grace, grace
end
"""

#: value | data, time: store where nothing fresh is.
ADD: Final = (
    _FRESH
    + """
if fresh(KEYS[1]) then return 0 end
if ARGV[2] == '0' then redis.call('SET', KEYS[1], ARGV[1])
else redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2]) end
return 1
"""
)

#: value, lease, value, lease, …: remove all; how many values were within their time to live.
DELETE: Final = (
    _FRESH
    + """
local found = 0
for at = 1, #KEYS, 2 do
  if fresh(KEYS[at]) then found = found + 1 end
  redis.call('DEL', KEYS[at], KEYS[at + 1])
end
return found
"""
)

#: value | time: give what is fresh a new time to live, with the grace that it has.
TOUCH: Final = (
    _FRESH
    + """
local is_fresh, grace = fresh(KEYS[1])
if not is_fresh then return 0 end
if ARGV[1] == '0' then redis.call('PERSIST', KEYS[1])
else redis.call('PEXPIRE', KEYS[1], tonumber(ARGV[1]) + grace) end
return 1
"""
)
