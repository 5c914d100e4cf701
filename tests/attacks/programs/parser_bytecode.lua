-- attack: parser | analysis | contained: * | body
-- The plugin is bytecode of LuaJIT, which is trusted by its loader and can do anything.
@@1:\x1bLJ\x02\x08\x00\x00@@@@200:\xff\x7f\x00@@
