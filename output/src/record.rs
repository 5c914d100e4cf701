//! Puts together the bytes that a plugin hands over in pieces.

use sandbox::native::{Call, Error};

/// Adds arguments `first` and all behind it, texts, numbers and zero-copy readers, to `record`.
///
/// # Errors
/// When an argument is something else; at the memory limit.
pub(crate) fn gather(call: &mut Call<'_>, first: i32, record: &mut Vec<u8>) -> Result<(), Error> {
    for i in first..=call.arg_count() as i32 {
        if call.bytes_at(i).is_some() || call.number_at(i).is_some() {
            let bytes = call.check_bytes(i)?;
            call.check_memory(record.len() + bytes.len())?;
            record.extend_from_slice(bytes);
            continue;
        }
        match call.write_zero_copy(i, record) {
            Some(Ok(())) => {}
            Some(Err(text)) => return Err(Error::new(text)),
            None => return Err(call.type_error(i, "string, number or userdata")),
        }
    }
    call.charge(u32::try_from(record.len() / 16 + 10).unwrap_or(u32::MAX))
}
