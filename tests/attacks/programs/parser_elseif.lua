-- attack: parser | analysis | either | expand
-- One if with fifty thousand branches.
function process_message()
    local a = 0
    if a == 1 then a = 2 @@50000:elseif a == 3 then a = 4
@@ end
    return 0
end
