//! The patterns that a plugin uses again and again, each prepared once.

use std::cell::{Cell, OnceCell, RefCell};
use std::rc::Rc;

use stdx::pattern::{self, Captures, Prepared};

use super::Meter;
use crate::message::NAMES;
use crate::native::{Call, Error};
use crate::vm::slot;

/// Patterns that are kept prepared; a power of two. A parser uses a handful.
const PATTERNS: usize = 16;

/// Places in which one pattern may lie; a power of two.
const WAYS: usize = 4;

/// The patterns of one state; takes no memory before the first is seen twice.
#[derive(Default)]
pub(crate) struct Patterns(OnceCell<Box<Places>>);

#[derive(Default)]
struct Places {
    known: [RefCell<Option<Known>>; PATTERNS],
    /// Addresses of patterns that were seen once: only what comes again is prepared, for a pattern may as well be made up
    /// anew for each call.
    seen: [Cell<usize>; PATTERNS],
    learned: Cell<usize>,
}

struct Known {
    /// Address of the interned string; the string itself is kept alive, so no other can have it.
    address: usize,
    prepared: Rc<Prepared>,
}

impl Places {
    #[inline(always)]
    fn get(&self, address: usize) -> Option<Rc<Prepared>> {
        let first = first_place(address);
        (0..WAYS).find_map(|way| {
            let known = self.known[first ^ way].borrow();
            let known = known.as_ref().filter(|known| known.address == address)?;
            Some(Rc::clone(&known.prepared))
        })
    }

    fn place_for(&self, address: usize) -> usize {
        let first = first_place(address);
        let is_free = |way: &usize| self.known[first ^ way].borrow().is_none();
        let way = (0..WAYS).find(is_free);
        let turn = self.learned.get();
        self.learned.set(turn.wrapping_add(1));
        first ^ way.unwrap_or(turn % WAYS)
    }
}

/// The first place in which an interned string is looked for.
#[inline(always)]
fn first_place(address: usize) -> usize {
    (address >> 4) % PATTERNS
}

/// Finds the first match at or after `init`, as `pattern::find_at` does. `pattern` is an argument of the call.
#[inline]
pub(super) fn find_at(
    call: &mut Call<'_>,
    subject: &[u8],
    pattern: &[u8],
    init: usize,
    found: &mut Captures,
) -> Result<bool, Error> {
    let shared = call.shared();
    let known = shared.patterns.0.get();
    let mut prepared = known.and_then(|places| places.get(pattern.as_ptr() as usize));
    if prepared.is_none() {
        prepared = learn(call, pattern)?;
    }
    let mut meter = Meter(shared);
    if let Some(prepared) = prepared {
        let matched = prepared.find(subject, init, &mut meter, found);
        return Ok(matched.map_err(pattern::PatternError::from)?);
    }
    let matched = pattern::find_at(subject, pattern, init, &mut meter)?;
    let matched = matched.map(|captures| *found = captures);
    Ok(matched.is_some())
}

/// Prepares a pattern that is seen for the second time, if it can be.
#[cold]
fn learn(call: &mut Call<'_>, pattern: &[u8]) -> Result<Option<Rc<Prepared>>, Error> {
    let shared = call.shared();
    let places = shared.patterns.0.get_or_init(Box::default);
    let address = pattern.as_ptr() as usize;
    let seen = &places.seen[first_place(address)];
    if seen.replace(address) != address {
        return Ok(None);
    }
    let Some(prepared) = Prepared::new(pattern).map(Rc::new) else {
        return Ok(None);
    };
    call.check_memory(prepared.memory())?;
    call.room(3)?;
    let place = places.place_for(address);
    // The places behind those of the names of fields.
    call.push_slot(slot::ANCHORS);
    call.push_bytes(pattern)?;
    call.raw_set_index(-2, (NAMES + place) as i64 + 1)?;
    call.pop(1);
    shared.memory.add(prepared.memory());
    let known = Known {
        address,
        prepared: Rc::clone(&prepared),
    };
    if let Some(old) = places.known[place].replace(Some(known)) {
        shared.memory.sub(old.prepared.memory());
    }
    Ok(Some(prepared))
}

#[cfg(test)]
mod tests {
    use crate::lib_string::test_state::run;

    #[test]
    fn a_pattern_gives_the_same_at_every_use() {
        let answers = run(r"local t = {}
            for i = 1, 5 do t[i] = ('key=' .. i):match('(%w+)=%d') .. ('a' .. i):match('^%a(%d)$') end
            return table.concat(t, ' ')");
        assert_eq!(answers, b"key1 key2 key3 key4 key5");
    }

    #[test]
    fn more_patterns_than_are_kept_and_patterns_that_are_made_up() {
        let answers = run(r"local sum = 0
            for round = 1, 4 do
                for i = 1, 100 do
                    local pattern = '^' .. ('x'):rep(i) .. '(%d+)$'
                    sum = sum + (('x'):rep(i) .. i):match(pattern)
                    assert(not ('y' .. i):match(pattern))
                    if i % 10 == 0 then collectgarbage() end
                end
            end
            return sum");
        assert_eq!(answers, b"20200");
    }

    #[test]
    fn what_cannot_be_prepared_works_and_fails_at_every_use() {
        let answers = run(r"local n = 0
            for i = 1, 4 do
                if ('(a(b))'):match('%b()') == '(a(b))' then n = n + 1 end
                if ('abab'):match('(ab)%1') == 'ab' then n = n + 1 end
                if not pcall(string.match, 'b', 'b[') then n = n + 1 end
                if ('a'):match('b[') == nil then n = n + 1 end
            end
            return n");
        assert_eq!(answers, b"16");
    }
}
