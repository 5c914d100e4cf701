-- attack: parser | analysis | either | expand
-- Ten thousand gotos to one label and a label in every block.
function process_message()
    @@10000:do goto done end
@@
    ::done::
    return 0
end
