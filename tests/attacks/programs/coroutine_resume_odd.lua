-- attack: coroutines | output | harmless
-- Resumes of the running, the dead, the normal and of what is no coroutine.
require "coroutine"
function process_message()
    local co
    co = coroutine.create(function()
        assert(not coroutine.resume(co))
        local inner = coroutine.create(function() return coroutine.resume(co) end)
        local ok, refused = coroutine.resume(inner)
        assert(ok and refused == false, "HOLE: a normal coroutine was resumed")
    end)
    assert(coroutine.resume(co))
    assert(not coroutine.resume(co))
    for _, v in ipairs({1, "x", {}, print}) do assert(not pcall(coroutine.resume, v)) end
    assert(not pcall(coroutine.wrap(function() error("x") end)))
    return 0
end
