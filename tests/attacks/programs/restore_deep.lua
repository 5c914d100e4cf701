-- attack: hostile state files | state | either | expand
-- Tables nested a hundred thousand deep in a literal and in paths.
_G["t"] = @@100000:{@@@@100000:}@@
_G["u"] = {}
_G["u"]@@100000:["a"]@@ = 1
