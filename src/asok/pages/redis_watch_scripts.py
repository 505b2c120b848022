"""What the watch of each worker has Redis do, as its Lua scripts; see redis_page_scripts.py."""

from __future__ import annotations

from typing import Final

__all__ = ["EARLIER", "KEEP", "POLL", "TOUCH"]

#: version that was seen, latest tag that was seen: what was written since. It writes nothing,
#: so that a replica answers it too.
POLL: Final = """
local S, T = KEYS[1], KEYS[2]
local call = redis.call
local pages = call('HMGET', S .. 'meta', 'born', 'version', 'floor')
local tags = call('HMGET', T .. 'meta', 'born', 'latest', 'floor', 'floor_block')
local names, at, block = {}, {}, {}
if (pages[2] or '0') ~= ARGV[1] then
  names = call('ZRANGEBYSCORE', S .. 'log', '(' .. ARGV[1], '+inf', 'WITHSCORES')
end
if (tags[2] or '0') ~= ARGV[2] then
  at = call('ZRANGEBYSCORE', T .. 'at', '(' .. ARGV[2], '+inf', 'WITHSCORES')
  block = call('ZRANGEBYSCORE', T .. 'block', '(' .. ARGV[2], '+inf', 'WITHSCORES')
end
return {pages, tags, names, at, block}
"""

#: life, names…: keep pages that are in use from expiring.
KEEP: Final = """
local S, T = KEYS[1], KEYS[2]
for _, code in ipairs(redis.call('ZRANGE', T .. 'codes', 0, -1)) do
  if redis.call('EXISTS', code .. 'meta') == 0 then redis.call('ZREM', T .. 'codes', code) end
end
for _, key in ipairs({'meta', 'log', 'listed', 'unlisted', 'notes', 'sizes'}) do
  redis.call('PEXPIRE', S .. key, ARGV[1])
end
for i = 2, #ARGV do redis.call('PEXPIRE', S .. 'p:' .. ARGV[i], ARGV[1]) end
return 1
"""

#: how many: the spaces of the code before this one, the latest first.
EARLIER: Final = """
local S, T = KEYS[1], KEYS[2]
local own = redis.call('ZSCORE', T .. 'codes', S)
local from = own and '(' .. own or '+inf'
return redis.call('ZREVRANGEBYSCORE', T .. 'codes', from, '-inf', 'LIMIT', 0, ARGV[1])
"""

#: names…: pages made on demand that were used.
TOUCH: Final = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
for _, name in ipairs(ARGV) do redis.call('ZADD', KEYS[1] .. 'unlisted', 'XX', now, name) end
return 1
"""
