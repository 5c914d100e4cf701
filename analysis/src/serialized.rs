//! Structures that are written as one string of bytes whose length their measures tell, and what Lua does with that.

use sandbox::native::{Call, Error, Object};

use crate::binding::{charge_bytes, check_count, push_written, write_fromstring, write_new};

/// Written and read as a whole, in the layout that its `write` describes.
pub trait Serialized: Object {
    /// Bytes of what is written.
    fn byte_len(&self) -> usize;

    /// Appends it.
    fn write(&self, out: &mut Vec<u8>);

    /// Takes over what was written of one with the same measures; `None` when it is something else, and nothing has changed
    /// then.
    fn read(&mut self, bytes: &[u8]) -> Option<()>;
}

/// Appends the statements of a state file: `constructor` for when the variable is empty, and the data.
pub fn preserve(value: &impl Serialized, key: &[u8], constructor: &str, out: &mut Vec<u8>) {
    write_new(key, constructor, out);
    let mut bytes = Vec::with_capacity(value.byte_len());
    value.write(&mut bytes);
    write_fromstring(key, "", &bytes, "", out);
}

/// `tostring(value)`
///
/// # Errors
/// Of arguments; at the memory limit.
pub fn tostring<T: Serialized>(call: &mut Call<'_>) -> Result<usize, Error> {
    let value = call.check_object::<T>(1)?;
    check_count(call, 1)?;
    push_written(call, value.byte_len(), |out| value.write(out))
}

/// `value:fromstring(bytes)`
///
/// # Errors
/// Of arguments; `invalid serialization`.
pub fn fromstring<T: Serialized>(call: &mut Call<'_>) -> Result<usize, Error> {
    let mut value = call.check_object_mut::<T>(1)?;
    check_count(call, 2)?;
    let bytes = call.check_bytes(2)?;
    charge_bytes(call, bytes.len())?;
    value.read(bytes).ok_or("invalid serialization")?;
    Ok(0)
}
