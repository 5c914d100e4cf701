-- attack: loaders | analysis | harmless
-- The package table must not lead to loaders, paths or the loaded table of others.
for _, name in ipairs({"loadlib", "loaders", "searchers", "searchpath", "path", "cpath", "config", "preload"}) do
    assert(package[name] == nil, "HOLE: package." .. name)
end
pcall(function() package.path = "/etc/?;/?" package.cpath = "/lib/?.so" package.preload = {evil = function() return {} end} package.loaded = {evil = {}} package.loaders = {error} end)
assert(not pcall(require, "passwd"), "HOLE: package.path is obeyed")
assert(not pcall(require, "evil"), "HOLE: package.preload is obeyed")
require "string"
assert(string.upper("a") == "A")
function process_message() return 0 end
function timer_event() end
