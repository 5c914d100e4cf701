-- attack: hostile state files | state | either
-- A state file that is a program which never ends.
while true do end
