-- attack: parser | analysis | contained: * | expand
-- A call with more arguments than registers, and a function with more parameters.
local function f(a@@300:,a@@) end
f(1@@300:,1@@)
function process_message() return 0 end
