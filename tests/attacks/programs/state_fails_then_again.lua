-- attack: preserved state | analysis | either
-- State that grows by what it was, with each generation.
log = log or {}
function process_message()
    for i = 1, 1000 do log[#log + 1] = {log[#log], "x" .. #log} end
    return 0
end
