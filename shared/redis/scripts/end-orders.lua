--[[
  Closes what begin-orders.lua opened, one order after the other.

  Three keys for each order:
  1  the key's record (the pending hash again when the request has no key)
  2  the user's pending orders   hash  order id -> product id
  3  lock of (user, product)     string  the token of its holder
  Five arguments for each order:
  1  order id
  2  request hash, "" without a key
  3  "accepted"  keep the order pending, remember the answer
     "decided"   the order is over, remember the answer
     "refused"   nothing was taken, remember the answer
     "forget"    nothing was taken, forget the claim
     "open"      taken, not confirmed: let the next attempt take over at once
  4  the answer, with accepted, decided and refused
  5  the token that the lock was taken with, "" when it was not

  Returns, for each order, "1" when the record was changed, "0" when there was none of this order to change.
  May be called twice: it acts on a record only while that is a running claim of this very order, and on the lock only
  while this attempt holds it.
]]
local function close(recordKey, pendingKey, lockKey, orderId, hash, how, answer, token)
  if token ~= "" and redis.call("GET", lockKey) == token then redis.call("DEL", lockKey) end
  if how ~= "accepted" and how ~= "open" then redis.call("HDEL", pendingKey, orderId) end
  if hash == "" then return "0" end
  local prefix = "R|" .. hash .. "|" .. orderId .. "|"
  local record = redis.call("GET", recordKey)
  if not record or string.sub(record, 1, #prefix) ~= prefix then return "0" end
  if how == "forget" then
    redis.call("DEL", recordKey)
  elseif how == "open" then
    redis.call("SET", recordKey, prefix .. "0", "KEEPTTL")
  else
    redis.call("SET", recordKey, "D|" .. hash .. "|" .. orderId .. "|" .. answer, "KEEPTTL")
  end
  return "1"
end

local replies = {}
for i = 0, #KEYS / 3 - 1 do
  local key, arg = 3 * i, 5 * i
  replies[i + 1] = close(KEYS[key + 1], KEYS[key + 2], KEYS[key + 3],
    ARGV[arg + 1], ARGV[arg + 2], ARGV[arg + 3], ARGV[arg + 4], ARGV[arg + 5])
end
return replies
