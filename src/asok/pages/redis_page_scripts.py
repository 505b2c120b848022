"""What Redis does in one step for pages, as its Lua scripts.

```
<space>meta                born, version, floor of the log, bytes        (hash)
<space>p:<name>            r record, b body, m moment, n note, g generation (hash)
<space>l:<name>            the token of who renders the page
<space>listed              names of pages that a build lists              (sorted set)
<space>unlisted            names of pages made on demand, by last use
<space>notes               names of which there is only a note, by its time
<space>sizes               bytes by name, of the two above                (hash)
<space>log                 names that were written, by version
<tags>at, <tags>block      tags by when they were last invalidated        (sorted sets)
<tags>meta                 born, clock, latest, floor, floor_block        (hash)
<tags>codes                the spaces that pages were written to, by when that began
```

KEYS are the two spaces. Moments are whole microseconds of the server's clock, and no two are
the same: what began is before or after what was invalidated. `born` changes when Redis has
lost what it held.
"""

from __future__ import annotations

from typing import Final

__all__ = [
    "BEGIN",
    "CLEAR",
    "INVALIDATE_TAG",
    "PUT",
    "REMOVE",
    "RESTORE",
    "UPDATE",
]

_COMMON: Final = """
local S, T = KEYS[1], KEYS[2]
local call = redis.call

local function number(key, field) return tonumber(call('HGET', key, field) or '0') end

-- The key of a page; what something else put there goes.
local function page_of(name)
  local page = S .. 'p:' .. name
  if call('TYPE', page).ok ~= 'hash' then call('DEL', page) end
  return page
end

local function text(value) return string.format('%.0f', value) end

-- Later than every moment before, also where the server's clock was set back.
local function now()
  local time = call('TIME')
  local at = math.max(time[1] * 1000000 + time[2], number(T .. 'meta', 'clock') + 1)
  call('HSET', T .. 'meta', 'clock', text(at))
  return at
end
"""

_WRITE: Final = (
    _COMMON
    + """
local LOG, LIFE, MAX_PAGES, MAX_BYTES = 10000, ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])

-- Tell everybody that a page was written. Returns the new version.
local function tell(name)
  if call('HSETNX', S .. 'meta', 'born', text(now())) == 1 then
    call('HSET', S .. 'meta', 'version', '0')
    call('ZADD', T .. 'codes', 'NX', now(), S)
  end
  local version = call('HINCRBY', S .. 'meta', 'version', 1)
  call('ZADD', S .. 'log', version, name)
  if call('ZCARD', S .. 'log') > LOG then
    local gone = call('ZPOPMIN', S .. 'log', LOG / 10)
    call('HSET', S .. 'meta', 'floor', gone[#gone])
  end
  for _, key in ipairs({'meta', 'log', 'listed', 'unlisted', 'notes', 'sizes'}) do
    call('PEXPIRE', S .. key, LIFE)
  end
  return version
end

local function weigh(name, size)
  local before = number(S .. 'sizes', name)
  if size == 0 then call('HDEL', S .. 'sizes', name)
  elseif size ~= before then call('HSET', S .. 'sizes', name, size) end
  if size ~= before then call('HINCRBY', S .. 'meta', 'bytes', size - before) end
end

-- Keep the books of a page after any change of it; `listed` is nil where that stays as it was.
local function place(name, listed)
  local page = S .. 'p:' .. name
  local has_page = call('HEXISTS', page, 'r') == 1
  if has_page and listed == nil then listed = call('ZSCORE', S .. 'listed', name) ~= false end
  local places = {listed = false, unlisted = false, notes = false}
  if has_page then places[listed and 'listed' or 'unlisted'] = true
  elseif call('EXISTS', page) == 1 then places.notes = true end
  for key, here in pairs(places) do
    if here then call('ZADD', S .. key, now(), name) else call('ZREM', S .. key, name) end
  end
  if places.unlisted or places.notes then
    local size = #name + 200
    for _, field in ipairs({'r', 'b', 'n'}) do size = size + call('HSTRLEN', page, field) end
    weigh(name, size)
  else weigh(name, 0) end
  call('PEXPIRE', page, LIFE)
end

-- A server that is short of memory may have dropped one of the books: count anew.
local function recount()
  local bytes = 0
  for _, size in ipairs(call('HVALS', S .. 'sizes')) do bytes = bytes + size end
  call('HSET', S .. 'meta', 'bytes', text(bytes))
end

-- Let pages made on demand go, and notes, the least recently used first, until all fits.
local function evict()
  local function over(key)
    return call('ZCARD', S .. key) > MAX_PAGES or number(S .. 'meta', 'bytes') > MAX_BYTES
  end
  if number(S .. 'meta', 'bytes') < 0 then recount() end
  while over('unlisted') do
    local name = call('ZPOPMIN', S .. 'unlisted')[1]
    if not name then break end
    -- The generation stays: a render that is under way is compared with it.
    call('HDEL', S .. 'p:' .. name, 'r', 'b', 'm')
    place(name)
  end
  while over('notes') do
    local name = call('ZPOPMIN', S .. 'notes')[1]
    if not name then  -- nothing is left that could have a size
      call('DEL', S .. 'sizes')
      recount()
      break
    end
    local note = call('HGET', S .. 'p:' .. name, 'n') or ''
    if string.find(note, '"invalidated":"', 1, true) or string.find(note, '"gone":true', 1, true)
    then call('HSET', T .. 'meta', 'floor', text(now())) end  -- it may concern a page of the build
    call('DEL', S .. 'p:' .. name)
    weigh(name, 0)
  end
end
"""
)

#: life, max pages, max bytes, name, record, body, moment, listed, generation or '', tags…:
#: store a page. Returns the version, or 0 where an invalidation overtook its render.
PUT: Final = (
    _WRITE
    + """
local name, moment, generation = ARGV[4], tonumber(ARGV[7]), ARGV[9]
local page = page_of(name)
if generation ~= '' then
  if moment <= 0 then
    now()  -- a replica refuses this: then the page stays in its worker's memory
    return 0  -- Redis was away when the render began, and may have heard of invalidations since
  end
  if (call('HGET', page, 'g') or '0') ~= generation then return 0 end
  if number(T .. 'meta', 'floor') >= moment then return 0 end
  for i = 10, #ARGV do
    if tonumber(call('ZSCORE', T .. 'at', ARGV[i]) or '0') >= moment then return 0 end
  end
  -- Made later by somebody who took the lease over: what we have is older.
  if number(page, 'm') > moment then return number(S .. 'meta', 'version') end
end
call('HSET', page, 'r', ARGV[5], 'b', ARGV[6], 'm', ARGV[7])
call('HDEL', page, 'n')
place(name, ARGV[8] == '1')
evict()
return tell(name)
"""
)

#: life, max pages, max bytes, name, note and generation that are replaced, new ones.
#: Returns the version, or 0 where somebody else wrote a note meanwhile.
UPDATE: Final = (
    _WRITE
    + """
local name = ARGV[4]
local page = page_of(name)
if (call('HGET', page, 'n') or '') ~= ARGV[5] then return 0 end
if (call('HGET', page, 'g') or '0') ~= ARGV[6] then return 0 end
call('HSET', page, 'n', ARGV[7], 'g', ARGV[8])
place(name)
evict()
return tell(name)
"""
)

#: life, max pages, max bytes, name, note or '', generation: remove a page. Returns the version.
REMOVE: Final = (
    _WRITE
    + """
local name = ARGV[4]
local page = page_of(name)
call('HDEL', page, 'r', 'b', 'm')
if ARGV[5] ~= '' then call('HSET', page, 'n', ARGV[5], 'g', ARGV[6]) end
place(name)
evict()
return tell(name)
"""
)

#: life, max pages, max bytes, how many: remove so many pages and notes. Returns how many were.
CLEAR: Final = (
    _WRITE
    + """
local count = 0
for _, key in ipairs({'listed', 'unlisted', 'notes'}) do
  local names = call('ZRANGE', S .. key, 0, ARGV[4] - 1)
  for _, name in ipairs(names) do
    call('DEL', S .. 'p:' .. name)
    call('ZREM', S .. key, name)
    weigh(name, 0)
    tell(name)
    count = count + 1
  end
end
return count
"""
)

#: name: what a render has to know when it begins: generation and moment.
BEGIN: Final = (
    _COMMON
    + """
return {call('HGET', page_of(ARGV[1]), 'g') or '0', text(now())}
"""
)

#: tag, '1' to block, how many tags are remembered. Returns the moment.
INVALIDATE_TAG: Final = (
    _COMMON
    + """
local at, most = now(), tonumber(ARGV[3])
call('HSETNX', T .. 'meta', 'born', text(at))
call('ZADD', T .. 'at', at, ARGV[1])
if ARGV[2] == '1' then call('ZADD', T .. 'block', at, ARGV[1]) end
call('HSET', T .. 'meta', 'latest', text(at))
if call('ZCARD', T .. 'at') > most then
  local gone = call('ZPOPMIN', T .. 'at', math.ceil(most / 10))
  local floor, block = number(T .. 'meta', 'floor'), number(T .. 'meta', 'floor_block')
  for i = 1, #gone, 2 do
    floor = math.max(floor, tonumber(gone[i + 1]))
    block = math.max(block, tonumber(call('ZSCORE', T .. 'block', gone[i]) or '0'))
    call('ZREM', T .. 'block', gone[i])
  end
  call('HSET', T .. 'meta', 'floor', text(floor), 'floor_block', text(block))
end
return text(at)
"""
)

#: latest, floor, floor_block, then tag, at, block_at…: what a worker remembers of tags
#: that Redis has lost. The later moment of each counts.
RESTORE: Final = (
    _COMMON
    + """
call('HSETNX', T .. 'meta', 'born', text(now()))
for i, field in ipairs({'clock', 'latest', 'floor', 'floor_block'}) do
  local value = tonumber(ARGV[math.max(1, i - 1)])
  if value > number(T .. 'meta', field) then call('HSET', T .. 'meta', field, text(value)) end
end
for i = 4, #ARGV, 3 do
  call('ZADD', T .. 'at', 'GT', ARGV[i + 1], ARGV[i])
  if ARGV[i + 2] ~= '0' then call('ZADD', T .. 'block', 'GT', ARGV[i + 2], ARGV[i]) end
end
return 1
"""
)
