-- attack: hostile state files | state | either | body
-- Bytecode in the place of state.
@@1:\x1bLJ\x02\x08\x00\x00@@@@200:\xff\x7f\x00@@
