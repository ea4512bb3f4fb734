--[[
  Gives units back that nobody holds and nobody bought: those of one product that the database, the counters and the
  reservations together do not account for. Only for a caller that holds the product's row in the database.

  KEYS[1]  stock         hash  left, held, ...
  ARGV[1]  units left and held together, by the database: stock - sold

  Returns  the units given back, 0 when all are accounted for, -1 when the counters hold more than there are (nothing is
           changed: what Redis has forgotten can't be guessed), -2 when they are missing.
  May be called twice: the second call finds nothing to give back.
]]
local stock = redis.call("HMGET", KEYS[1], "left", "held")
if not stock[1] then return -2 end
local missing = ARGV[1] - stock[1] - (stock[2] or 0)
if missing < 0 then return -1 end
if missing > 0 then redis.call("HINCRBY", KEYS[1], "left", missing) end
return missing
