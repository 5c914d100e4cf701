-- attack: inject | analysis | either | injects=100000
-- The table of fields is grown and emptied while the encoder walks it.
function process_message()
    for round = 1, 20 do
        local fields = {}
        local mt = {__index = function(t, k)
            for i = 1, 200 do fields["new" .. round .. i] = i end
            for key in pairs(fields) do fields[key] = nil end
            return k == "value" and "v" or nil
        end}
        for i = 1, 20 do fields["f" .. i] = setmetatable({}, mt) end
        pcall(inject_message, {Fields = fields})
        local array = {}
        for i = 1, 20 do array[i] = setmetatable({name = "x"}, {__index = function() array[20] = nil array[1] = nil array[300] = {} return 1 end}) end
        pcall(inject_message, {Fields = array})
    end
    return 0
end
