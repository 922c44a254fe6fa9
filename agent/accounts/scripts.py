"""What runs inside a shared store: two Lua scripts, one that reserves over all tiers, one that settles. Data only.

They do what `counter` and `tally` do, in the same words; the tests of `store` hold both to the same results. All keys
carry one hash tag, so that a cluster keeps them on one shard: a reservation takes from every tier or from none, and
only one shard can promise that. Time is the server's, so that devices with wrong clocks share one window.

Keys of a namespace NS:
  NS:m:<meter>         a hash: `at` and `total` as in `Counter`, and the amounts by slot
  NS:g:<meter>         a sorted set of holds under way, by the moment at which they are given up
  NS:h:<hold>          a hash: by key of a meter, `slot:amount` of what the hold claims
  NS:u:<key>:<day>     a hash: by `column:model`, what a virtual key used
Numbers are doubles in Lua: whole ones are exact to 2^53, nine million dollars in nano-dollars.
"""

from __future__ import annotations

_SHARED = """
local function whole(n) return string.format('%.0f', n) end

local function moment(given)
  if given ~= '' then return tonumber(given) end
  local t = redis.call('TIME')
  return tonumber(t[1]) + tonumber(t[2]) / 1000000
end

-- let the window of a meter reach `slot`; returns the slot and its sum
local function advance(key, slot, first, kept)
  local state = redis.call('HMGET', key, 'at', 'total')
  if state[1] and tonumber(state[1]) == slot then return tonumber(state[2]) end
  local all = redis.call('HGETALL', key)
  local total, moved = 0, 0
  for i = 1, #all, 2 do
    if all[i] ~= 'at' and all[i] ~= 'total' then
      local s, amount = tonumber(all[i]), tonumber(all[i + 1])
      if s > slot then
        moved = moved + amount
        redis.call('HDEL', key, all[i])
      elseif s < kept then
        redis.call('HDEL', key, all[i])
      elseif s >= first then
        total = total + amount
      end
    end
  end
  if moved > 0 then
    redis.call('HINCRBY', key, whole(slot), whole(moved))
    total = total + moved
  end
  redis.call('HSET', key, 'at', whole(slot), 'total', whole(total))
  return total
end

-- change what was counted in a slot; `back` is how many slots before the newest still count
local function add(key, slot, amount, back)
  local at = tonumber(redis.call('HGET', key, 'at') or '0')
  if slot > at then slot = at end
  local have = tonumber(redis.call('HGET', key, whole(slot)) or '0')
  local new = math.max(0, have + amount)
  if slot >= at - back then
    redis.call('HINCRBY', key, 'total', whole(new - have))
  elseif have == 0 then
    return
  end
  redis.call('HSET', key, whole(slot), whole(new))
end
"""

RESERVE = (
    _SHARED
    + """
-- KEYS: the new hold, the old hold (or the new one again), then one for each meter of either
-- ARGV: now ('' is the server's), seconds a hold lives, seconds one under way does, the new hold's name, the old one's,
--       then for each meter: kind, a, b, limit, amount ('' where only the old hold has it), seconds it is kept
-- kind r: slots of `a` seconds, `b` of them before the newest count; c: the period from `a` to `b`; g: under way
local now = moment(ARGV[1])
local old = {}
local record = redis.call('HGETALL', KEYS[1])  -- there already, if the same call comes twice
if #record == 0 then record = redis.call('HGETALL', KEYS[2]) end
for i = 1, #record, 2 do old[record[i]] = record[i + 1] end

local plan = {}
for i = 3, #KEYS do
  local o = 5 + (i - 3) * 6
  plan[i] = {kind = ARGV[o + 1], a = tonumber(ARGV[o + 2]), b = tonumber(ARGV[o + 3]), limit = tonumber(ARGV[o + 4]),
             amount = tonumber(ARGV[o + 5]), keep = tonumber(ARGV[o + 6])}
  if plan[i].kind == 'c' and (now < plan[i].a or now >= plan[i].b) then return {'clock', 0, tostring(now), {}} end
end

for i = 3, #KEYS do
  local key, p = KEYS[i], plan[i]
  if p.kind == 'g' then
    redis.call('ZREMRANGEBYSCORE', key, '-inf', tostring(now))
    if p.amount then
      local card = redis.call('ZCARD', key)
      if redis.call('ZSCORE', key, ARGV[4]) or redis.call('ZSCORE', key, ARGV[5]) then card = card - 1 end
      if p.amount > 0 and card + p.amount > p.limit then return {'full', i - 2, tostring(now), {}} end
    end
  else
    local first, kept
    if p.kind == 'r' then
      p.slot = math.floor(now / p.a)
      p.back = p.b
      first, kept = p.slot - p.b, p.slot - 2 * p.b - 4
    else
      p.slot = p.a
      p.back = 0
      first, kept = p.slot, p.slot - 4 * (p.b - p.a)
    end
    local total = advance(key, p.slot, first, kept)
    local claim = old[key]
    if claim then
      local s, amount = string.match(claim, '^(%-?%d+):(%-?%d+)$')
      p.old_slot, p.old_amount = tonumber(s), tonumber(amount)
      if p.old_slot >= first then total = total - p.old_amount end
    end
    if p.amount and p.amount > 0 and total + p.amount > p.limit then
      return {'full', i - 2, tostring(now), redis.call('HGETALL', key)}
    end
  end
end

redis.call('DEL', KEYS[1], KEYS[2])
for i = 3, #KEYS do
  local key, p = KEYS[i], plan[i]
  if p.kind == 'g' then
    redis.call('ZREM', key, ARGV[5])
    if p.amount and p.amount > 0 then
      redis.call('ZADD', key, tostring(now + tonumber(ARGV[3])), ARGV[4])
      redis.call('HSET', KEYS[1], key, '0:1')
      redis.call('EXPIRE', key, whole(p.keep))
    end
  else
    if p.old_amount then add(key, p.old_slot, -p.old_amount, p.back) end
    if p.amount then
      add(key, p.slot, p.amount, p.back)
      redis.call('HSET', KEYS[1], key, whole(p.slot) .. ':' .. whole(p.amount))
    end
    redis.call('EXPIRE', key, whole(p.keep))
  end
end
if #KEYS > 2 then redis.call('EXPIRE', KEYS[1], ARGV[2]) end
return {'held', 0, tostring(now), {}}
"""
)

SETTLE = (
    _SHARED
    + """
-- KEYS: the hold, the history of its day (or the hold again), then one for each meter
-- ARGV: the hold's name, seconds the history is kept, the most models a day, the model's name ('' where there is no
--       history), its figures (requests, input, output, nano_usd, unpriced), then for each meter: kind, how many slots
--       before the newest count, the amount used
local record = redis.call('HGETALL', KEYS[1])
if #record == 0 and #KEYS > 2 then return 0 end
redis.call('DEL', KEYS[1])
local old = {}
for i = 1, #record, 2 do old[record[i]] = record[i + 1] end
for i = 3, #KEYS do
  local o = 9 + (i - 3) * 3
  local claim = old[KEYS[i]]
  if ARGV[o + 1] == 'g' then
    redis.call('ZREM', KEYS[i], ARGV[1])
  elseif claim then
    local s, amount = string.match(claim, '^(%-?%d+):(%-?%d+)$')
    add(KEYS[i], tonumber(s), tonumber(ARGV[o + 3]) - tonumber(amount), tonumber(ARGV[o + 2]))
  end
end
if ARGV[4] ~= '' then
  local model = ARGV[4]
  if redis.call('HEXISTS', KEYS[2], 'requests:' .. model) == 0
     and redis.call('HLEN', KEYS[2]) >= 5 * tonumber(ARGV[3]) then model = '(other)' end
  local columns = {'requests', 'input_tokens', 'output_tokens', 'nano_usd', 'unpriced'}
  for c = 1, 5 do redis.call('HINCRBY', KEYS[2], columns[c] .. ':' .. model, ARGV[4 + c]) end
  redis.call('EXPIRE', KEYS[2], ARGV[2])
end
return 1
"""
)
