//! What all filters of keys do in the same way, and its Lua side.

use sandbox::native::{Call, Error, Object};

use crate::binding::{charge_hash, check_count, check_key};

/// A set of keys that may be wrong about a key which was never added.
pub trait Filter: Object {
    /// How many keys it holds.
    fn count(&self) -> u64;

    /// Forgets all keys.
    fn clear(&mut self);
}

/// A filter that can forget a single key.
pub trait Deletes: Filter {
    /// Forgets a key; false when it was not there.
    fn delete(&mut self, key: &[u8]) -> bool;
}

/// `filter:count()`
///
/// # Errors
/// Of arguments.
pub fn count<T: Filter>(call: &mut Call<'_>) -> Result<usize, Error> {
    let filter = call.check_object::<T>(1)?;
    check_count(call, 1)?;
    call.push_number(filter.count() as f64)?;
    Ok(1)
}

/// `filter:clear()`
///
/// # Errors
/// Of arguments.
pub fn clear<T: Filter>(call: &mut Call<'_>) -> Result<usize, Error> {
    let mut filter = call.check_object_mut::<T>(1)?;
    check_count(call, 1)?;
    filter.clear();
    Ok(0)
}

/// `filter:delete(key)`
///
/// # Errors
/// Of arguments.
pub fn delete<T: Deletes>(call: &mut Call<'_>) -> Result<usize, Error> {
    let mut filter = call.check_object_mut::<T>(1)?;
    check_count(call, 2)?;
    let key = check_key(call, 2)?;
    charge_hash(call, key.bytes())?;
    let deleted = filter.delete(key.bytes());
    call.push_bool(deleted)?;
    Ok(1)
}
