-- attack: hostile state files | state | either
-- Data put in the place of functions and libraries.
_G["string"] = {}
_G["read_message"] = 1
_G["_G"] = {}
_G["process_message"] = "x"
