//! Waiting for a pipe, a terminal or a program in small steps, so that a stopped plugin is not held by one.
#![allow(unsafe_code)]

use std::io;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::process::Child;

/// The longest time between two looks at whether the plugin has to end, in milliseconds.
const STEP_MS: i32 = 100;
/// How many steps an ended program gets to clean up before it is killed.
const STEPS_TO_END: usize = 20;

/// Says whether waiting still makes sense.
pub trait Waiter {
    /// False when the plugin's call was interrupted.
    fn keep_waiting(&mut self) -> bool;
}

/// Does not wait at all; for handles that go away while nobody asks for them.
pub struct Never;

impl Waiter for Never {
    fn keep_waiting(&mut self) -> bool {
        false
    }
}

/// What to wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ready {
    /// Bytes, an end or an error can be read.
    ToRead,
    /// Bytes are taken, or an error is told.
    ToWrite,
}

/// Returns when `fd` is ready.
///
/// # Errors
/// `ECANCELED` when the waiter gave up; the system's.
pub fn until(fd: RawFd, ready: Ready, waiter: &mut dyn Waiter) -> io::Result<()> {
    let events = match ready {
        Ready::ToRead => libc::POLLIN,
        Ready::ToWrite => libc::POLLOUT,
    };
    let mut step = 0;
    while !poll(fd, events, step)? {
        if !waiter.keep_waiting() {
            return Err(cancelled());
        }
        step = STEP_MS;
    }
    Ok(())
}

/// Waits one step for nothing in particular.
///
/// # Errors
/// `ECANCELED` when the waiter gave up.
pub fn nap(waiter: &mut dyn Waiter) -> io::Result<()> {
    if !waiter.keep_waiting() {
        return Err(cancelled());
    }
    poll(-1, 0, STEP_MS).map(|_| ())
}

fn poll(fd: RawFd, events: i16, timeout_ms: i32) -> io::Result<bool> {
    let mut entry = libc::pollfd {
        fd,
        events,
        revents: 0,
    };
    // SAFETY: one entry, which lives across the call.
    match unsafe { libc::poll(&mut entry, 1, timeout_ms) } {
        -1 => match io::Error::last_os_error() {
            error if error.kind() == io::ErrorKind::Interrupted => Ok(false),
            error => Err(error),
        },
        n => Ok(n > 0),
    }
}

fn cancelled() -> io::Error {
    io::Error::from_raw_os_error(libc::ECANCELED)
}

/// Makes our end of a pipe answer at once; the other end keeps its own mode.
///
/// # Errors
/// The system's.
pub fn never_block(fd: &impl AsFd) -> io::Result<()> {
    let fd = fd.as_fd().as_raw_fd();
    // SAFETY: reads and sets flags of a descriptor that is open, as it is borrowed.
    let set = unsafe {
        let flags = libc::fcntl(fd, libc::F_GETFL);
        libc::fcntl(fd, libc::F_SETFL, flags | libc::O_NONBLOCK)
    };
    if set == -1 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

/// Waits for the end of a program and returns its status in the form of C's `system`. When the waiter gives up, the
/// program is ended.
///
/// # Errors
/// The system's.
pub fn for_child(child: &mut Child, waiter: &mut dyn Waiter) -> io::Result<i32> {
    use std::os::unix::process::ExitStatusExt;
    let watched = watch(child);
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status.into_raw());
        }
        if !waiter.keep_waiting() {
            end_child(child);
            return Ok(child.wait()?.into_raw());
        }
        step(watched.as_ref())?;
    }
}

/// Asks a program to end, and kills it when it does not.
pub fn end_child(child: &mut Child) {
    let watched = watch(child);
    for attempt in 0..STEPS_TO_END {
        if !matches!(child.try_wait(), Ok(None)) {
            return;
        }
        if attempt == 0 {
            // The whole group, which the shell leads: what it started ends with it.
            signal_group(child, libc::SIGTERM);
        }
        let _ = step(watched.as_ref());
    }
    signal_group(child, libc::SIGKILL);
    let _ = child.wait();
}

/// Sends a signal to the process group of a child that was started as the leader of one.
fn signal_group(child: &Child, signal: libc::c_int) {
    // SAFETY: the process is ours and not yet waited for, so its number, and that of its group, belongs to nobody else.
    unsafe { libc::kill(-(child.id() as libc::pid_t), signal) };
}

/// Waits until the program ends or a step has passed.
fn step(watched: Option<&OwnedFd>) -> io::Result<()> {
    let fd = watched.map_or(-1, AsRawFd::as_raw_fd);
    poll(fd, libc::POLLIN, STEP_MS).map(|_| ())
}

/// A descriptor that becomes readable when the program ends; absent on kernels older than 5.3.
fn watch(child: &Child) -> Option<OwnedFd> {
    // SAFETY: takes two numbers and returns a new descriptor or -1.
    let fd = unsafe { libc::syscall(libc::SYS_pidfd_open, child.id(), 0) };
    // SAFETY: the descriptor is new and nobody else has it.
    (fd >= 0).then(|| unsafe { OwnedFd::from_raw_fd(fd as RawFd) })
}
