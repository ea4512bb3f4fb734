--[[
  Makes the counters say what the database says, if they still stand where the caller saw them: gives units back that nobody
  holds and nobody bought, and takes over the sale's end and its stock.

  KEYS[1]  stock         hash  left, held, epoch, end, stock, ...
  ARGV[1]  units to give back, 0 or more
  ARGV[2]  left + held as the caller saw them, holding the product's row in the database
  ARGV[3]  epoch as the caller saw it
  ARGV[4]  end (epoch ms)   ARGV[5]  stock: as they are in that row

  Returns  1 mended, 0 the counters are others by now (nothing is changed).
  May be called twice, and late, after its caller has given up and the row is free: orders leave left + held as they are,
  but whatever ends or adds a sale's unit changes the sum, and whatever moves its end moves the epoch on, as does every
  call that mends.
]]
local stock = redis.call("HMGET", KEYS[1], "left", "held", "epoch")
if not stock[1] or stock[1] + stock[2] ~= tonumber(ARGV[2]) or stock[3] ~= ARGV[3] then return 0 end
redis.call("HINCRBY", KEYS[1], "left", ARGV[1])
redis.call("HINCRBY", KEYS[1], "epoch", 1)
redis.call("HSET", KEYS[1], "end", ARGV[4], "stock", ARGV[5])
return 1
