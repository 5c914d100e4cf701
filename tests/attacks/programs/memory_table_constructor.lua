-- attack: memory | analysis | contained: not enough memory / instruction_limit exceeded
-- Tables of a template, hundreds of them at a time.
function process_message()
    local t = {}
    while true do
        t[#t + 1] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, a = 1, b = 2, c = 3, d = {}, e = {}, f = {{{{}}}}}
    end
end
