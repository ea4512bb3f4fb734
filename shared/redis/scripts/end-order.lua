--[[
  Closes what begin-order.lua opened.

  KEYS[1]  the key's record (the pending hash again when the request has no key)
  KEYS[2]  the user's pending orders   hash  order id -> product id
  KEYS[3]  lock of (user, product)     string  the token of its holder
  ARGV[1]  order id
  ARGV[2]  request hash, "" without a key
  ARGV[3]  "accepted"  keep the order pending, remember the answer
           "decided"   the order is over, remember the answer
           "refused"   nothing was taken, remember the answer
           "forget"    nothing was taken, forget the claim
           "open"      taken, not confirmed: let the next attempt take over at once
  ARGV[4]  the answer, with accepted, decided and refused
  ARGV[5]  the token that the lock was taken with, "" when it was not

  Returns  1 when the record was changed, 0 when there was none of this order to change.
  May be called twice: it acts on a record only while that is a running claim of this very order, and on the lock only
  while this attempt holds it.
]]
if ARGV[5] ~= "" and redis.call("GET", KEYS[3]) == ARGV[5] then redis.call("DEL", KEYS[3]) end
if ARGV[3] ~= "accepted" and ARGV[3] ~= "open" then redis.call("HDEL", KEYS[2], ARGV[1]) end
if ARGV[2] == "" then return 0 end
local prefix = "R|" .. ARGV[2] .. "|" .. ARGV[1] .. "|"
local record = redis.call("GET", KEYS[1])
if not record or string.sub(record, 1, #prefix) ~= prefix then return 0 end
if ARGV[3] == "forget" then
  redis.call("DEL", KEYS[1])
elseif ARGV[3] == "open" then
  redis.call("SET", KEYS[1], prefix .. "0", "KEEPTTL")
else
  redis.call("SET", KEYS[1], "D|" .. ARGV[2] .. "|" .. ARGV[1] .. "|" .. ARGV[4], "KEEPTTL")
end
return 1
