--[[
  Opens the counters of one product when, and only when, there are none.

  KEYS[1]  stock         hash  left, start, end, limit, price, currency
  KEYS[2]  reservations  hash  order id -> message (JSON)
  KEYS[3]  bought        hash  user id -> units
  KEYS[4]  staged        hash  user id -> units bought by the database; becomes `bought`
  ARGV[1]  units left by the database   ARGV[2] start   ARGV[3] end   ARGV[4] limit   ARGV[5] price   ARGV[6] currency

  Returns  1 loaded, 0 there were counters already (nothing is changed).
  May be called twice: the second call finds the counters. Reservations that are still alive are counted as taken.
]]
if redis.call("EXISTS", KEYS[1]) == 1 then
  redis.call("DEL", KEYS[4])
  return 0
end
local left = tonumber(ARGV[1])
redis.call("DEL", KEYS[3])
if redis.call("EXISTS", KEYS[4]) == 1 then redis.call("RENAME", KEYS[4], KEYS[3]) end
redis.call("PERSIST", KEYS[3])
local reservations = redis.call("HVALS", KEYS[2])
for i = 1, #reservations do
  local order = cjson.decode(reservations[i])
  left = left - order.quantity
  redis.call("HINCRBY", KEYS[3], string.format("%d", order.userId), order.quantity)
end
if left < 0 then left = 0 end
redis.call("HSET", KEYS[1], "left", string.format("%d", left), "start", ARGV[2], "end", ARGV[3],
  "limit", ARGV[4], "price", ARGV[5], "currency", ARGV[6])
return 1
