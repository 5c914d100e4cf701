-- attack: parser | analysis | contained: * | expand
-- Calls within calls, and a call of a call of a call.
local function f() return f end
local x = @@50000:f(@@1@@50000:)@@
local y = f@@100000:()@@
function process_message() return 0 end
