-- attack: inject | analysis | contained: output_limit / instruction_limit exceeded / not enough memory | injects=100000, memory=67108864
-- More fields than a message may have bytes, and one field of a million values.
function process_message()
    local f = {}
    for i = 1, 300000 do f["f" .. i] = i end
    pcall(inject_message, {Fields = f})
    f = {}
    for i = 1, 300000 do f[i] = {name = "x", value = i} end
    pcall(inject_message, {Fields = f})
    local a = {}
    for i = 1, 300000 do a[i] = i end
    inject_message({Fields = {x = a}})
    return 0
end
