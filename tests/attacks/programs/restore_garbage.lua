-- attack: hostile state files | state | either | body
-- Zeros, as a disk leaves them after a crash.
@@5000:\x00@@
