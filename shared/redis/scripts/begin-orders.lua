--[[
  Opens orders in their users' slot, one after the other: claims the Idempotency-Key, when there is one, takes the lock of
  (user, product), and notes the order as pending.

  Three keys for each order:
  1  the key's record   string  "R|hash|orderId|leaseUntil"  running
                                "D|hash|orderId|answer"      answered; the answer is opaque here
     (the pending hash again when the request has no key)
  2  the user's pending orders   hash  order id -> product id
  3  lock of (user, product)     string  the token of its holder; Redlock's algorithm on the one instance of this slot
  ARGV[1]  lease of a running claim and of the lock, ms
  ARGV[2]  how long the record is kept, ms
  ARGV[3]  how long pending orders are kept, ms
  Four more for each order: the id to take when the key is new, the product's id, the request hash ("" without a key), the
  token of this attempt, never used before

  Returns, flat, three for each order:
     "claimed",     orderId, ""       new
     "resumed",     orderId, ""       taken over from a holder whose lease ran out; it may have taken units
     "answered",    answer, orderId   this request was answered before
     "in_progress", "", ""            this request, or another of the user on this product, is being worked on
     "key_reused",  "", ""            another request has this key

  May be called twice: the second call of the same attempt hears in_progress until the lease is over, and a taken-over
  claim keeps its first order id, so that everything behind it is idempotent.
]]
local time = redis.call("TIME")
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local lease = ARGV[1]
local leaseUntil = string.format("%d", now + lease)

local function begin(recordKey, pendingKey, lockKey, orderId, productId, hash, token)
  local outcome = "claimed"
  local record = hash ~= "" and redis.call("GET", recordKey)
  if record then
    local state, known, first, rest = string.match(record, "^(%u)|([^|]*)|([^|]*)|(.*)$")
    if known ~= hash then return "key_reused", "", "" end
    if state == "D" then return "answered", rest, first end
    if now < tonumber(rest) then return "in_progress", "", "" end
    orderId, outcome = first, "resumed"
  end
  if not redis.call("SET", lockKey, token, "NX", "PX", lease) then return "in_progress", "", "" end
  if hash ~= "" then
    local running = "R|" .. hash .. "|" .. orderId .. "|" .. leaseUntil
    if record then
      redis.call("SET", recordKey, running, "KEEPTTL")
    else
      redis.call("SET", recordKey, running, "PX", ARGV[2])
    end
  end
  redis.call("HSET", pendingKey, orderId, productId)
  redis.call("PEXPIRE", pendingKey, ARGV[3])
  return outcome, orderId, ""
end

local replies = {}
for i = 0, #KEYS / 3 - 1 do
  local key, arg, reply = 3 * i, 4 * i + 3, 3 * i
  replies[reply + 1], replies[reply + 2], replies[reply + 3] =
    begin(KEYS[key + 1], KEYS[key + 2], KEYS[key + 3], ARGV[arg + 1], ARGV[arg + 2], ARGV[arg + 3], ARGV[arg + 4])
end
return replies
