--[[
  Opens an order in its user's slot: claims the Idempotency-Key, when there is one, takes the lock of (user, product), and
  notes the order as pending.

  KEYS[1]  the key's record   string  "R|hash|orderId|leaseUntil"  running
                                      "D|hash|orderId|answer"      answered; the answer is opaque here
           (the pending hash again when the request has no key)
  KEYS[2]  the user's pending orders   hash  order id -> product id
  KEYS[3]  lock of (user, product)     string  the token of its holder; Redlock's algorithm on the one instance of this slot
  ARGV[1]  order id to take when the key is new
  ARGV[2]  product id
  ARGV[3]  request hash, "" without a key
  ARGV[4]  lease of a running claim and of the lock, ms
  ARGV[5]  how long the record is kept, ms
  ARGV[6]  how long pending orders are kept, ms
  ARGV[7]  token of this attempt, never used before

  Returns  {"claimed", orderId}   new
           {"resumed", orderId}   taken over from a holder whose lease ran out; it may have taken units
           {"answered", answer, orderId}   this request was answered before
           {"in_progress"}        this request, or another of the user on this product, is being worked on
           {"key_reused"}         another request has this key

  May be called twice: the second call of the same attempt hears in_progress until the lease is over, and a taken-over
  claim keeps its first order id, so that everything behind it is idempotent.
]]
local orderId, outcome = ARGV[1], "claimed"
local record = ARGV[3] ~= "" and redis.call("GET", KEYS[1])
local now
if ARGV[3] ~= "" then
  local time = redis.call("TIME")
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end
if record then
  local state, hash, first, rest = string.match(record, "^(%u)|([^|]*)|([^|]*)|(.*)$")
  if hash ~= ARGV[3] then return { "key_reused" } end
  if state == "D" then return { "answered", rest, first } end
  if now < tonumber(rest) then return { "in_progress" } end
  orderId, outcome = first, "resumed"
end
if not redis.call("SET", KEYS[3], ARGV[7], "NX", "PX", ARGV[4]) then return { "in_progress" } end
if ARGV[3] ~= "" then
  local running = "R|" .. ARGV[3] .. "|" .. orderId .. "|" .. string.format("%d", now + ARGV[4])
  if record then
    redis.call("SET", KEYS[1], running, "KEEPTTL")
  else
    redis.call("SET", KEYS[1], running, "PX", ARGV[5])
  end
end
redis.call("HSET", KEYS[2], orderId, ARGV[2])
redis.call("PEXPIRE", KEYS[2], ARGV[6])
return { outcome, orderId }
