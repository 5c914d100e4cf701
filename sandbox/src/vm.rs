//! One Lua state: made, filled with the base library, called, closed; and what Rust keeps beside it.
#![allow(unsafe_code)]

use std::borrow::Cow;
use std::cell::{Cell, OnceCell, RefCell};
use std::ffi::{CString, c_char, c_int, c_void};
use std::ptr::{self, NonNull};
use std::sync::Arc;
use std::sync::OnceLock;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

use crate::api::encode_direct::Keys;
use crate::ffi::{self, lua_State};
use crate::heap;
use crate::lib_string::Patterns;
use crate::limits::{self, Budget, Ended};
use crate::message::Current;
use crate::native::{Call, Error, Registry};
use crate::sandbox::{Checkpoint, Host, Kind, Limits};
use crate::watch::{self, Control};

/// Places in Lua's registry that belong to us.
pub(crate) mod slot {
    use std::ffi::c_int;

    /// The error object that is on its way through Rust code.
    pub(crate) const ERROR: c_int = 1;
    /// Modules that `require` has loaded, by name.
    pub(crate) const LOADED: c_int = 2;
    /// What `read_config` serves.
    pub(crate) const CONFIG: c_int = 3;
    /// Numbers that stand for the addresses of objects; its keys are weak.
    pub(crate) const IDS: c_int = 4;
    /// Strings whose addresses the caches of `read_message` and of patterns know.
    pub(crate) const ANCHORS: c_int = 5;
    /// The metatable that marks a table as an empty array; `preserve` finds it by a name.
    pub(crate) const ARRAY: c_int = 6;
    /// The string "process_message".
    pub(crate) const PROCESS_MESSAGE: c_int = 7;
    /// The string "timer_event".
    pub(crate) const TIMER_EVENT: c_int = 8;
    /// The text of a memory error, made before memory runs out.
    pub(crate) const NO_MEMORY: c_int = 9;
    /// The plugin's name as a string.
    pub(crate) const LOGGER: c_int = 10;
    /// The hostname as a string.
    pub(crate) const HOSTNAME: c_int = 11;
    /// The first of the strings of [`KEYS`].
    pub(crate) const KEY: c_int = 12;

    /// Keys of message tables, kept so that nothing is hashed when a message is built.
    pub(crate) const KEYS: &[&str] = &[
        "Uuid",
        "Timestamp",
        "Type",
        "Logger",
        "Severity",
        "Payload",
        "EnvVersion",
        "Pid",
        "Hostname",
        "Fields",
        "name",
        "value",
        "value_type",
        "representation",
        "userdata",
    ];
}

/// Text of every memory error.
pub(crate) const NO_MEMORY: &str = "not enough memory";

/// The counted memory of one state.
pub(crate) struct Memory {
    used: Cell<usize>,
    max: Cell<usize>,
    /// 0 for no limit.
    limit: usize,
    /// While Rust has control nothing is refused, because an error that leaves Lua in the middle of Rust code would skip
    /// it; instead, Rust code asks before it makes anything large, and is made to fail when it hands control back.
    pub(crate) lenient: Cell<bool>,
    /// While the host itself works on the state, as when it restores what was preserved, Lua's allocations have no limit,
    /// and native objects a wider one.
    pub(crate) lifted: Cell<bool>,
}

/// How many times the limit native objects may take while it is lifted: a state that was within the limit is read and
/// written with copies, and a hostile one must not take the machine's memory.
const LIFTED_FACTOR: usize = 8;
/// What they may take at least then, in bytes: a fresh state alone is more than the smallest limits.
const LIFTED_MIN: usize = 4 << 20;

impl Memory {
    fn new(limit: usize) -> Memory {
        Memory {
            used: Cell::new(0),
            max: Cell::new(0),
            limit,
            lenient: Cell::new(true),
            lifted: Cell::new(true),
        }
    }

    pub(crate) fn used(&self) -> usize {
        self.used.get()
    }

    pub(crate) fn max(&self) -> usize {
        self.max.get()
    }

    /// Whether `extra` more bytes are more than the plugin may have.
    #[inline]
    pub(crate) fn exceeds(&self, extra: usize) -> bool {
        self.limit != 0 && self.used.get().saturating_add(extra) > self.limit
    }

    /// Bytes up to the limit; none without a limit.
    pub(crate) fn left(&self) -> Option<usize> {
        (self.limit != 0).then(|| self.limit.saturating_sub(self.used.get()))
    }

    /// As [`Memory::exceeds`], while the limit is lifted.
    pub(crate) fn exceeds_lifted(&self, extra: usize) -> bool {
        let limit = self.limit.saturating_mul(LIFTED_FACTOR).max(LIFTED_MIN);
        self.limit != 0 && self.used.get().saturating_add(extra) > limit
    }

    /// Counts memory that lies outside Lua's own.
    pub(crate) fn add(&self, len: usize) {
        self.note(self.used.get().saturating_add(len));
    }

    /// Takes back what [`Memory::add`] counted.
    pub(crate) fn sub(&self, len: usize) {
        self.used.set(self.used.get().saturating_sub(len));
    }

    #[inline]
    fn note(&self, used: usize) {
        self.used.set(used);
        if used > self.max.get() {
            self.max.set(used);
        }
    }
}

/// Lua's allocator: counts, and refuses beyond the limit unless Rust has control.
unsafe extern "C" fn allocate(
    ud: *mut c_void,
    block: *mut c_void,
    old: usize,
    new: usize,
) -> *mut c_void {
    // SAFETY: `ud` is the `Shared` of the state, alive as long as the state, and blocks come from
    // `realloc`. That needs no sizes, for Lua does not always say the true one: a closure whose
    // making ran out of memory is freed as a shorter one.
    unsafe {
        let memory = &(*ud.cast::<Shared>()).memory;
        let old = if block.is_null() { 0 } else { old };
        if new == 0 {
            libc::free(block);
            memory.sub(old);
            return ptr::null_mut();
        }
        if new > old && !memory.lenient.get() && memory.exceeds(new - old) {
            return ptr::null_mut();
        }
        let moved = libc::realloc(block, new);
        if !moved.is_null() {
            memory.note(memory.used.get().saturating_sub(old) + new);
        }
        moved
    }
}

/// Bytes that the allocator is made to hold ready for a new state; less than what it would give back or map by itself.
const RESERVE: usize = 96 << 10;

/// Has the allocator grow its heap for a whole state at once: glibc grows that of a thread page by page, with a call of the
/// kernel for each, which takes a large part of the time when thousands of states are made.
fn reserve() {
    // SAFETY: a block that nobody writes to and that is freed at once; nothing needs to be there.
    unsafe { libc::free(std::hint::black_box(libc::malloc(RESERVE))) };
}

/// What belongs to one state and is reached from its functions.
pub(crate) struct Shared {
    pub(crate) memory: Memory,
    /// Descriptors that native objects hold.
    pub(crate) descriptors: Cell<usize>,
    pub(crate) budget: Budget,
    pub(crate) control: Arc<Control>,
    main: Cell<*mut lua_State>,
    /// Nested calls from Rust into Lua.
    pub(crate) depth: Cell<u32>,
    pub(crate) kind: Kind,
    pub(crate) limits: Limits,
    pub(crate) name: String,
    pub(crate) hostname: String,
    pub(crate) pid: i32,
    pub(crate) log_level: u8,
    pub(crate) restricted_headers: bool,
    pub(crate) lua_path: Option<String>,
    pub(crate) lua_cpath: Option<String>,
    pub(crate) modules: Arc<Registry>,
    pub(crate) host: RefCell<Box<dyn Host>>,
    /// The message that `process_message` is looking at.
    pub(crate) message: Current,
    /// What `add_to_payload` has gathered.
    pub(crate) payload: RefCell<Vec<u8>>,
    /// The largest payload or message built so far.
    pub(crate) output_max: Cell<usize>,
    pub(crate) injects: Cell<u64>,
    pub(crate) inject_bytes: Cell<u64>,
    /// Messages that the running call may still inject.
    pub(crate) injects_left: Cell<u32>,
    /// Failures reported by `update_checkpoint` beside those that were answered.
    pub(crate) failures: Cell<u64>,
    /// The checkpoint of the message being injected, to keep its memory.
    pub(crate) checkpoint: RefCell<Checkpoint>,
    /// Where the keys of message tables lie, once a message was injected.
    pub(crate) keys: OnceCell<Box<Keys>>,
    /// Patterns of the string library that were prepared.
    pub(crate) patterns: Patterns,
    next_id: Cell<u64>,
    rng: RefCell<ChaCha8Rng>,
}

/// What of a `Spec` stays after the state was made.
pub(crate) struct Parts {
    pub(crate) kind: Kind,
    pub(crate) limits: Limits,
    pub(crate) name: String,
    pub(crate) hostname: String,
    pub(crate) pid: i32,
    pub(crate) log_level: u8,
    pub(crate) restricted_headers: bool,
    pub(crate) lua_path: Option<String>,
    pub(crate) lua_cpath: Option<String>,
    pub(crate) modules: Arc<Registry>,
    pub(crate) host: Box<dyn Host>,
}

impl Shared {
    fn new(parts: Parts) -> Shared {
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).expect("the kernel has random numbers");
        Shared {
            memory: Memory::new(parts.limits.memory),
            descriptors: Cell::new(0),
            budget: Budget::new(parts.limits.instructions),
            control: Arc::default(),
            main: Cell::new(ptr::null_mut()),
            depth: Cell::new(0),
            kind: parts.kind,
            limits: parts.limits,
            name: parts.name,
            hostname: parts.hostname,
            pid: parts.pid,
            log_level: parts.log_level,
            restricted_headers: parts.restricted_headers,
            lua_path: parts.lua_path,
            lua_cpath: parts.lua_cpath,
            modules: parts.modules,
            host: RefCell::new(parts.host),
            message: Current::default(),
            payload: RefCell::default(),
            output_max: Cell::new(0),
            injects: Cell::new(0),
            inject_bytes: Cell::new(0),
            injects_left: Cell::new(if parts.kind == Kind::Analysis {
                0
            } else {
                u32::MAX
            }),
            failures: Cell::new(0),
            checkpoint: RefCell::default(),
            keys: OnceCell::new(),
            patterns: Patterns::default(),
            next_id: Cell::new(0),
            rng: RefCell::new(ChaCha8Rng::from_seed(seed)),
        }
    }

    /// The main thread of the state.
    #[inline]
    pub(crate) fn main(&self) -> *mut lua_State {
        self.main.get()
    }

    /// A random version 4 UUID; its variant is one that RFC 9562 allows, in Hindsight's layout.
    pub(crate) fn uuid(&self) -> [u8; 16] {
        let mut random = [0; 16];
        self.rng.borrow_mut().fill_bytes(&mut random);
        schemas::uuid::v4(random)
    }

    /// A seed for the plugin's own random numbers.
    pub(crate) fn random_u64(&self) -> u64 {
        self.rng.borrow_mut().next_u64()
    }

    /// A number that stands for the address of an object; no two objects get the same.
    pub(crate) fn next_id(&self) -> u64 {
        let id = self.next_id.get() + 1;
        self.next_id.set(id);
        id
    }

    /// Notes the length of a payload or message for the statistics.
    #[inline]
    pub(crate) fn note_output(&self, len: usize) {
        if len > self.output_max.get() {
            self.output_max.set(len);
        }
    }

    /// Called by the hook: it works.
    pub(crate) fn note_hook(&self) {
        self.control.clear_stuck();
        watch::hook_runs();
    }
}

/// The `Shared` of a state.
///
/// # Safety
/// `l` was made by [`State::new`] or is a coroutine of such a state; the reference must not outlive the state.
#[inline]
pub(crate) unsafe fn shared<'a>(l: *mut lua_State) -> &'a Shared {
    // SAFETY: by the caller; the layout was proved, or Lua answers.
    unsafe {
        if heap::is_proved() {
            return &*heap::allocator_data(l).cast::<Shared>();
        }
        let mut ud = ptr::null_mut();
        ffi::lua_getallocf(l, &raw mut ud);
        &*ud.cast::<Shared>()
    }
}

/// Why a call from the host did not return normally.
pub(crate) enum Failure {
    /// A Lua error, as text.
    Error(Vec<u8>),
    /// The host interrupted it.
    Stopped,
}

/// A Lua state and its `Shared`. It may move between threads between calls.
pub(crate) struct State {
    l: *mut lua_State,
    shared: NonNull<Shared>,
}

// SAFETY: the state, its `Shared` and everything in them are reached through this value only, except for `Control`, which is
// atomic. LuaJIT keeps nothing in thread-local memory, and userdata are `Send` by the bound of `Object`.
unsafe impl Send for State {}

impl State {
    /// Makes a state with the base library as LuaJIT has it.
    ///
    /// # Errors
    /// When the process is out of memory.
    pub(crate) fn new(parts: Parts, jit: bool) -> Result<State, String> {
        let jit = jit && compiler_can_be_stopped();
        State::with_compiler(parts, jit)
    }

    fn with_compiler(parts: Parts, jit: bool) -> Result<State, String> {
        reserve();
        heap::prove();
        let shared = NonNull::from(Box::leak(Box::new(Shared::new(parts))));
        // SAFETY: `shared` is freed only after the state, in `drop`.
        let l = unsafe { ffi::lua_newstate(allocate, shared.as_ptr().cast()) };
        let state = State { l, shared };
        if l.is_null() {
            return Err(NO_MEMORY.into());
        }
        state.shared().main.set(l);
        state.open_base(jit)?;
        Ok(state)
    }

    /// What Rust keeps beside the state.
    #[inline]
    pub(crate) fn shared(&self) -> &Shared {
        // SAFETY: freed in `drop` only.
        unsafe { self.shared.as_ref() }
    }

    /// The main thread, for functions that speak to Lua directly.
    #[inline]
    pub(crate) fn raw(&self) -> *mut lua_State {
        self.l
    }

    fn open_base(&self, jit: bool) -> Result<(), String> {
        unsafe extern "C-unwind" fn open(l: *mut lua_State) -> c_int {
            // SAFETY: called by lua_pcall with the stack that C functions have.
            unsafe {
                ffi::lua_pushcclosure(l, ffi::luaopen_base, 0);
                ffi::lua_call(l, 0, 0);
                ffi::lua_pushcclosure(l, ffi::luaopen_jit, 0);
                ffi::lua_call(l, 0, 0);
            }
            0
        }
        // SAFETY: a fresh state; the call is protected.
        unsafe {
            ffi::lua_pushcclosure(self.l, open, 0);
            if ffi::lua_pcall(self.l, 0, 0, 0) != 0 {
                return Err(String::from_utf8_lossy(&self.take_text()).into_owned());
            }
            let mode = if jit { ffi::JIT_ON } else { ffi::JIT_OFF };
            ffi::luaJIT_setmode(self.l, 0, ffi::JIT_ENGINE | mode);
        }
        Ok(())
    }

    /// Compiles a text and leaves the function, or the error text, on the stack; bytecode is refused.
    ///
    /// `name` is what stands before `:line:` in errors, with Lua's `@` or `=` in front.
    pub(crate) fn load(&self, text: &[u8], name: &str) -> Result<(), Vec<u8>> {
        // SAFETY: one free stack slot is guaranteed, since the host's calls leave the stack empty.
        match unsafe { load_text(self.l, text, name) } {
            true => Ok(()),
            false => Err(self.take_text()),
        }
    }

    /// Calls the function under `n_args` arguments within the plugin's limits. On success its results are on the stack,
    /// otherwise nothing is.
    #[inline]
    pub(crate) fn call(&self, n_args: c_int, n_results: c_int) -> Result<(), Failure> {
        let shared = self.shared();
        if shared.control.interrupted() {
            // SAFETY: function and arguments are on the stack.
            unsafe { ffi::lua_settop(self.l, -n_args - 2) };
            return Err(Failure::Stopped);
        }
        shared.memory.lenient.set(false);
        let running = watch::enter(shared);
        // SAFETY: function and arguments are on the stack; the call is protected.
        let status = unsafe { ffi::lua_pcall(self.l, n_args, n_results, 0) };
        drop(running);
        shared.memory.lenient.set(true);
        let ended = limits::disarm(shared);
        shared.control.end_call();
        if status == 0 {
            return Ok(());
        }
        let text = self.take_text();
        match ended {
            Ended::Interrupt => Err(Failure::Stopped),
            _ => Err(Failure::Error(text)),
        }
    }

    /// Pops the value on top as text; what is neither string nor number becomes a fixed text.
    pub(crate) fn take_text(&self) -> Vec<u8> {
        // SAFETY: there is a value on the stack; the bytes are copied before it is popped.
        unsafe {
            let text = match ffi::lua_type(self.l, -1) {
                ffi::LUA_TNIL => b"<nil error message>".to_vec(),
                ffi::LUA_TSTRING | ffi::LUA_TNUMBER => bytes_of(self.l, -1).to_vec(),
                kind => {
                    let name = std::ffi::CStr::from_ptr(ffi::lua_typename(self.l, kind));
                    format!("<error object is a {}>", name.to_string_lossy()).into_bytes()
                }
            };
            ffi::lua_settop(self.l, -2);
            text
        }
    }

    /// Runs native code on the state with the host in control; the error is a text.
    pub(crate) fn with_call<T>(
        &self,
        work: impl FnOnce(&mut Call<'_>) -> Result<T, Error>,
    ) -> Result<T, Vec<u8>> {
        // SAFETY: the host has control of the main thread, whose stack has room for LUA_MINSTACK values.
        let mut call = unsafe {
            ffi::lua_checkstack(self.l, ffi::LUA_MINSTACK);
            Call::new(self.l, self.shared())
        };
        let result = match work(&mut call) {
            Ok(result) => Ok(result),
            Err(error) => {
                error.push(&mut call);
                Err(self.take_text())
            }
        };
        // SAFETY: the host's calls leave the stack empty.
        unsafe { ffi::lua_settop(self.l, 0) };
        result
    }

    /// Switches the memory limit off, or on again.
    pub(crate) fn lift_limits(&self, lifted: bool) {
        self.shared().memory.lifted.set(lifted);
    }

    /// Collects all garbage.
    pub(crate) fn collect(&self) {
        // SAFETY: finalizers are ours alone and never fail.
        unsafe { ffi::lua_gc(self.l, ffi::LUA_GCCOLLECT, 0) };
    }
}

impl Drop for State {
    fn drop(&mut self) {
        // SAFETY: the last use of both; userdata are dropped by lua_close, while `Shared` still lives.
        unsafe {
            if !self.l.is_null() {
                ffi::lua_close(self.l);
            }
            drop(Box::from_raw(self.shared.as_ptr()));
        }
    }
}

/// The bytes of the string (or number, which becomes one) at `i`.
///
/// # Safety
/// The value is a string or number and must stay on the stack while the bytes are used.
#[inline]
pub(crate) unsafe fn bytes_of<'a>(l: *mut lua_State, i: c_int) -> &'a [u8] {
    let mut len = 0;
    // SAFETY: by the caller; Lua returns a pointer to `len` bytes.
    unsafe {
        let text = ffi::lua_tolstring(l, i, &raw mut len);
        std::slice::from_raw_parts(text.cast(), len)
    }
}

/// Bytes of a state that are collected for one step of the budget.
const BYTES_PER_STEP: usize = 256;

/// Collects garbage because the limit is reached; whether `extra` more bytes are allowed then. Charged to the budget, so
/// that a plugin cannot live at its limit for long.
///
/// # Safety
/// `l` is a running thread of the state that `shared` belongs to, and Rust has control or is about to give it back.
#[cold]
pub(crate) unsafe fn make_room(l: *mut lua_State, shared: &Shared, extra: usize) -> bool {
    let steps = u32::try_from(shared.memory.used() / BYTES_PER_STEP).unwrap_or(u32::MAX);
    limits::charge(shared, steps);
    // SAFETY: by the caller; finalizers are ours alone and never fail.
    unsafe { ffi::lua_gc(l, ffi::LUA_GCCOLLECT, 0) };
    !shared.memory.exceeds(extra)
}

/// Whether `extra` more descriptors may be open; if they are too many, garbage is collected first, which closes those that
/// nobody uses any more.
///
/// # Safety
/// As [`make_room`].
pub(crate) unsafe fn has_descriptors(l: *mut lua_State, shared: &Shared, extra: usize) -> bool {
    let limit = shared.limits.descriptors;
    let fits = || limit == 0 || shared.descriptors.get().saturating_add(extra) <= limit;
    if fits() {
        return true;
    }
    // SAFETY: by the caller.
    unsafe { make_room(l, shared, 0) };
    fits()
}

/// Most bytes of a file's name that errors show; Lua 5.1's.
const SHOWN_NAME_MAX: usize = 52;

/// The name of a chunk as Lua 5.1 shows it: of a long one of a file, the end. LuaJIT shows a few bytes more.
fn short(name: &str) -> Cow<'_, str> {
    match name.strip_prefix('@') {
        Some(file) if file.len() > SHOWN_NAME_MAX => {
            let end = &file.as_bytes()[file.len() - SHOWN_NAME_MAX..];
            format!("@...{}", String::from_utf8_lossy(end)).into()
        }
        _ => name.into(),
    }
}

/// Compiles `text`; the function or the error text is pushed.
///
/// # Safety
/// There is room for one value on the stack.
pub(crate) unsafe fn load_text(l: *mut lua_State, text: &[u8], name: &str) -> bool {
    let name = CString::new(short(name).replace('\0', "?")).expect("NULs were replaced");
    // SAFETY: the pointers are valid for the call; loading is protected by Lua itself.
    unsafe {
        let (text, len) = (text.as_ptr().cast::<c_char>(), text.len());
        ffi::load_buffer(l, text, len, name.as_ptr(), c"t".as_ptr()) == 0
    }
}

/// Whether a compiled loop without end is stopped by the hook; tried once in the life of a process.
///
/// It is so when LuaJIT was built with `LUAJIT_ENABLE_CHECKHOOK`. If not, every state has to run without the compiler.
pub fn compiler_can_be_stopped() -> bool {
    static ANSWER: OnceLock<bool> = OnceLock::new();
    *ANSWER.get_or_init(|| {
        std::thread::spawn(try_to_stop_a_compiled_loop)
            .join()
            .unwrap_or(false)
    })
}

/// Long enough to be seen and stopped long before its end, short enough to end within a second or two if it is not.
const LONG_LOOP: &[u8] = b"local n = 0 for i = 1, 1e9 do n = n + i end";

fn try_to_stop_a_compiled_loop() -> bool {
    let limits = Limits {
        instructions: 1,
        ..Limits::default()
    };
    let parts = Parts {
        kind: Kind::Analysis,
        limits,
        name: "self-test".into(),
        hostname: String::new(),
        pid: 0,
        log_level: 0,
        restricted_headers: true,
        lua_path: None,
        lua_cpath: None,
        modules: Arc::default(),
        host: Box::new(crate::sandbox::NoHost),
    };
    let Ok(state) = State::with_compiler(parts, true) else {
        return false;
    };
    state.load(LONG_LOOP, "=self-test").is_ok() && state.call(0, 0).is_err()
}
