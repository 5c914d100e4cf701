-- attack: configuration files | config | either
-- Keys and values of every kind.
filename = "x\0y\n../../etc/passwd"
t = {[1.5] = 1, [-1] = 2, [2^53] = 3, [1e308] = 4, [true] = 5, [{}] = 6, [function() end] = 7, ["a\0b\n]]"] = 8, [1/0] = 9}
f = function() while true do end end
nan = 0/0
inf = 1/0
memory_limit = -1
instruction_limit = 1e308
output_limit = 0/0
ticker_interval = "x"
