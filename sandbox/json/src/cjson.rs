//! The module `cjson`: JSON text to Lua values and back, as Hindsight's patched Lua CJSON does it.

mod decode;
mod encode;
mod number;
mod order;
mod settings;

use sandbox::native::{Call, Error, Function, Registry, function};

/// Every function keeps the table of settings as its upvalue.
const FUNCTIONS: &[(&str, Function)] = &[
    ("decode", function(decode::decode)),
    (
        "decode_invalid_numbers",
        function(settings::decode_invalid_numbers),
    ),
    ("decode_max_depth", function(settings::decode_max_depth)),
    ("decode_null", function(settings::decode_null)),
    ("encode", function(encode::encode)),
    (
        "encode_invalid_numbers",
        function(settings::encode_invalid_numbers),
    ),
    ("encode_max_depth", function(settings::encode_max_depth)),
    (
        "encode_number_precision",
        function(settings::encode_number_precision),
    ),
    (
        "encode_sparse_array",
        function(settings::encode_sparse_array),
    ),
];

/// Version of the Lua CJSON whose behaviour this is.
const VERSION: &str = "2.2.0";

pub(crate) fn register(registry: &mut Registry) {
    registry.add("cjson", function(open));
}

/// Pushes the module, and makes it a global as upstream does.
fn open(call: &mut Call<'_>) -> Result<usize, Error> {
    call.push_table(0, FUNCTIONS.len() + 3)?;
    settings::push_defaults(call)?;
    for (name, function) in FUNCTIONS {
        call.push_value(-1)?;
        call.push_closure(*function, 1)?;
        call.raw_set_field(-3, name)?;
    }
    call.pop(1);
    call.push_light(0)?;
    call.raw_set_field(-2, "null")?;
    call.push_bytes("cjson")?;
    call.raw_set_field(-2, "_NAME")?;
    call.push_bytes(VERSION)?;
    call.raw_set_field(-2, "_VERSION")?;
    call.push_value(-1)?;
    call.set_global("cjson")?;
    Ok(1)
}
