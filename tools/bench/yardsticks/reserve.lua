-- Takes one unit for an order of a yardstick. Checks first, writes last. Called twice for an order it answers "again" and
-- takes nothing more.
-- KEYS  1 stock (hash: left, start, end, limit)  2 reservations  3 unpublished (sorted by time)  4 bought by user
-- ARGV  1 order id  2 user id
-- Returns { word } or { "reserved", accepted time in epoch ms }
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if redis.call('HEXISTS', KEYS[2], ARGV[1]) == 1 then return { 'again' } end
local sale = redis.call('HMGET', KEYS[1], 'left', 'start', 'end', 'limit')
if not sale[1] then return { 'not_ready' } end
if now < tonumber(sale[2]) then return { 'sale_not_open' } end
if now >= tonumber(sale[3]) then return { 'sale_closed' } end
local bought = tonumber(redis.call('HGET', KEYS[4], ARGV[2]) or '0')
if bought >= tonumber(sale[4]) then return { 'limit_exceeded' } end
if tonumber(sale[1]) < 1 then return { 'sold_out' } end
redis.call('HINCRBY', KEYS[1], 'left', -1)
redis.call('HINCRBY', KEYS[4], ARGV[2], 1)
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2] .. ':' .. now)
redis.call('ZADD', KEYS[3], now, ARGV[1])
return { 'reserved', now }
