--[[
  Reserves units of one product for orders, one after the other. Looks first, writes last: nothing after the first write
  can fail, and each command that a script sends costs a microsecond.

  KEYS[1]  stock         hash  left, held (units in reservations), start, end (epoch ms, open in [start, end)), limit, price,
                               currency, until (epoch ms up to which confirm.lua vouches for these counters)
  KEYS[2]  reservations  hash  order id -> facts (packed-order.ts), while the order is undecided
  KEYS[3]  unpublished   zset  order id by acceptedAt, while the log is not known to have it
  KEYS[4]  bought        hash  user id -> units reserved or bought
  KEYS[5]  decided       hash  order id -> tombstone "S|..." or "F|..." followed by the facts; all orders of one call share
                               this bucket
  Three arguments for each order: order id, user id, quantity (at least 1)

  Returns, flat, two for each order:
     "reserved", facts          now, or before by this very order: then nothing more is taken
     "already_decided", facts   the order is over; nothing is taken
     "not_loaded", ""           the counters are missing
     "unconfirmed", ""          nobody vouches for the counters any more; nothing is taken (confirm.lua)
     "sale_not_open", "" and "sale_closed", "" and "limit_exceeded", "" and "sold_out", ""

  May be called twice, at any distance: the reservation, and after it the tombstone, answer the second call.
]]
local ids, users = {}, {}
for i = 1, #ARGV, 3 do
  ids[#ids + 1] = ARGV[i]
  users[#users + 1] = ARGV[i + 1]
end
local reservations = redis.call("HMGET", KEYS[2], unpack(ids))
local tombstones = redis.call("HMGET", KEYS[5], unpack(ids))
local bought = redis.call("HMGET", KEYS[4], unpack(users))
local stock = redis.call("HMGET", KEYS[1], "left", "start", "end", "limit", "price", "currency", "held", "until")
local time = redis.call("TIME")
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local accepted = string.format("%d", now)

-- Why nothing can be taken now, whoever asks.
local shut
if not stock[1] then
  shut = "not_loaded"
elseif now >= tonumber(stock[8] or "0") then
  shut = "unconfirmed"
elseif now < tonumber(stock[2]) then
  shut = "sale_not_open"
elseif now >= tonumber(stock[3]) then
  shut = "sale_closed"
end
local left, limit = tonumber(stock[1] or "0"), tonumber(stock[4] or "0")

-- What this call has taken: of each user, by each order, and in all.
local units, taken, sum = {}, {}, 0
local newReservations, newUnpublished = {}, {}

local function reserve(i, orderId, userId, quantity)
  local reservation = reservations[i] or taken[orderId]
  if reservation then return "reserved", reservation end
  if tombstones[i] then return "already_decided", string.sub(tombstones[i], 3) end
  if shut then return shut, "" end
  local had = units[userId] or tonumber(bought[i] or "0")
  if had + quantity > limit then return "limit_exceeded", "" end
  if left - sum < quantity then return "sold_out", "" end
  local facts = userId .. "|" .. string.format("%d", quantity) .. "|" .. stock[5] .. "|" .. stock[6] .. "|" .. accepted
  units[userId] = had + quantity
  taken[orderId] = facts
  sum = sum + quantity
  newReservations[#newReservations + 1] = orderId
  newReservations[#newReservations + 1] = facts
  newUnpublished[#newUnpublished + 1] = accepted
  newUnpublished[#newUnpublished + 1] = orderId
  return "reserved", facts
end

local replies = {}
for i, orderId in ipairs(ids) do
  replies[2 * i - 1], replies[2 * i] = reserve(i, orderId, users[i], tonumber(ARGV[3 * i]))
end
if sum > 0 then
  redis.call("HSET", KEYS[1], "left", string.format("%d", left - sum),
    "held", string.format("%d", stock[7] + sum))
  local newBought = {}
  for userId, total in pairs(units) do
    newBought[#newBought + 1] = userId
    newBought[#newBought + 1] = string.format("%d", total)
  end
  redis.call("HSET", KEYS[4], unpack(newBought))
  redis.call("HSET", KEYS[2], unpack(newReservations))
  redis.call("ZADD", KEYS[3], unpack(newUnpublished))
end
return replies
