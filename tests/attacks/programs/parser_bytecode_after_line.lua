-- attack: parser | analysis | contained: * | body
-- The bytecode stands after a first line that begins with #, which file loaders skip.
#!/usr/bin/lua
@@1:\x1bLJ\x02\x08\x00\x00@@@@200:\xff\x7f\x00@@
