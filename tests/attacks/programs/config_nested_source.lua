-- attack: configuration files | config | contained: * | expand
-- Source nested too deep to parse.
filename = "x.lua"
t = @@100000:{@@@@100000:}@@
