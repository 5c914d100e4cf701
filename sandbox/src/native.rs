//! How Rust code becomes a Lua function or module, without unsafe code.
//!
//! A native function is a plain `fn(&mut Call<'_>) -> Result<usize, Error>`: it reads its arguments, pushes its results and
//! returns how many there are. [`function`] makes a [`Function`] of it, [`Registry::add`] makes a module known to
//! `require`.
//!
//! ```
//! use sandbox::native::{Call, Error, Function, Registry, function};
//!
//! fn twice(call: &mut Call<'_>) -> Result<usize, Error> {
//!     let number = call.check_number(1)?;
//!     call.push_number(2.0 * number)?;
//!     Ok(1)
//! }
//!
//! const FUNCTIONS: &[(&str, Function)] = &[("twice", function(twice))];
//!
//! fn open(call: &mut Call<'_>) -> Result<usize, Error> {
//!     call.push_library(FUNCTIONS)?;
//!     Ok(1)
//! }
//!
//! let mut registry = Registry::default();
//! registry.add("arithmetic", function(open));
//! ```
//!
//! Rules that keep the host safe, enforced here:
//! - An error is returned, never thrown: it becomes a Lua error after everything the function owned was dropped.
//! - Lua's memory limit does not interrupt Rust code. What makes something large returns an error at the limit; a function
//!   that gathers much in Rust's own memory asks [`Call::check_memory`] before.
//! - Work that can last is charged with [`Call::charge`], whose error must be passed on.
//! - Slices of arguments stay valid for the whole call, since arguments never leave the stack.
#![allow(unsafe_code)]

mod build;
mod call;
mod error;
mod message;
mod object;
mod peek;
mod walk;

use std::collections::BTreeMap;
use std::ffi::c_int;
use std::panic::{AssertUnwindSafe, catch_unwind};

pub use build::Builder;
pub use call::{Builtin, Call, LIGHT_END, Type};
pub use error::Error;
pub use message::MessagePart;
pub use object::{Class, Object, ObjectMut, ObjectRef, Scope};
pub use walk::{Item, Walker};

pub use crate::api::write_number;

use crate::ffi::{self, lua_CFunction, lua_State};
use crate::vm::{self, Shared, slot};

/// A native function in the form that Lua can call.
#[derive(Clone, Copy)]
pub struct Function(pub(crate) lua_CFunction);

/// Makes a [`Function`] of a Rust function; anything that captures state does not compile.
pub const fn function<F>(_: F) -> Function
where
    F: Fn(&mut Call<'_>) -> Result<usize, Error> + Copy + Send + Sync + 'static,
{
    const {
        assert!(
            size_of::<F>() == 0,
            "only functions without state can be native functions"
        )
    };
    Function(trampoline::<F>)
}

/// The value of a zero-sized function type.
fn conjure<F: Copy>() -> F {
    const { assert!(size_of::<F>() == 0) };
    // SAFETY: F has no bytes, so any aligned pointer can be read; it is inhabited, since a value was given to `function`.
    unsafe { std::ptr::NonNull::<F>::dangling().read() }
}

/// What Lua calls for every native function.
unsafe extern "C-unwind" fn trampoline<F>(l: *mut lua_State) -> c_int
where
    F: Fn(&mut Call<'_>) -> Result<usize, Error> + Copy + Send + Sync + 'static,
{
    // SAFETY: Lua calls its C functions with a valid state and LUA_MINSTACK free slots.
    unsafe {
        let shared = vm::shared(l);
        let lenient = shared.memory.lenient.replace(true);
        let n_results = run(l, shared, conjure::<F>());
        shared.memory.lenient.set(lenient);
        if n_results >= 0 && (lenient || !shared.memory.exceeds(0) || vm::make_room(l, shared, 0)) {
            return n_results;
        }
        // Nothing with a destructor lives in this frame.
        if n_results >= 0 {
            ffi::lua_rawgeti_(l, ffi::LUA_REGISTRYINDEX, slot::NO_MEMORY);
        }
        ffi::lua_error(l)
    }
}

/// Runs the function; the number of its results, or -1 with the error object on the stack.
#[inline(always)]
unsafe fn run<F>(l: *mut lua_State, shared: &Shared, function: F) -> c_int
where
    F: Fn(&mut Call<'_>) -> Result<usize, Error>,
{
    // SAFETY: the state is the one that Lua passed.
    let mut call = unsafe { Call::new(l, shared) };
    // No Lua error can pass here: nothing that `Call` does raises one.
    let outcome = catch_unwind(AssertUnwindSafe(|| function(&mut call)));
    match outcome {
        Ok(Ok(n_results)) => call.give(n_results),
        Ok(Err(error)) => fail(&mut call, error),
        Err(panic) => fail(&mut call, Error::from_panic(panic.as_ref())),
    }
}

#[cold]
fn fail(call: &mut Call<'_>, error: Error) -> c_int {
    error.push(call);
    -1
}

/// The native modules that `require` can find.
#[derive(Clone, Default)]
pub struct Registry {
    modules: BTreeMap<&'static str, Module>,
}

#[derive(Clone, Copy)]
pub(crate) struct Module {
    pub(crate) open: Function,
    pub(crate) io_only: bool,
}

impl Registry {
    /// A registry without modules; Lua's own libraries need none.
    pub fn new() -> Registry {
        Registry::default()
    }

    /// Offers a module to plugins of every kind. `open` is called once per state with the module's name and pushes the
    /// module, usually by [`Call::push_library`].
    pub fn add(&mut self, name: &'static str, open: Function) {
        self.modules.insert(
            name,
            Module {
                open,
                io_only: false,
            },
        );
    }

    /// Offers a module to input and output plugins only.
    pub fn add_io(&mut self, name: &'static str, open: Function) {
        self.modules.insert(
            name,
            Module {
                open,
                io_only: true,
            },
        );
    }

    /// The names of all modules.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.modules.keys().copied()
    }

    pub(crate) fn get(&self, name: &[u8]) -> Option<Module> {
        self.modules.get(std::str::from_utf8(name).ok()?).copied()
    }
}

impl std::fmt::Debug for Registry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.modules.keys()).finish()
    }
}
