//! A thread that notices calls which last, and has their instructions counted from then on.
//!
//! Every thread that runs sandboxes has a slot with a number that is odd while a call runs. The watch thread looks at the
//! numbers a few hundred times a second while calls run and some twenty times a second otherwise. A number that stays odd
//! belongs to a call that lasts; that thread gets a signal, whose handler arms the call (see `limits`). A call costs two
//! stores for this, and no clock is read.
#![allow(unsafe_code)]

use std::cell::Cell;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering, compiler_fence};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::Thread;
use std::time::{Duration, Instant};

use crate::limits;
use crate::vm::Shared;

/// Time between two looks while calls run. A call is seen as lasting after one to two of them.
const BUSY_INTERVAL: Duration = Duration::from_millis(5);

/// Longest time between two looks while nothing runs.
const IDLE_INTERVAL: Duration = Duration::from_millis(50);

/// Signals that follow each other at every look; later ones come ever more seldom, for the sake of a native function that
/// waits in the kernel.
const QUICK_SIGNALS: u32 = 8;

/// Longest pause between two signals to the same call, in looks.
const MAX_SIGNAL_PAUSE: u32 = 200;

/// Which of the real-time signals is ours.
const SIGNAL_OFFSET: i32 = 7;

/// What the owner of a [`Handle`] and the sandbox share.
#[derive(Debug, Default)]
pub(crate) struct Control {
    stop: AtomicBool,
    interrupt: AtomicBool,
    /// When the running call, if it lasts, was first seen: nanoseconds after [`epoch`], 0 for none.
    started_ns: AtomicU64,
    stuck: AtomicBool,
}

impl Control {
    #[inline]
    pub(crate) fn interrupted(&self) -> bool {
        self.interrupt.load(Ordering::Relaxed)
    }

    #[inline]
    pub(crate) fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    pub(crate) fn interrupt(&self) {
        self.stop.store(true, Ordering::Relaxed);
        self.interrupt.store(true, Ordering::Relaxed);
    }

    #[inline]
    pub(crate) fn end_call(&self) {
        if self.started_ns.load(Ordering::Relaxed) != 0 {
            self.started_ns.store(0, Ordering::Relaxed);
            self.stuck.store(false, Ordering::Relaxed);
        }
    }

    pub(crate) fn clear_stuck(&self) {
        self.stuck.store(false, Ordering::Relaxed);
    }
}

/// A hold on a sandbox from another thread.
#[derive(Clone, Debug)]
pub struct Handle {
    pub(crate) control: Arc<Control>,
}

impl Handle {
    /// Asks the plugin to end: `is_running` answers false, and native functions that wait return.
    pub fn stop(&self) {
        self.control.stop.store(true, Ordering::Relaxed);
    }

    /// Whether [`Handle::stop`] or [`Handle::interrupt`] was called.
    pub fn stopped(&self) -> bool {
        self.control.stopped()
    }

    /// Ends the running call, and every later one, with a clean stop.
    pub fn interrupt(&self) {
        self.control.interrupt();
        let watch = watch();
        watch.interrupts.fetch_add(1, Ordering::Relaxed);
        watch.wake();
    }

    /// When the running call began, to within some milliseconds; none if no call runs or it has lasted only that long.
    pub fn call_started(&self) -> Option<Instant> {
        match self.control.started_ns.load(Ordering::Relaxed) {
            0 => None,
            ns => Some(epoch() + Duration::from_nanos(ns)),
        }
    }

    /// Whether the running call was asked to end or be counted and has since executed no Lua instruction: it waits or
    /// works inside one native function.
    pub fn in_native(&self) -> bool {
        self.control.stuck.load(Ordering::Relaxed)
    }
}

/// The instant that [`Control::started_ns`] counts from.
fn epoch() -> Instant {
    static EPOCH: OnceLock<Instant> = OnceLock::new();
    *EPOCH.get_or_init(Instant::now)
}

/// One thread that runs sandboxes.
struct Slot {
    /// Odd while a call runs.
    call: AtomicU64,
    /// The call that needs no further signal.
    done: AtomicU64,
    /// The call that the signal under way is for.
    signalled: AtomicU64,
    /// When the watch thread first saw that call.
    seen_ns: AtomicU64,
    thread: libc::pthread_t,
}

/// What the watch thread remembers of a slot.
struct Watched {
    slot: Arc<Slot>,
    call: u64,
    /// Signals sent for `call`, and looks to wait before the next.
    signals: u32,
    pause: u32,
}

struct Watch {
    slots: Mutex<Vec<Watched>>,
    interrupts: AtomicU64,
    thread: OnceLock<Thread>,
}

impl Watch {
    fn slots(&self) -> MutexGuard<'_, Vec<Watched>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wake(&self) {
        if let Some(thread) = self.thread.get() {
            thread.unpark();
        }
    }
}

/// The one watch, whose thread starts with the first use.
fn watch() -> &'static Watch {
    static WATCH: OnceLock<Watch> = OnceLock::new();
    static STARTED: OnceLock<()> = OnceLock::new();
    let watch = WATCH.get_or_init(|| Watch {
        slots: Mutex::new(Vec::new()),
        interrupts: AtomicU64::new(0),
        thread: OnceLock::new(),
    });
    STARTED.get_or_init(|| {
        epoch();
        install_handler();
        let builder = std::thread::Builder::new().name("sandbox-watch".into());
        let thread = builder
            .spawn(|| look_forever(watch))
            .expect("a process can start one small thread");
        let _ = watch.thread.set(thread.thread().clone());
    });
    watch
}

fn signal() -> i32 {
    libc::SIGRTMIN() + SIGNAL_OFFSET
}

fn install_handler() {
    // SAFETY: the action is zeroed, which is a valid value, then filled in; the handler does only what is allowed in one.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        let handler: extern "C" fn(libc::c_int) = on_signal;
        action.sa_sigaction = handler as libc::sighandler_t;
        action.sa_flags = libc::SA_RESTART | libc::SA_ONSTACK;
        libc::sigemptyset(&raw mut action.sa_mask);
        let done = libc::sigaction(signal(), &raw const action, ptr::null_mut());
        assert!(done == 0, "a real-time signal can be handled");
    }
}

fn look_forever(watch: &'static Watch) {
    let mut interval = BUSY_INTERVAL;
    let mut interrupts = 0;
    loop {
        std::thread::park_timeout(interval);
        let asked = watch.interrupts.load(Ordering::Relaxed);
        let again = std::mem::replace(&mut interrupts, asked) != asked;
        let mut slots = watch.slots();
        let mut busy = false;
        for watched in slots.iter_mut() {
            busy |= look(watched, again);
        }
        interval = if busy {
            BUSY_INTERVAL
        } else {
            (interval * 2).min(IDLE_INTERVAL)
        };
    }
}

/// Looks at one thread; true if it was busy. `again` asks for a signal to calls that need none otherwise.
fn look(watched: &mut Watched, again: bool) -> bool {
    let slot = &watched.slot;
    let call = slot.call.load(Ordering::Relaxed);
    let changed = call != watched.call;
    if changed {
        (watched.call, watched.signals, watched.pause) = (call, 0, 0);
        slot.seen_ns
            .store(epoch().elapsed().as_nanos() as u64, Ordering::Relaxed);
    }
    if call.is_multiple_of(2) {
        return changed;
    }
    if again {
        (watched.signals, watched.pause) = (0, 0);
        let _ = slot
            .done
            .compare_exchange(call, 0, Ordering::Relaxed, Ordering::Relaxed);
    }
    let due = again || !changed;
    if due && slot.done.load(Ordering::Relaxed) != call {
        send_signal(watched);
    }
    true
}

fn send_signal(watched: &mut Watched) {
    if watched.pause > 0 {
        watched.pause -= 1;
        return;
    }
    watched.signals += 1;
    if watched.signals > QUICK_SIGNALS {
        let doublings = (watched.signals - QUICK_SIGNALS).min(16);
        watched.pause = (1 << doublings).min(MAX_SIGNAL_PAUSE);
    }
    watched
        .slot
        .signalled
        .store(watched.call, Ordering::Release);
    // SAFETY: the thread exists: it takes itself off the list, under the lock that we hold, before it ends.
    unsafe { libc::pthread_kill(watched.slot.thread, signal()) };
}

/// What a thread runs now. Plain values, so that the signal handler can read them.
#[derive(Clone, Copy)]
struct Active {
    shared: *const Shared,
    slot: *const Slot,
}

thread_local! {
    static ACTIVE: Cell<Active> = const { Cell::new(Active { shared: ptr::null(), slot: ptr::null() }) };
    static REGISTERED: Registered = Registered::new();
}

/// Keeps the thread's slot on the list until the thread ends.
struct Registered(Arc<Slot>);

impl Registered {
    fn new() -> Registered {
        let slot = Arc::new(Slot {
            call: AtomicU64::new(0),
            done: AtomicU64::new(0),
            signalled: AtomicU64::new(0),
            seen_ns: AtomicU64::new(0),
            // SAFETY: always allowed.
            thread: unsafe { libc::pthread_self() },
        });
        let watched = Watched {
            slot: Arc::clone(&slot),
            call: 0,
            signals: 0,
            pause: 0,
        };
        watch().slots().push(watched);
        Registered(slot)
    }
}

impl Drop for Registered {
    fn drop(&mut self) {
        ACTIVE.set(Active {
            shared: ptr::null(),
            slot: ptr::null(),
        });
        watch()
            .slots()
            .retain(|watched| !Arc::ptr_eq(&watched.slot, &self.0));
    }
}

/// A running call; the thread's former call, if any, is current again when it is dropped.
pub(crate) struct Running {
    before: Active,
}

/// Says that a call into `shared` begins on this thread.
///
/// The value must be dropped before `shared` is.
#[inline]
pub(crate) fn enter(shared: &Shared) -> Running {
    let before = ACTIVE.get();
    let slot = if before.slot.is_null() {
        register()
    } else {
        before.slot
    };
    ACTIVE.set(Active { shared, slot });
    compiler_fence(Ordering::SeqCst);
    step(slot, !before.shared.is_null());
    Running {
        before: Active {
            shared: before.shared,
            slot,
        },
    }
}

#[cold]
fn register() -> *const Slot {
    REGISTERED.with(|registered| Arc::as_ptr(&registered.0))
}

/// Goes to the next call number: an inner call gets an odd one too.
#[inline]
fn step(slot: *const Slot, nested: bool) {
    // SAFETY: the slot lives as long as its thread, which is this one.
    let call = unsafe { &(*slot).call };
    let next = call.load(Ordering::Relaxed) + if nested { 2 } else { 1 };
    call.store(next, Ordering::Relaxed);
}

impl Drop for Running {
    #[inline]
    fn drop(&mut self) {
        ACTIVE.set(self.before);
        compiler_fence(Ordering::SeqCst);
        step(self.before.slot, !self.before.shared.is_null());
    }
}

/// Says that the hook of the running call works: no more signals are needed.
pub(crate) fn hook_runs() {
    let slot = ACTIVE.get().slot;
    if !slot.is_null() {
        // SAFETY: the slot lives as long as its thread, which is this one.
        let slot = unsafe { &*slot };
        slot.done
            .store(slot.call.load(Ordering::Relaxed), Ordering::Relaxed);
    }
}

extern "C" fn on_signal(_: libc::c_int) {
    let active = ACTIVE.get();
    if active.shared.is_null() || active.slot.is_null() {
        return;
    }
    // SAFETY: both are alive while they stand in ACTIVE; only this thread changes it.
    let (slot, shared) = unsafe { (&*active.slot, &*active.shared) };
    let call = slot.call.load(Ordering::Relaxed);
    if slot.signalled.load(Ordering::Acquire) != call {
        return;
    }
    let control = &shared.control;
    control.started_ns.store(
        slot.seen_ns.load(Ordering::Relaxed).max(1),
        Ordering::Relaxed,
    );
    if shared.budget.limit == 0 && !control.interrupted() {
        slot.done.store(call, Ordering::Relaxed);
        return;
    }
    control.stuck.store(true, Ordering::Relaxed);
    limits::arm(shared);
}
