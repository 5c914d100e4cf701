-- attack: hostile state files | state | either | body
-- Strings with every escape, good and bad, and numbers of every form.
_G["a"] = "\0\000\255\256\999\x41\u{41}\z \q\
\"\'\\\a\b\f\n\r\t\v"
_G["n"] = 0x
_G["m"] = 1e
_G["o"] = 0/0
_G["p"] = -1/0
_G["q"] = - - 1
_G["r"] = 1..2
_G["s"] = 0x1p4
_G["t"] = 1e99999
