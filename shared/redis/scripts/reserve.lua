--[[
  Reserves units for one order. Checks first, writes last: nothing after the first write can fail.

  KEYS[1]  stock         hash  left, held (units in reservations), start, end (epoch ms, open in [start, end)), limit, price,
                               currency, until (epoch ms up to which confirm.lua vouches for these counters)
  KEYS[2]  reservations  hash  order id -> facts (packed-order.ts), while the order is undecided
  KEYS[3]  unpublished   zset  order id by acceptedAt, while the log is not known to have it
  KEYS[4]  bought        hash  user id -> units reserved or bought
  KEYS[5]  decided       hash  order id -> tombstone "S|..." or "F|..." followed by the facts
  ARGV[1]  order id   ARGV[2]  user id   ARGV[3]  quantity, at least 1

  Returns  {"reserved", facts}           now, or before by this very order: then nothing more is taken
           {"already_decided", facts}    the order is over; nothing is taken
           {"not_loaded"}                the counters are missing
           {"unconfirmed"}               nobody vouches for the counters any more; nothing is taken (confirm.lua)
           {"sale_not_open"} {"sale_closed"} {"limit_exceeded"} {"sold_out"}

  May be called twice, at any distance: the reservation, and after it the tombstone, answer the second call.
]]
local reservation = redis.call("HGET", KEYS[2], ARGV[1])
if reservation then return { "reserved", reservation } end
local tombstone = redis.call("HGET", KEYS[5], ARGV[1])
if tombstone then return { "already_decided", string.sub(tombstone, 3) } end

local stock = redis.call("HMGET", KEYS[1], "left", "start", "end", "limit", "price", "currency", "held", "until")
if not stock[1] then return { "not_loaded" } end
local time = redis.call("TIME")
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if now >= tonumber(stock[8] or "0") then return { "unconfirmed" } end
if now < tonumber(stock[2]) then return { "sale_not_open" } end
if now >= tonumber(stock[3]) then return { "sale_closed" } end
local quantity = tonumber(ARGV[3])
local bought = tonumber(redis.call("HGET", KEYS[4], ARGV[2]) or "0")
if bought + quantity > tonumber(stock[4]) then return { "limit_exceeded" } end
if tonumber(stock[1]) < quantity then return { "sold_out" } end

local accepted = string.format("%d", now)
local facts = ARGV[2] .. "|" .. ARGV[3] .. "|" .. stock[5] .. "|" .. stock[6] .. "|" .. accepted
redis.call("HSET", KEYS[1], "left", string.format("%d", stock[1] - quantity),
  "held", string.format("%d", stock[7] + quantity))
redis.call("HINCRBY", KEYS[4], ARGV[2], quantity)
redis.call("HSET", KEYS[2], ARGV[1], facts)
redis.call("ZADD", KEYS[3], accepted, ARGV[1])
return { "reserved", facts }
