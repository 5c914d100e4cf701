-- attack: library | output | contained: instruction_limit exceeded / not enough memory
-- Filters over a megabyte, with markers of a megabyte and lines of absurd length.
local core = require "mime.core"
local string = require "string"
local text, breaks = string.rep("a=\255", 300000), string.rep("\r\n", 1000)
local odd = {-1, 0, 1, 1e18, -1e18, 2^31, 0/0, 1/0, "x", {}}
function process_message()
    for _, n in ipairs(odd) do
        pcall(core.wrp, n, "abc def", n) pcall(core.qpwrp, n, "abc def", n) pcall(core.eol, n, "a\nb\r") pcall(core.dot, n, "\r\n.\r\n.") pcall(core.b64, n, n) pcall(core.unqp, n, n)
        pcall(core.wrp, n) pcall(core.qpwrp, n) pcall(core.eol, n) pcall(core.dot, n)
    end
    pcall(core.qp, breaks, nil, text) pcall(core.qp, "", breaks, text) pcall(core.eol, 0, breaks, text)
    while true do
        for _, name in ipairs({"b64", "unb64", "qp", "unqp"}) do pcall(core[name], text) pcall(core[name], text, text) pcall(core[name], "", breaks) end
        pcall(core.wrp, 0, text, 1) pcall(core.qpwrp, 0, text, 4) pcall(core.eol, 0, breaks) pcall(core.dot, 2, breaks)
    end
end
