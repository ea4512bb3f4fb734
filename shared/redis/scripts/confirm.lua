--[[
  Vouches for one product's counters for a short while, unless they are older than what was vouched for before: then this
  Redis has gone back in time (an older file was put back, a stale replica took over), and the sale is shut.

  KEYS[1]  stock         hash  ..., epoch (one more with each call), until (epoch ms)
  ARGV[1]  the highest epoch known to have been here, from a memory that outlives this Redis
  ARGV[2]  how long the counters are vouched for, ms

  Returns  {"confirmed", epoch}    the new epoch, to be remembered outside
           {"rolled_back", epoch}  the counters were older, and are deleted; epoch is theirs, -1 when they had none
           {"not_loaded"}          the counters are missing
  May be called twice: each call moves the epoch one on, which harms nothing.
]]
if redis.call("EXISTS", KEYS[1]) == 0 then return { "not_loaded" } end
local epoch = tonumber(redis.call("HGET", KEYS[1], "epoch") or "-1")
if epoch < tonumber(ARGV[1]) or epoch < 0 then
  redis.call("DEL", KEYS[1])
  return { "rolled_back", epoch }
end
local time = redis.call("TIME")
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call("HSET", KEYS[1], "epoch", string.format("%d", epoch + 1), "until", string.format("%d", now + ARGV[2]))
return { "confirmed", epoch + 1 }
