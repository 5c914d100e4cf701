//! The `cuckoo_filter_expire` module.

use sandbox::native::{Call, Class, Error, Function, Object, function};

use super::{Added, Clock, CuckooFilterExpire};
use crate::binding::{
    charge, charge_hash, check, check_count, check_int, check_key, filled, write_fromstring,
    write_new,
};
use crate::cuckoo;
use crate::filter::{Filter, clear, count, delete};

/// Entries that are looked at for one step of the plugin's budget.
const ENTRIES_PER_STEP: usize = 4;

/// The fewest keys that may be asked for.
const ITEMS_MIN: usize = 257;

const METHODS: &[(&str, Function)] = &[
    ("add", function(add)),
    ("clear", function(clear::<CuckooFilterExpire>)),
    ("count", function(count::<CuckooFilterExpire>)),
    ("current_interval", function(current_interval)),
    ("delete", function(delete::<CuckooFilterExpire>)),
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

impl Object for CuckooFilterExpire {
    fn class() -> Class {
        Class {
            name: "mozsvc.cuckoo_filter_expire",
            methods: METHODS,
            metamethods: &[],
        }
    }

    fn memory(&self) -> usize {
        self.items() * size_of::<super::Seen>()
    }

    fn preserve(&self, key: &[u8], out: &mut Vec<u8>) -> Option<Result<(), String>> {
        // The smallest filter holds one key less than may be asked for.
        let (items, minutes) = (self.items().max(ITEMS_MIN), self.minutes());
        write_new(
            key,
            &format!("cuckoo_filter_expire.new({items}, {minutes})"),
            out,
        );
        let mut bytes = Vec::with_capacity(self.byte_len());
        self.write(&mut bytes);
        let before = format!("{}, \"{}\", ", self.count(), clock_text(self.clock()));
        write_fromstring(key, &before, &bytes, "", out);
        Some(Ok(()))
    }
}

/// The clock as a state file has it: the time, and the least recent interval if one is known.
///
/// It stands where old versions of Hindsight's module had a number that newer ones skip, so that they skip the clock too.
fn clock_text(clock: Clock) -> String {
    match clock.least_recent {
        Some(interval) => format!("{} {interval}", clock.time),
        None => clock.time.to_string(),
    }
}

/// Reads what [`clock_text`] wrote.
fn clock_of(text: &[u8]) -> Option<Clock> {
    let mut words = std::str::from_utf8(text).ok()?.split(' ');
    let time = words.next()?.parse().ok()?;
    let least_recent = match words.next() {
        Some(interval) => Some(interval.parse().ok()?),
        None => None,
    };
    Some(Clock { time, least_recent })
}

fn new(call: &mut Call<'_>) -> Result<usize, Error> {
    check_count(call, 2)?;
    let items = check_int(call, 1)?;
    check(items >= ITEMS_MIN as i32, 1, "items must be > 256")?;
    let minutes = call.opt_number(2)?.unwrap_or(1.0) as i32;
    check(
        (1..=1440).contains(&minutes),
        2,
        "0 < interval size <= 1440",
    )?;
    let n = cuckoo::bucket_count(items.unsigned_abs());
    let buckets = filled(call, n, Default::default())?;
    call.push_object(CuckooFilterExpire::new(buckets, minutes as u16))?;
    Ok(1)
}

fn version(call: &mut Call<'_>) -> Result<usize, Error> {
    call.push_bytes("1.1.1")?;
    Ok(1)
}

fn add(call: &mut Call<'_>) -> Result<usize, Error> {
    let mut filter = call.check_object_mut::<CuckooFilterExpire>(1)?;
    check_count(call, 3)?;
    let key = check_key(call, 2)?;
    let ns = call.check_number(3)?;
    charge_hash(call, key.bytes())?;
    let (added, looked) = filter.add(key.bytes(), ns)?;
    charge(call, looked / ENTRIES_PER_STEP)?;
    call.push_bool(added == Added::New)?;
    match added {
        Added::New => call.push_integer(0)?,
        Added::Known(intervals) => call.push_integer(intervals.into())?,
        Added::TooOld => return Ok(1),
    }
    Ok(2)
}

fn query(call: &mut Call<'_>) -> Result<usize, Error> {
    let filter = call.check_object::<CuckooFilterExpire>(1)?;
    check_count(call, 2)?;
    let key = check_key(call, 2)?;
    charge_hash(call, key.bytes())?;
    let found = filter.query(key.bytes());
    call.push_bool(found.is_some())?;
    let Some(interval) = found else {
        return Ok(1);
    };
    call.push_integer(interval.into())?;
    Ok(2)
}

fn current_interval(call: &mut Call<'_>) -> Result<usize, Error> {
    let filter = call.check_object::<CuckooFilterExpire>(1)?;
    check_count(call, 1)?;
    call.push_number(filter.clock().time as f64 * 1e9)?;
    call.push_integer(filter.interval().into())?;
    Ok(2)
}

/// `fromstring(count, buckets)`, or with the clock (or any number, as old versions wrote) between them.
fn fromstring(call: &mut Call<'_>) -> Result<usize, Error> {
    let mut filter = call.check_object_mut::<CuckooFilterExpire>(1)?;
    let has_clock = call.arg_count() == 4;
    check_count(call, if has_clock { 4 } else { 3 })?;
    call.check_number(2)?;
    let bytes = call.check_bytes(if has_clock { 4 } else { 3 })?;
    let clock = match has_clock {
        true => call.bytes_at(3).and_then(clock_of),
        false => None,
    };
    filter.read(bytes, clock).map_err(Error::new)?;
    Ok(0)
}
