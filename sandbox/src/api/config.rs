//! `read_config` and `is_running`.

use crate::native::{Call, Error};
use crate::vm::slot;

/// `read_config(key)`: the configured value; a table is the same live one at every call.
pub(super) fn read_config(call: &mut Call<'_>) -> Result<usize, Error> {
    call.check_bytes(1)?;
    if call.arg_count() != 1 {
        return Err(Error::argument(0, "too many arguments"));
    }
    call.room(2)?;
    call.push_slot(slot::CONFIG);
    call.push_value(1)?;
    call.raw_get(-2);
    Ok(1)
}

/// `is_running()`: false once the input was asked to stop.
pub(super) fn is_running(call: &mut Call<'_>) -> Result<usize, Error> {
    let running = call.running() && call.shared().host.borrow_mut().is_running();
    call.push_bool(running)?;
    Ok(1)
}
