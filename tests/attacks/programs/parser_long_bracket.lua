-- attack: parser | analysis | either | expand
-- Long brackets of a hundred thousand levels, and one that never ends.
local s = [@@100000:=@@[x]@@100000:=@@]
local t = [@@100000:=@@[@@300000:]=@@
