//! The `cuckoo_filter` module.

use sandbox::native::{Call, Class, Error, Function, Object, function};

use super::CuckooFilter;
use crate::binding::{
    charge_hash, check, check_count, check_int, check_key, filled, write_fromstring, write_new,
};
use crate::cuckoo;
use crate::filter::{Filter, clear, count, delete};

/// The form of the written buckets; other ones are not read.
const BINARY_VERSION: i32 = 1;

/// The fewest keys that may be asked for.
const ITEMS_MIN: usize = 5;

const METHODS: &[(&str, Function)] = &[
    ("add", function(add)),
    ("clear", function(clear::<CuckooFilter>)),
    ("count", function(count::<CuckooFilter>)),
    ("delete", function(delete::<CuckooFilter>)),
    ("fromstring", function(fromstring)),
    ("query", function(query)),
];

/// Pushes the module.
///
/// # Errors
/// At the memory limit.
pub fn open(call: &mut Call<'_>) -> Result<usize, Error> {
    call.push_library(&[("new", function(new)), ("version", function(version))])?;
    Ok(1)
}

impl Object for CuckooFilter {
    fn class() -> Class {
        Class {
            name: "mozsvc.cuckoo_filter",
            methods: METHODS,
            metamethods: &[],
        }
    }

    fn memory(&self) -> usize {
        self.byte_len()
    }

    fn preserve(&self, key: &[u8], out: &mut Vec<u8>) -> Option<Result<(), String>> {
        // The smallest filter holds one key less than may be asked for.
        let items = self.items().max(ITEMS_MIN);
        write_new(key, &format!("cuckoo_filter.new({items})"), out);
        let mut bytes = Vec::with_capacity(self.byte_len());
        self.write(&mut bytes);
        let (before, after) = (format!("{}, ", self.count()), format!(", {BINARY_VERSION}"));
        write_fromstring(key, &before, &bytes, &after, out);
        Some(Ok(()))
    }
}

fn new(call: &mut Call<'_>) -> Result<usize, Error> {
    check_count(call, 1)?;
    let items = check_int(call, 1)?;
    check(items >= ITEMS_MIN as i32, 1, "items must be > 4")?;
    let n = cuckoo::bucket_count(items.unsigned_abs());
    let buckets = filled(call, n, Default::default())?;
    call.push_object(CuckooFilter::new(buckets))?;
    Ok(1)
}

fn version(call: &mut Call<'_>) -> Result<usize, Error> {
    call.push_bytes("1.1.1")?;
    Ok(1)
}

fn add(call: &mut Call<'_>) -> Result<usize, Error> {
    let mut filter = call.check_object_mut::<CuckooFilter>(1)?;
    check_count(call, 2)?;
    let key = check_key(call, 2)?;
    charge_hash(call, key.bytes())?;
    let added = filter.add(key.bytes())?;
    call.push_bool(added)?;
    Ok(1)
}

fn query(call: &mut Call<'_>) -> Result<usize, Error> {
    let filter = call.check_object::<CuckooFilter>(1)?;
    check_count(call, 2)?;
    let key = check_key(call, 2)?;
    charge_hash(call, key.bytes())?;
    call.push_bool(filter.query(key.bytes()))?;
    Ok(1)
}

/// `fromstring(count, buckets, version)`. The count is that of the buckets, whatever is given.
fn fromstring(call: &mut Call<'_>) -> Result<usize, Error> {
    let mut filter = call.check_object_mut::<CuckooFilter>(1)?;
    check_count(call, 4)?;
    call.check_number(2)?;
    let bytes = call.check_bytes(3)?;
    if call.opt_number(4)?.unwrap_or(0.0) as i32 == BINARY_VERSION {
        filter.read(bytes).map_err(Error::new)?;
    }
    Ok(0)
}
