--[[
  Gives units back that nobody holds and nobody bought, if the counters still stand where the caller saw them.

  KEYS[1]  stock         hash  left, held, epoch, ...
  ARGV[1]  units to give back
  ARGV[2]  left + held as the caller saw them, holding the product's row in the database
  ARGV[3]  epoch as the caller saw it

  Returns  1 given back, 0 the counters are others by now (nothing is changed).
  May be called twice, and late, after its caller has given up and the row is free: orders leave left + held as they are,
  but whatever ends a sale's unit changes the sum, and every call that gives back moves the epoch on.
]]
local stock = redis.call("HMGET", KEYS[1], "left", "held", "epoch")
if not stock[1] or stock[1] + stock[2] ~= tonumber(ARGV[2]) or stock[3] ~= ARGV[3] then return 0 end
redis.call("HINCRBY", KEYS[1], "left", ARGV[1])
redis.call("HINCRBY", KEYS[1], "epoch", 1)
return 1
