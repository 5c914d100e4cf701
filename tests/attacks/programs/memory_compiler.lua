-- attack: memory | analysis | contained: instruction_limit exceeded / not enough memory
-- Shapes and branches in great number, so that the compiler makes trace after trace outside of the memory limit.
function process_message()
    local fs = {}
    local x = 0
    for i = 1, 64 do
        fs[i] = function(n)
            for j = 1, 100 do
                if (n + j) % i == 0 then x = x + 1 elseif (n + j) % 3 == 0 then x = x - 1 else x = x * 0.5 end
            end
        end
    end
    while true do
        for i = 1, 64 do fs[i](x % 97 - x % 1) x = x + i end
    end
end
