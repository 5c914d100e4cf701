-- attack: library | analysis | contained: instruction_limit exceeded
-- Hashes of two megabytes each in a loop that is nothing but these calls.
local xxhash, openssl = require "xxhash", require "openssl"
local text = (require "string").rep("x", 2000000)
for _, seed in ipairs({-1, 2^32, 0/0, 1/0, "x", {}}) do pcall(xxhash.h32, "a", seed) pcall(xxhash.h64, "a", seed) end
local context = openssl.digest.new("sha512")
function process_message()
    while true do
        xxhash.h32(text) xxhash.h64(text)
        openssl.digest.digest("sha512", text) openssl.hmac.hmac("md5", text, text)
        context:update(text)
    end
end
function timer_event() end
