--[[
  Ends reservations of one product, each at most once.

  KEYS[1]  stock         hash  left, held, ...
  KEYS[2]  reservations  hash  order id -> facts (packed-order.ts)
  KEYS[3]  unpublished   zset  order id by acceptedAt
  KEYS[4]  bought        hash  user id -> units
  KEYS[5]  decided       hash  order id -> tombstone; all orders of one call share this bucket
  ARGV[1]  how long the bucket is kept after this call, ms
  ARGV[2…] triples: order id, "S" (units stay sold) or "F" (units go back), the facts ("" when they are not known)

  Returns  how many reservations were ended.
  May be called twice, and in parallel: only the call that removes the reservation gives its units back, in the same
  step. Units go back by the reservation's own quantity, never by the caller's.
]]
local ids = {}
for i = 2, #ARGV, 3 do ids[#ids + 1] = ARGV[i] end
local reservations = redis.call("HMGET", KEYS[2], unpack(ids))

-- Looks at everything first and writes in few commands after it: each one that a script sends costs a microsecond.
local ended, tombstones, returned, unheld, units, seen = {}, {}, {}, {}, 0, {}
for i, orderId in ipairs(ids) do
  local outcome, facts = ARGV[i * 3], ARGV[i * 3 + 1]
  local reservation = reservations[i]
  if reservation and not seen[orderId] then
    seen[orderId] = true
    local user, quantity = string.match(reservation, "^(%d+)|(%d+)|")
    units = units + tonumber(quantity)
    if outcome == "F" then returned[#returned + 1] = { user, tonumber(quantity) } end
    ended[#ended + 1] = orderId
    tombstones[#tombstones + 1] = orderId
    tombstones[#tombstones + 1] = outcome .. "|" .. reservation
  elseif not reservation and facts ~= "" then
    unheld[#unheld + 1] = { orderId, outcome .. "|" .. facts }
  end
end

local loaded = redis.call("EXISTS", KEYS[1]) == 1
if #ended > 0 then
  redis.call("HDEL", KEYS[2], unpack(ended))
  redis.call("HSET", KEYS[5], unpack(tombstones))
  if loaded then redis.call("HINCRBY", KEYS[1], "held", -units) end
end
for _, back in ipairs(returned) do
  if loaded then redis.call("HINCRBY", KEYS[1], "left", back[2]) end
  if redis.call("HINCRBY", KEYS[4], back[1], -back[2]) <= 0 then redis.call("HDEL", KEYS[4], back[1]) end
end
for _, tombstone in ipairs(unheld) do redis.call("HSETNX", KEYS[5], tombstone[1], tombstone[2]) end
redis.call("ZREM", KEYS[3], unpack(ids))
redis.call("PEXPIRE", KEYS[5], ARGV[1])
return #ended
