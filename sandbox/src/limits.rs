//! What a plugin may use: memory, instructions, output; and how a call that uses too much is ended.
//!
//! A call starts without any hook and runs at full speed. If it lasts, the watch thread (see `watch`) has a count hook
//! set on it by a signal; from then on its instructions are counted, natively charged steps too. At the limit the hook
//! raises an error that no Lua code can keep: the hook stays armed at every instruction until the host has control again,
//! and our `pcall`, `xpcall` and coroutine functions pass the error on.
#![allow(unsafe_code)]

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::ffi::{self, lua_Debug, lua_State};
use crate::vm::{self, Shared};

/// What one plugin may use; all sizes in bytes.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Memory of the Lua state, 0 for no limit.
    pub memory: usize,
    /// Lua instructions of one call, counted once a call has lasted some milliseconds; 0 for no limit.
    pub instructions: u64,
    /// Payload that `add_to_payload` and its kin may gather, and a message that may be built; 0 for no limit.
    pub output: usize,
    /// Longest piece that a library reads into memory at once on behalf of the plugin.
    pub input: usize,
    /// Longest message that a stream reader finds.
    pub max_message: usize,
    /// Files, programs and connections that are open at a time; 0 for no limit.
    pub descriptors: usize,
    /// Messages that one `process_message` of an analysis plugin may inject.
    pub process_message_injects: u32,
    /// Messages that one `timer_event` of an analysis plugin may inject.
    pub timer_event_injects: u32,
}

impl Default for Limits {
    /// Hindsight's defaults.
    fn default() -> Limits {
        Limits {
            memory: 8 * 1024 * 1024,
            instructions: 1_000_000,
            output: 64 * 1024,
            input: 64 * 1024,
            max_message: 64 * 1024,
            descriptors: 1536,
            process_message_injects: 0,
            timer_event_injects: 10,
        }
    }
}

/// Most instructions that run between two looks at the budget of an armed call.
const INSTRUCTIONS_PER_CHECK: i32 = 1_000;

/// Instructions up to the first look, before it is known how long they take: each may work for
/// milliseconds.
const INSTRUCTIONS_TO_FIRST_CHECK: i32 = 10;

/// Time of the processor between two looks that is aimed at, in nanoseconds.
const CHECK_INTERVAL_NS: u64 = 1_000_000;

/// Time of the processor, in nanoseconds, for which an instruction counts as one. Ordinary ones take
/// a hundredth of it; but a copy of a megabyte, a comparison of two long strings or `next` on a table
/// full of holes is one instruction too, and a million of those would run for minutes.
const NS_PER_INSTRUCTION: u64 = 2_000;

/// Nested calls from Rust into Lua, each of which takes native stack; Lua 5.1's own bound.
pub(crate) const MAX_NATIVE_DEPTH: u32 = 200;

/// Why a running call was ended from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// It was not.
    No,
    /// It used up its instructions.
    Limit,
    /// The host asked for it.
    Interrupt,
}

/// The counters of the running call.
pub(crate) struct Budget {
    /// Instructions of one call, 0 for no limit.
    pub(crate) limit: u64,
    /// Set, by the signal handler, when counting has begun.
    pub(crate) armed: AtomicBool,
    counted: Cell<u64>,
    max: Cell<u64>,
    ended: Cell<Ended>,
    /// Instructions between the last look and the next.
    pace: Cell<i32>,
    /// Processor time of this thread at the last look, in nanoseconds.
    looked_ns: Cell<u64>,
}

impl Budget {
    pub(crate) fn new(limit: u64) -> Budget {
        Budget {
            limit,
            armed: AtomicBool::new(false),
            counted: Cell::new(0),
            max: Cell::new(0),
            ended: Cell::new(Ended::No),
            pace: Cell::new(INSTRUCTIONS_TO_FIRST_CHECK),
            looked_ns: Cell::new(0),
        }
    }

    /// What the instructions since the last look count as, and how many may run up to the next.
    fn look(&self) -> (u64, i32) {
        let now_ns = thread_time_ns();
        let elapsed_ns = now_ns.saturating_sub(self.looked_ns.replace(now_ns));
        let pace = self.pace.get();
        let steps = (elapsed_ns / NS_PER_INSTRUCTION).max(pace as u64);
        let fitting = pace as u64 * CHECK_INTERVAL_NS / elapsed_ns.max(1);
        self.pace
            .set(fitting.clamp(1, INSTRUCTIONS_PER_CHECK as u64) as i32);
        (steps, self.pace.get())
    }

    /// Why the running call is being ended.
    pub(crate) fn ended(&self) -> Ended {
        self.ended.get()
    }

    /// The most instructions that were counted in one call.
    pub(crate) fn max(&self) -> u64 {
        self.max.get()
    }

    /// Counts `steps` and says whether the call may go on.
    fn spend(&self, steps: u64, interrupted: bool) -> bool {
        let counted = self.counted.get().saturating_add(steps);
        self.counted.set(counted);
        if self.ended.get() == Ended::No {
            if interrupted {
                self.ended.set(Ended::Interrupt);
            } else if self.limit != 0 && counted > self.limit {
                self.ended.set(Ended::Limit);
            }
        }
        self.ended.get() == Ended::No
    }

    /// Forgets the finished call and returns why it ended.
    fn reset(&self) -> Ended {
        self.max.set(self.max.get().max(self.counted.get()));
        self.counted.set(0);
        self.ended.replace(Ended::No)
    }
}

/// Charges `steps` of native work to the running call; false when it has to end.
#[inline]
pub(crate) fn charge(shared: &Shared, steps: u32) -> bool {
    if !shared.budget.armed.load(Ordering::Relaxed) {
        return true;
    }
    let going = shared
        .budget
        .spend(u64::from(steps), shared.control.interrupted());
    if !going {
        keep_armed(shared);
    }
    going
}

/// Begins to count the instructions of the running call. Called by the signal handler: only plain stores happen here.
pub(crate) fn arm(shared: &Shared) {
    let budget = &shared.budget;
    if !budget.armed.swap(true, Ordering::Relaxed) {
        budget.looked_ns.set(thread_time_ns());
        budget.pace.set(INSTRUCTIONS_TO_FIRST_CHECK);
    }
    // SAFETY: the state is alive while it is the thread's current one, and we run on its thread. LuaJIT allows
    // lua_sethook from a signal handler; if the interrupted code overwrites what it changed, the signal comes again.
    unsafe {
        ffi::lua_sethook(
            shared.main(),
            Some(on_count),
            ffi::LUA_MASKCOUNT,
            budget.pace.get(),
        );
    }
}

/// Ends the counting after a call and says why the call was ended, if it was.
#[inline]
pub(crate) fn disarm(shared: &Shared) -> Ended {
    if !shared.budget.armed.load(Ordering::Relaxed) {
        return Ended::No;
    }
    shared.budget.armed.store(false, Ordering::Relaxed);
    // SAFETY: the state is alive and the host has control of it.
    unsafe { ffi::lua_sethook(shared.main(), None, 0, 0) };
    shared.budget.reset()
}

/// Makes every further instruction end the call again, whoever caught the error.
fn keep_armed(shared: &Shared) {
    shared.budget.pace.set(1);
    count_after(shared, 1);
}

/// Has the hook called after so many instructions.
fn count_after(shared: &Shared, instructions: i32) {
    // SAFETY: the state is alive, and we run on its thread.
    unsafe {
        ffi::lua_sethook(
            shared.main(),
            Some(on_count),
            ffi::LUA_MASKCOUNT,
            instructions,
        );
    }
}

/// Processor time that this thread has used, in nanoseconds. May be called by a signal handler.
fn thread_time_ns() -> u64 {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: the pointer is valid. The clock exists on every Linux; without it time would stand still.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// The text of the error that ends a call.
pub(crate) fn text(ended: Ended) -> &'static str {
    match ended {
        Ended::Interrupt => "shutting down",
        Ended::Limit | Ended::No => "instruction_limit exceeded",
    }
}

/// Lua's count hook.
unsafe extern "C-unwind" fn on_count(l: *mut lua_State, ar: *mut lua_Debug) {
    // SAFETY: every state of this crate has its `Shared` behind the allocator.
    let shared = unsafe { vm::shared(l) };
    shared.note_hook();
    let before = shared.budget.pace.get();
    let (steps, pace) = shared.budget.look();
    if shared.budget.spend(steps, shared.control.interrupted()) {
        if pace != before {
            count_after(shared, pace);
        }
        return;
    }
    keep_armed(shared);
    // SAFETY: no value with a destructor lives in this frame when the error leaves it. Lua gives hooks a valid `ar`
    // and stack room for the texts.
    unsafe {
        let strict = shared.memory.lenient.replace(true);
        ffi::lua_getinfo(l, c"Sl".as_ptr(), ar);
        push_place(l, ar);
        let text = text(shared.budget.ended());
        ffi::lua_pushlstring_(l, text.as_ptr().cast(), text.len());
        ffi::lua_concat(l, 2);
        shared.memory.lenient.set(strict);
        ffi::lua_error(l)
    }
}

/// Pushes `file:line: ` of an activation whose "Sl" are filled in, or an empty string.
///
/// # Safety
/// `l` has room for one value.
pub(crate) unsafe fn push_place(l: *mut lua_State, ar: *const lua_Debug) {
    // SAFETY: by the caller; `short_src` ends with a NUL.
    unsafe {
        if (*ar).currentline > 0 {
            ffi::lua_pushfstring(
                l,
                c"%s:%d: ".as_ptr(),
                (*ar).short_src.as_ptr(),
                (*ar).currentline,
            );
        } else {
            ffi::lua_pushlstring_(l, c"".as_ptr(), 0);
        }
    }
}

/// Ends the running call at once with a clean stop: the engine is going down.
pub(crate) fn stop_now(shared: &Shared) {
    shared.control.interrupt();
    shared.budget.armed.store(true, Ordering::Relaxed);
    charge(shared, 0);
}
