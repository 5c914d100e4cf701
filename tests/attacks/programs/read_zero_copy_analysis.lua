-- attack: read_message | analysis | either
-- The same through the payload buffer, and with objects made before any message.
local made = {}
for _, name in ipairs({"Payload", "raw", "framed", "Fields[x]"}) do
    local ok, zc = pcall(read_message, name, nil, nil, true)
    if ok then made[#made + 1] = zc end
end
local function use()
    for i = 1, #made do pcall(tostring, made[i]) pcall(add_to_payload, made[i]) pcall(decode_message, made[i]) pcall(inject_payload, "txt", "x", made[i]) end
end
use()
function process_message()
    use()
    made[#made + 1] = read_message("Payload", 0, 0, true)
    return 0
end
function timer_event() use() end
