-- attack: hostile state files | state | either
-- A state file that runs a program of the system.
_G["x"] = os.execute("touch pwned-by-state")
io.open("pwned-by-state", "w"):close()
