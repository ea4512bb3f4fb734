--[[
  Takes decided orders off their users' lists of pending ones.

  KEYS     the user's pending orders, one for each order   hash  order id -> product id
  ARGV     the order ids, in the same order

  Returns  nothing of interest. May be called twice: what is gone is gone.
]]
for i, pending in ipairs(KEYS) do redis.call("HDEL", pending, ARGV[i]) end
return #KEYS
