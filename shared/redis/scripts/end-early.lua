--[[
  Moves a sale's end forward, before the database has it: from then on no order is accepted that the new end would fail, and
  every order accepted so far was accepted before it.

  KEYS[1]  stock         hash  end (epoch ms), epoch, ...
  ARGV[1]  the wanted end (epoch ms), 0 for the next millisecond
  ARGV[2]  when the sale starts (epoch ms)

  Returns  {"ends", end}    the counters accept nothing at or after it any more; also when there are no counters
           {"past"}         the wanted end has gone by; nothing is changed
           {"not_begun"}    it is not after the start; nothing is changed
  May be called twice, and late: it only ever makes the end earlier. Should the database not follow, the reconciler puts the
  end back where it was.
]]
local time = redis.call("TIME")
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local wanted = tonumber(ARGV[1])
if wanted == 0 then wanted = now + 1 end
if wanted <= tonumber(ARGV[2]) then return { "not_begun" } end
if wanted <= now then return { "past" } end
local known = redis.call("HGET", KEYS[1], "end")
if known and wanted < tonumber(known) then
  redis.call("HSET", KEYS[1], "end", string.format("%d", wanted))
  redis.call("HINCRBY", KEYS[1], "epoch", 1)
end
return { "ends", wanted }
