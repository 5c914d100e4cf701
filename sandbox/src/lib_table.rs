//! Lua's table library, with sorting, joining and moving charged to the plugin's budget.
//!
//! LuaJIT's own functions stay where they cannot run long (`getn maxn remove`). `setn` fails, as in Hindsight's Lua.
#![allow(unsafe_code)]

mod sort;

use std::cmp::Ordering;

use crate::ffi;
use crate::lib_string::Scratch;
use crate::native::{Builtin, Call, Error, Function, function};
use crate::vm;

const REPLACED: &[(&str, Function)] = &[
    ("concat", function(concat)),
    ("insert", function(insert)),
    ("setn", function(setn)),
    ("sort", function(sort_)),
];

/// Entries moved between two charges.
const BATCH: i64 = 1024;

/// Pushes the library.
pub(crate) fn open(call: &mut Call<'_>) -> Result<usize, Error> {
    call.push_builtin(Builtin::Table)?;
    call.set_functions(-1, REPLACED)?;
    // What LuaJIT has beyond Lua 5.1 can run for minutes on ranges without entries.
    for gone in ["move", "new", "clear"] {
        call.push_nil()?;
        call.raw_set_field(-2, gone)?;
    }
    Ok(1)
}

fn setn(call: &mut Call<'_>) -> Result<usize, Error> {
    call.check_table(1)?;
    Err(Error::new("'setn' is obsolete"))
}

fn concat(call: &mut Call<'_>) -> Result<usize, Error> {
    call.check_table(1)?;
    let separator = call.opt_bytes(2)?.unwrap_or(b"");
    let first = call.opt_integer(3)?.unwrap_or(1);
    let last = match call.opt_integer(4)? {
        Some(last) => last,
        None => call.raw_len(1) as i64,
    };
    let mut out = Scratch::take();
    let mut i = first;
    while i <= last {
        if i % BATCH == 0 {
            call.charge(BATCH as u32)?;
        }
        add_entry(call, i, &mut out)?;
        if i < last {
            out.add(call, separator)?;
        }
        let Some(next) = i.checked_add(1) else { break };
        i = next;
    }
    out.push(call)?;
    Ok(1)
}

fn add_entry(call: &mut Call<'_>, i: i64, out: &mut Scratch) -> Result<(), Error> {
    let l = call.raw();
    let Ok(index) = i32::try_from(i) else {
        return Err(no_text(i, "nil"));
    };
    call.room(1)?;
    // SAFETY: argument 1 is a table, and there is room. The value on top stays there while its bytes are copied; a number
    // becomes a string in this copy only.
    let added = unsafe {
        ffi::lua_rawgeti_(l, 1, index);
        match ffi::lua_type(l, -1) {
            ffi::LUA_TSTRING | ffi::LUA_TNUMBER => out.add(call, vm::bytes_of(l, -1)),
            _ => Err(no_text(i, call.type_name(-1))),
        }
    };
    // SAFETY: takes off what was pushed above.
    unsafe { ffi::lua_settop(l, -2) };
    added
}

fn no_text(i: i64, kind: &str) -> Error {
    Error::new(format!(
        "invalid value ({kind}) at index {i} in table for 'concat'"
    ))
}

fn insert(call: &mut Call<'_>) -> Result<usize, Error> {
    call.check_table(1)?;
    let end = call.raw_len(1) as i64 + 1;
    match call.arg_count() {
        2 => {
            call.push_value(2)?;
            call.raw_set_index(1, end)?;
        }
        3 => {
            let position = call.check_integer(2)?;
            make_room(call, position, end)?;
            call.push_value(3)?;
            call.raw_set_index(1, position)?;
        }
        _ => return Err(Error::new("wrong number of arguments to 'insert'")),
    }
    Ok(0)
}

/// Moves the entries from `position` up to `end` one up.
fn make_room(call: &mut Call<'_>, position: i64, end: i64) -> Result<(), Error> {
    let mut i = end;
    while i > position {
        if i % BATCH == 0 {
            call.charge(BATCH as u32)?;
        }
        call.raw_get_index(1, i - 1)?;
        call.raw_set_index(1, i)?;
        i -= 1;
    }
    Ok(())
}

fn sort_(call: &mut Call<'_>) -> Result<usize, Error> {
    call.check_table(1)?;
    let count = call.raw_len(1);
    if !call.is_none_or_nil(2) {
        call.check_function(2)?;
        sort_by(call, count, less_by_function)?;
        return Ok(0);
    }
    if !sort_numbers(call, count)? && !sort_strings(call, count)? {
        sort_by(call, count, less_by_lua)?;
    }
    Ok(0)
}

/// Sorts a table that holds nothing but numbers; false, with nothing changed, for any other.
fn sort_numbers(call: &mut Call<'_>, count: usize) -> Result<bool, Error> {
    let mut numbers = Vec::new();
    for i in 1..=count as i64 {
        call.raw_get_index(1, i)?;
        let number = call.number_at(-1);
        call.pop(1);
        let Some(number) = number else {
            return Ok(false);
        };
        if numbers.is_empty() {
            call.check_memory(count * size_of::<f64>())?;
            numbers.reserve_exact(count);
        }
        numbers.push(number);
    }
    charge_sort(call, count)?;
    numbers.sort_unstable_by(by_value);
    for (i, number) in numbers.into_iter().enumerate() {
        call.push_number(number)?;
        call.raw_set_index(1, i as i64 + 1)?;
    }
    Ok(true)
}

/// Sorts a table that holds nothing but strings; false, with nothing changed, for any other.
fn sort_strings(call: &mut Call<'_>, count: usize) -> Result<bool, Error> {
    let l = call.raw();
    call.check_memory(count.saturating_mul(size_of::<(&[u8], i64)>() + size_of::<u64>()))?;
    call.push_table(count, 0)?;
    let aside = call.top();
    let mut texts: Vec<(&[u8], i64)> = Vec::with_capacity(count);
    for i in 1..=count as i64 {
        call.raw_get_index(1, i)?;
        // SAFETY: a value is on top.
        if unsafe { ffi::lua_type(l, -1) } != ffi::LUA_TSTRING {
            call.truncate(aside - 1);
            return Ok(false);
        }
        // SAFETY: the value on top is a string; the table aside keeps it alive until this function ends.
        texts.push((unsafe { vm::bytes_of(l, -1) }, i));
        call.raw_set_index(aside, i)?;
    }
    charge_sort(call, count)?;
    texts.sort_unstable();
    for (to, (_, from)) in texts.iter().enumerate() {
        call.raw_get_index(aside, *from)?;
        call.raw_set_index(1, to as i64 + 1)?;
    }
    Ok(true)
}

/// In ascending order; what is not a number comes last.
fn by_value(a: &f64, b: &f64) -> Ordering {
    a.partial_cmp(b)
        .unwrap_or_else(|| a.is_nan().cmp(&b.is_nan()))
}

/// n log n, in advance: sorting numbers itself cannot be interrupted, and takes a fraction of a second at most.
fn charge_sort(call: &mut Call<'_>, count: usize) -> Result<(), Error> {
    let steps = count.saturating_mul(count.max(2).ilog2() as usize);
    call.charge(u32::try_from(steps).unwrap_or(u32::MAX))
}

/// Says whether one of the two entries of the table on top comes before the other.
type Less = fn(&mut Call<'_>, u32, u32) -> Result<bool, Error>;

/// Sorts by `less`. The entries are copied aside, their numbers are sorted, and then they are put back in that order: a
/// comparison function that looks at the table sees the old order.
fn sort_by(call: &mut Call<'_>, count: usize, less: Less) -> Result<(), Error> {
    if count < 2 {
        return Ok(());
    }
    let numbers = u32::try_from(count).map_err(|_| Error::memory())?;
    call.check_memory(count * 3 * size_of::<u64>())?;
    call.push_table(count, 0)?;
    let aside = call.top();
    for i in 1..=i64::from(numbers) {
        call.raw_get_index(1, i)?;
        call.raw_set_index(aside, i)?;
    }
    let mut order: Vec<u32> = (1..=numbers).collect();
    sort::sort(&mut order, &mut |a, b| {
        call.charge(1)?;
        less(call, a, b)
    })?;
    for (i, from) in order.into_iter().enumerate() {
        call.raw_get_index(aside, i64::from(from))?;
        call.raw_set_index(1, i as i64 + 1)?;
    }
    Ok(())
}

/// By the function at argument 2.
fn less_by_function(call: &mut Call<'_>, a: u32, b: u32) -> Result<bool, Error> {
    let aside = call.top();
    call.push_value(2)?;
    call.raw_get_index(aside, a.into())?;
    call.raw_get_index(aside, b.into())?;
    call.call(2, 1)?;
    let less = call.is_true(-1);
    call.pop(1);
    Ok(less)
}

/// As Lua's `<`, which may be a metamethod or an error.
fn less_by_lua(call: &mut Call<'_>, a: u32, b: u32) -> Result<bool, Error> {
    let aside = call.top();
    call.raw_get_index(aside, a.into())?;
    call.raw_get_index(aside, b.into())?;
    let less = call.less_than(-2, -1)?;
    call.truncate(aside);
    Ok(less)
}

#[cfg(test)]
mod tests;
