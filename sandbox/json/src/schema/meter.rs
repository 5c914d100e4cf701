//! Bounds time and stack of a validation, which the validator itself does not.
//!
//! Everything the validator learns of a document it asks a [`Value`](super::value::Value), and each question is a step here.
//! When there are no steps left, or the stack is deep, the validation is left by unwinding, without a panic's message.

use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

/// Stack that a validation may use, in bytes; threads have at least four times as much.
const STACK_MAX: usize = 512 * 1024;

thread_local! {
    /// Steps that the running validation still has.
    static STEPS: Cell<u64> = const { Cell::new(u64::MAX) };
    static STEPS_PER_TEXT: Cell<u64> = const { Cell::new(1) };
    /// Violations that it may still note.
    static VIOLATIONS: Cell<usize> = const { Cell::new(usize::MAX) };
    static STEPS_PER_VIOLATION: Cell<u64> = const { Cell::new(1) };
    /// An address in the frame that began the validation; 0 when none runs.
    static STACK: Cell<usize> = const { Cell::new(0) };
}

/// Why a validation was left.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Stop {
    Exhausted,
    TooDeep,
    /// More violations than may be noted.
    TooMany,
}

/// The bounds of one validation.
pub(super) struct Meter {
    pub(super) steps: u64,
    /// Steps that looking at a text takes, because it may be matched by trying.
    pub(super) steps_per_text: u64,
    /// Violations that may be noted, each of which takes memory.
    pub(super) violations: usize,
    /// Steps that making one takes.
    pub(super) steps_per_violation: u64,
}

impl Meter {
    /// Runs `work` within the bounds; and how many steps it took.
    pub(super) fn run<T>(self, work: impl FnOnce() -> T) -> (Result<T, Stop>, u64) {
        let before = (
            STEPS.get(),
            STEPS_PER_TEXT.get(),
            VIOLATIONS.get(),
            STEPS_PER_VIOLATION.get(),
            STACK.get(),
        );
        STEPS.set(self.steps);
        STEPS_PER_TEXT.set(self.steps_per_text);
        VIOLATIONS.set(self.violations);
        STEPS_PER_VIOLATION.set(self.steps_per_violation);
        STACK.set(stack_address());
        let result = catch_unwind(AssertUnwindSafe(work));
        let taken = self.steps - STEPS.get().min(self.steps);
        STEPS.set(before.0);
        STEPS_PER_TEXT.set(before.1);
        VIOLATIONS.set(before.2);
        STEPS_PER_VIOLATION.set(before.3);
        STACK.set(before.4);
        match result {
            Ok(result) => (Ok(result), taken),
            Err(payload) => (Err(why(payload)), taken),
        }
    }
}

/// Passes on what is no [`Stop`].
fn why(payload: Box<dyn Any + Send>) -> Stop {
    match payload.downcast::<Stop>() {
        Ok(stop) => *stop,
        Err(panic) => resume_unwind(panic),
    }
}

/// The address of something on the stack.
#[inline]
fn stack_address() -> usize {
    let here = 0_u8;
    std::ptr::from_ref(&here) as usize
}

/// Takes `n` steps.
#[inline]
pub(super) fn step(n: u64) {
    let left = STEPS.get();
    let stack = STACK.get();
    if left < n || (stack != 0 && stack.abs_diff(stack_address()) > STACK_MAX) {
        stop(if left < n {
            Stop::Exhausted
        } else {
            Stop::TooDeep
        });
    }
    STEPS.set(left - n);
}

/// Takes the steps of looking at a text.
#[inline]
pub(super) fn step_text(len: usize) {
    /// Bytes of a text that are looked at in one step.
    const BYTES_PER_STEP: u64 = 32;
    step(STEPS_PER_TEXT.get() * (1 + len as u64 / BYTES_PER_STEP));
}

/// Notes that a violation is made.
pub(super) fn violation() {
    match VIOLATIONS.get().checked_sub(1) {
        Some(left) => {
            VIOLATIONS.set(left);
            step(STEPS_PER_VIOLATION.get());
        }
        None => stop(Stop::TooMany),
    }
}

#[cold]
fn stop(why: Stop) -> ! {
    if STACK.get() == 0 {
        unreachable!("values are asked within a validation only");
    }
    if why == Stop::Exhausted {
        STEPS.set(0);
    }
    resume_unwind(Box::new(why))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recurse(n: u64) -> u64 {
        let space = std::hint::black_box([0_u8; 1024]);
        step(1);
        if n == 0 {
            return u64::from(space[0]);
        }
        recurse(n - 1) + u64::from(space[1])
    }

    #[test]
    fn work_is_stopped_by_steps_and_by_stack() {
        let meter = |steps| Meter {
            steps,
            steps_per_text: 1,
            violations: 2,
            steps_per_violation: 3,
        };
        assert_eq!(meter(100).run(|| recurse(10)), (Ok(0), 11));
        assert_eq!(meter(5).run(|| recurse(10)), (Err(Stop::Exhausted), 5));
        let (result, _) = meter(u64::MAX).run(|| recurse(1 << 40));
        assert_eq!(result, Err(Stop::TooDeep));
        let noted = |n| (0..n).for_each(|_| violation());
        assert_eq!(meter(9).run(|| noted(2)), (Ok(()), 6));
        assert_eq!(meter(9).run(|| noted(3)), (Err(Stop::TooMany), 6));
        // Nothing is left of it.
        assert_eq!(meter(1).run(|| step(1)), (Ok(()), 1));
    }

    #[test]
    fn panics_are_passed_on() {
        let meter = Meter {
            steps: 1,
            steps_per_text: 1,
            violations: 0,
            steps_per_violation: 1,
        };
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            meter.run(|| resume_unwind(Box::new("other")))
        }));
        assert!(panicked.is_err_and(|panic| panic.is::<&str>()));
    }
}
