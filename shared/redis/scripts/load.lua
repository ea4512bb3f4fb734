--[[
  Opens the counters of one product when, and only when, there are none.

  KEYS[1]  stock         hash  left, held, stock (units that left counts, in all), start, end, limit, price, currency,
                               epoch, until
  KEYS[2]  reservations  hash  order id -> facts (packed-order.ts)
  KEYS[3]  bought        hash  user id -> units
  KEYS[4]  staged        hash  user id -> units bought by the database; becomes `bought`
  ARGV[1]  units left by the database   ARGV[2] start   ARGV[3] end   ARGV[4] limit   ARGV[5] price   ARGV[6] currency
  ARGV[7]  epoch, above every one these counters ever had   ARGV[8] how long they are vouched for, ms (confirm.lua)
  ARGV[9]  stock: units on sale in all

  Returns  1 loaded, 0 there were counters already (nothing is changed).
  May be called twice: the second call finds the counters. Reservations that are still alive are counted as taken.
]]
if redis.call("EXISTS", KEYS[1]) == 1 then
  redis.call("DEL", KEYS[4])
  return 0
end
local left, held = tonumber(ARGV[1]), 0
redis.call("DEL", KEYS[3])
if redis.call("EXISTS", KEYS[4]) == 1 then redis.call("RENAME", KEYS[4], KEYS[3]) end
redis.call("PERSIST", KEYS[3])
local reservations = redis.call("HVALS", KEYS[2])
for i = 1, #reservations do
  local user, quantity = string.match(reservations[i], "^(%d+)|(%d+)|")
  held = held + tonumber(quantity)
  redis.call("HINCRBY", KEYS[3], user, quantity)
end
left = left - held -- below zero when Redis had promised more than there was: what fails in the database brings it back
local time = redis.call("TIME")
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call("HSET", KEYS[1], "left", string.format("%d", left), "held", string.format("%d", held),
  "start", ARGV[2], "end", ARGV[3], "limit", ARGV[4], "price", ARGV[5], "currency", ARGV[6],
  "epoch", ARGV[7], "until", string.format("%d", now + ARGV[8]), "stock", ARGV[9])
return 1
