-- attack: parser | analysis | contained: * | body
-- The plugin is bytecode of Lua 5.1.
@@1:\x1bLua\x51\x00\x01\x04\x08\x04\x08\x00@@@@200:\x7f\x00@@
