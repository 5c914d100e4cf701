-- attack: inject | analysis | either | injects=100000
-- The message table's __index injects, reads, adds to the payload and raises while the message is being encoded.
function process_message()
    local depth = 0
    local mt
    mt = {__index = function(t, k)
        depth = depth + 1
        if depth < 100 then
            pcall(inject_message, setmetatable({Payload = "inner"}, mt))
            pcall(add_to_payload, "x")
            pcall(inject_payload, "txt", "name", "y")
            pcall(read_message, "Payload")
            pcall(decode_message, read_message("raw"))
        end
        if depth % 3 == 0 then error("in the middle") end
        return nil
    end, __newindex = function(t, k, v) pcall(inject_message, {Payload = "inner"}) rawset(t, k, v) end}
    for _ = 1, 50 do
        pcall(inject_message, setmetatable({}, mt))
        pcall(inject_message, {Fields = setmetatable({}, mt)})
        pcall(inject_message, {Fields = {x = setmetatable({}, mt)}})
        pcall(inject_message, {Fields = {setmetatable({}, mt)}})
    end
    return 0
end
