-- attack: loops | analysis | either
-- A table that changes while it is being walked.
function process_message()
    local t = {1}
    pcall(function()
        for k in pairs(t) do
            t[k] = nil
            t[k + 1] = 1
            t["k" .. k] = k
        end
    end)
    return 0
end
