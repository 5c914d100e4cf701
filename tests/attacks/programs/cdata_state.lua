-- attack: cdata | analysis | either
-- Cdata in the globals when the state is written.
big = 9007199254740993LL
t = {1LL, x = 2ULL}
k = {}
k[1LL] = 1
function process_message() return 0 end
