-- attack: store | output | harmless
-- The module of stores with everything but what it wants.
require "string"
require "os"
local object_store = require "object_store"
local values = { nil, true, -1, 0 / 0, 1 / 0, 2 ^ 63, "", "\0", "../../etc/passwd", string.rep("x", 70000), {}, print, object_store }
function process_message()
    for i = 1, 13 do
        local value = values[i]
        pcall(object_store.open, value)
        pcall(object_store.open, "/dev/null/x", value)
        pcall(object_store.open, "s3://x", { endpoint = value, credentials = value, timeout = value, part_size = value })
        pcall(object_store.spool, value)
        pcall(object_store.spool, { dir = "/dev/null/x", groups = value, roll_size = value, store = value })
    end
    local store = object_store.open("/dev/null/x", { attempts = 1 })
    for i = 1, 13 do
        for _, method in ipairs({ "put", "put_file", "list", "open", "poll" }) do
            if not (method == "poll" and type(values[i]) == "number" and values[i] > 1) then
                pcall(store[method], store, values[i])
                pcall(store[method], store, "a", values[i], values[i])
                pcall(store[method], values[i], store)
            end
        end
    end
    while store:poll(1) do end
    local next, listing = store:list()
    pcall(next, store)
    pcall(next)
    listing = nil
    return 0
end
function timer_event() end
