//! `match`: runs the machine for Lua and turns its records into results.

use std::cell::Cell;
use std::sync::atomic::Ordering;

use sandbox::native::{Call, Error, Type};

use crate::captures::{Builder, Places, SUBJECT};
use crate::machine::{self, Host, Record, Scratch};
use crate::pattern;
use crate::program::Program;

/// The longest subject; positions have 32 bits. No string of LuaJIT is as long.
const SUBJECT_MAX: usize = u32::MAX as usize - 1;

/// The place of the position to start from among the arguments.
const INIT: i32 = 3;

/// Backtrack entries that there are even when `setmaxstack` asks for fewer.
const STACK_MIN: usize = 400;

thread_local! {
    /// Memory for the next match; one within a match makes its own.
    static SCRATCH: Cell<Option<Box<Scratch>>> = const { Cell::new(None) };
}

/// `match(patt, subject[, init, ...])`
pub(crate) fn match_pattern(call: &mut Call<'_>) -> Result<usize, Error> {
    let program = pattern::program(call, 1)?;
    let constants = call.top();
    let (subject, start) = subject(call)?;
    if subject.len() > SUBJECT_MAX {
        return Err(Error::argument(SUBJECT, "subject too long"));
    }
    let values = constants + i32::from(program.has_runtime);
    if program.has_runtime {
        call.push_table(0, 0)?;
    }
    let places = Places { constants, values };
    let stack_max = program.home.max_stack.load(Ordering::Relaxed) as usize;
    let mut scratch = SCRATCH.take().unwrap_or_default();
    let mut host = LuaHost {
        call,
        program: &program,
        subject,
        places,
        stack_max,
        n_values: 0,
    };
    let outcome = machine::run(
        &program,
        subject,
        start,
        // One entry was LPeg's own.
        stack_max.max(STACK_MIN) - 1,
        &mut scratch,
        &mut host,
    );
    let result = outcome.and_then(|end| finish(call, &program, &scratch, subject, places, end));
    scratch.clear();
    SCRATCH.set(Some(scratch));
    result
}

/// Pushes the results.
fn finish<'c>(
    call: &mut Call<'c>,
    program: &Program,
    scratch: &Scratch,
    subject: &'c [u8],
    places: Places,
    end: Option<usize>,
) -> Result<usize, Error> {
    let Some(end) = end else {
        call.push_nil()?;
        return Ok(1);
    };
    let n = Builder::new(call, program, &scratch.records, subject, places).push_all()?;
    if n == 0 {
        call.push_integer(end as i64 + 1)?;
        return Ok(1);
    }
    Ok(n)
}

/// The subject and where the match begins.
fn subject<'c>(call: &Call<'c>) -> Result<(&'c [u8], usize), Error> {
    let n_args = call.arg_count() as i32;
    if n_args < SUBJECT {
        // The constants may lie where it should be.
        return Err(Error::argument(SUBJECT, "string expected, got no value"));
    }
    let subject = call.check_bytes(SUBJECT)?;
    let init = if n_args < INIT {
        None
    } else {
        call.opt_integer(INIT)?
    };
    Ok((subject, start(init.unwrap_or(1), subject.len())))
}

/// Where the match begins; negative numbers count from the end.
fn start(init: i64, length: usize) -> usize {
    if init > 0 {
        usize::try_from(init - 1).unwrap_or(usize::MAX).min(length)
    } else {
        length.saturating_sub(usize::try_from(init.unsigned_abs()).unwrap_or(usize::MAX))
    }
}

/// The machine's way to Lua.
struct LuaHost<'h, 'c> {
    call: &'h mut Call<'c>,
    program: &'h Program,
    subject: &'c [u8],
    places: Places,
    /// As `setmaxstack` was told.
    stack_max: usize,
    /// Values in the table of those that Lua returned.
    n_values: u32,
}

impl Host for LuaHost<'_, '_> {
    type Error = Error;

    fn charge(&mut self, steps: u32) -> Result<(), Error> {
        self.call.charge(steps)
    }

    fn allow(&mut self, bytes: usize) -> Result<(), Error> {
        self.call.check_memory(bytes)
    }

    fn overflow(&self) -> Error {
        let limit = self.stack_max;
        Error::new(format!(
            "backtrack stack overflow (current limit is {limit})"
        ))
    }

    fn close_runtime(
        &mut self,
        records: &mut Vec<Record>,
        open: usize,
        pos: usize,
        values: &mut u32,
    ) -> Result<Option<usize>, Error> {
        self.forget_values(*values)?;
        let below = self.call.top();
        machine::append_close(records, pos);
        Builder::new(self.call, self.program, records, self.subject, self.places)
            .call_runtime(open, pos)?;
        let start = records[open].at as usize;
        records.truncate(open);
        if !self.call.is_true(below + 1) {
            self.call.truncate(below);
            return Ok(None);
        }
        let end = self.runtime_end(below + 1, pos)?;
        let n = (self.call.top() - below - 1) as u32;
        if n > 0 {
            self.call.charge(n)?;
            self.call
                .check_memory((records.len() + n as usize + 2) * 2 * size_of::<Record>())?;
            machine::append_values(records, (*values, *values + n), start..end);
            for i in (1..=n).rev() {
                self.call
                    .raw_set_index(self.places.values, i64::from(*values + i))?;
            }
            *values += n;
            self.n_values = *values;
        }
        self.call.truncate(below);
        Ok(Some(end))
    }
}

impl LuaHost<'_, '_> {
    /// Lets go of values beyond the first `n`: the match went back to before they were returned.
    fn forget_values(&mut self, n: u32) -> Result<(), Error> {
        for i in n..self.n_values {
            self.call.push_nil()?;
            self.call
                .raw_set_index(self.places.values, i64::from(i) + 1)?;
        }
        self.n_values = n;
        Ok(())
    }

    /// Where the match goes on, by the first result of the function.
    fn runtime_end(&self, result: i32, pos: usize) -> Result<usize, Error> {
        if self.call.type_of(result) == Type::Boolean {
            return Ok(pos);
        }
        let position = self.call.to_number(result).unwrap_or(0.0) as i64;
        let end = position.saturating_sub(1);
        usize::try_from(end)
            .ok()
            .filter(|end| (pos..=self.subject.len()).contains(end))
            .ok_or_else(|| Error::new("invalid position returned by match-time capture"))
    }
}
