--[[
  Ends reservations of one product, each at most once.

  KEYS[1]  stock         hash  left, held, ...
  KEYS[2]  reservations  hash  order id -> message (JSON)
  KEYS[3]  unpublished   zset  order id by acceptedAt
  KEYS[4]  bought        hash  user id -> units
  KEYS[5]  decided       hash  order id -> tombstone; all orders of one call share this bucket
  ARGV[1]  how long the bucket is kept after this call, ms
  ARGV[2…] triples: order id, "S" (units stay sold) or "F" (units go back), the message ("" when it is not known)

  Returns  how many reservations were ended.
  May be called twice, and in parallel: only the call that removes the reservation gives its units back, in the same
  step. Units go back by the reservation's own quantity, never by the caller's.
]]
local ended = 0
local loaded = redis.call("EXISTS", KEYS[1]) == 1
for i = 2, #ARGV, 3 do
  local orderId, outcome, message = ARGV[i], ARGV[i + 1], ARGV[i + 2]
  local reservation = redis.call("HGET", KEYS[2], orderId)
  if reservation then
    message = reservation
    local order = cjson.decode(reservation)
    redis.call("HDEL", KEYS[2], orderId)
    if loaded then redis.call("HINCRBY", KEYS[1], "held", -order.quantity) end
    if outcome == "F" then
      local user = string.format("%d", order.userId)
      if loaded then redis.call("HINCRBY", KEYS[1], "left", order.quantity) end
      if redis.call("HINCRBY", KEYS[4], user, -order.quantity) <= 0 then redis.call("HDEL", KEYS[4], user) end
    end
    ended = ended + 1
  end
  redis.call("ZREM", KEYS[3], orderId)
  if message ~= "" then redis.call("HSETNX", KEYS[5], orderId, outcome .. "|" .. message) end
end
redis.call("PEXPIRE", KEYS[5], ARGV[1])
return ended
