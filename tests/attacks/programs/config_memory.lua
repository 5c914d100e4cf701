-- attack: configuration files | config | contained: *
-- A value that doubles.
s = "x"
while true do s = s .. s end
