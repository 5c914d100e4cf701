-- kind: output
-- cbuf_page: a title cannot become markup, nor a path anything else than a path.
require "string"
local cbuf_page = require "cbuf_page"

local page = cbuf_page.html("Requests", "dashboard/graphs/a_b.cbuf")
assert(page:find("^<!DOCTYPE html>\n") and page:find("</html>\n$"))
assert(page:find("<title>Requests</title>", 1, true) and page:find("<h1>Requests</h1>", 1, true))
assert(page:find('fetch("dashboard/graphs/a_b.cbuf")', 1, true))
assert(not page:find("@%u+@"), "no place is left open")
assert(select("#", cbuf_page.html("t", "p")) == 1)

page = cbuf_page.html("<script>'\"&amp;%1@PATH@", "p")
assert(page:find("<h1>&lt;script&gt;&#39;&quot;&amp;amp;%1@PATH@</h1>", 1, true), "a title is shown as it is")
assert(select(2, page:gsub("<script>", "")) == 1, "the page's own")

for _, path in ipairs { 'a"b', "a b", "a\nb", "a\\b", "a'b", "javascript:x", "a<b", "a\0b", "a-b", "a%b" } do
    local ok, err = pcall(cbuf_page.html, "t", path)
    assert(not ok and err:find("the path has a character that it must not have", 1, true), path)
end
assert(not pcall(cbuf_page.html))
assert(not pcall(cbuf_page.html, "t"))
assert(not pcall(cbuf_page.html, nil, "p"))
assert(not pcall(cbuf_page.html, {}, "p"))
