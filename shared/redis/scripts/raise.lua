--[[
  Puts units on sale that the database has had added to a product's stock.

  KEYS[1]  stock         hash  left, stock (units on sale in all that `left` counts), ...
  ARGV[1]  stock as the database has it; it only grows

  Returns  1 added, 0 these units are counted already, or the counters are missing: whoever loads them counts them.
  May be called twice, late and in any order: what counts is the highest stock told, and it is added once.
]]
local stock = redis.call("HGET", KEYS[1], "stock")
if not stock or tonumber(ARGV[1]) <= tonumber(stock) then return 0 end
redis.call("HINCRBY", KEYS[1], "left", ARGV[1] - stock)
redis.call("HSET", KEYS[1], "stock", ARGV[1])
return 1
