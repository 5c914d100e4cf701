//! `update_checkpoint`: an output says what was delivered.

use crate::native::{Call, Error};

/// `update_checkpoint([sequence_id [, failures]])`
pub(super) fn update_checkpoint(call: &mut Call<'_>) -> Result<usize, Error> {
    let n_args = call.arg_count();
    let (sequence, failures) = match n_args {
        0 => (None, 0),
        1 | 2 => {
            let Some(sequence) = call.light_at(1) else {
                return Err(call.type_error(1, "lightuserdata"));
            };
            (
                Some(sequence),
                call.opt_number(2)?.unwrap_or(0.0).max(0.0) as u64,
            )
        }
        n => {
            return Err(Error::new(format!(
                "update_checkpoint() invalid number of args: {n}"
            )));
        }
    };
    let shared = call.shared();
    shared
        .failures
        .set(shared.failures.get().saturating_add(failures));
    let updated = shared
        .host
        .borrow_mut()
        .update_checkpoint(sequence, failures);
    updated.map_err(|text| Error::new(format!("update_checkpoint() failed: {text}")))?;
    Ok(0)
}
