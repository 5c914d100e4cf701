//! Rust values that Lua code holds: userdata with methods, typed and borrow-checked at run time.

use std::any::{Any, TypeId};
use std::cell::Cell;
use std::ffi::c_int;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};

use super::{Call, Error, Function, Type};
use crate::ffi::{self, lua_State};
use crate::vm;

/// The Lua side of a type of objects.
#[derive(Clone, Copy)]
pub struct Class {
    /// The name in errors and in `tostring`; unique among all classes.
    pub name: &'static str,
    /// What `object:method(...)` finds. The object is argument 1.
    pub methods: &'static [(&'static str, Function)],
    /// Functions such as `__tostring`, `__len`, `__call`, `__eq`; `__index` and `__gc` are taken.
    pub metamethods: &'static [(&'static str, Function)],
}

/// A Rust value that can be pushed to Lua by [`Call::push_object`].
///
/// `Send`, since a sandbox moves between threads.
pub trait Object: Any + Send {
    /// The Lua side of the type.
    fn class() -> Class
    where
        Self: Sized;

    /// Bytes the value holds outside of itself; counted to the plugin's memory. Called at creation and by
    /// [`Call::recount`].
    fn memory(&self) -> usize {
        0
    }

    /// File descriptors the value holds, about; counted to the plugin's. Called when [`Object::memory`] is.
    fn descriptors(&self) -> usize {
        0
    }

    /// Appends the value as it goes into a payload, a message field or a file; `None` when it has no such form.
    fn output(&self, scope: &Scope<'_>, out: &mut Vec<u8>) -> Option<Result<(), String>> {
        let _ = (scope, out);
        None
    }

    /// As [`Object::output`], for the part of the value that Lua code holds as this light userdata; `None` when it has no
    /// parts.
    fn output_part(
        &self,
        part: u64,
        scope: &Scope<'_>,
        out: &mut Vec<u8>,
    ) -> Option<Result<(), String>> {
        let _ = (part, scope, out);
        None
    }

    /// Whether [`Object::output`] is meant for files and decoders too, as `read_message`'s zero-copy values are.
    fn zero_copy(&self) -> bool {
        false
    }

    /// Appends Lua statements that restore the value under the expression `key`, such as
    /// `_G["cb"]`; `None` when the value cannot be preserved.
    fn preserve(&self, key: &[u8], out: &mut Vec<u8>) -> Option<Result<(), String>> {
        let _ = (key, out);
        None
    }
}

/// What an object may look at while it is written.
pub struct Scope<'a> {
    pub(crate) shared: &'a vm::Shared,
}

impl Scope<'_> {
    /// The most bytes that a payload or message may have; `usize::MAX` for no limit. What is longer is refused in the end,
    /// so an object with much to write stops there.
    pub fn output_limit(&self) -> usize {
        match self.shared.limits.output {
            0 => usize::MAX,
            limit => limit,
        }
    }
}

/// What lies in the userdata.
pub(crate) struct Slot {
    type_id: TypeId,
    object: Box<dyn Object>,
    /// -1 while borrowed for writing, otherwise the number of readers.
    borrows: Cell<i32>,
    counted: Cell<usize>,
    counted_descriptors: Cell<usize>,
}

/// An argument borrowed for reading.
pub struct ObjectRef<'a, T> {
    slot: &'a Slot,
    object: &'a T,
}

impl<T> Deref for ObjectRef<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.object
    }
}

impl<T> Drop for ObjectRef<'_, T> {
    fn drop(&mut self) {
        self.slot.borrows.set(self.slot.borrows.get() - 1);
    }
}

/// An argument borrowed for writing.
pub struct ObjectMut<'a, T> {
    borrows: &'a Cell<i32>,
    object: *mut T,
    _object: PhantomData<&'a mut T>,
}

impl<T> Deref for ObjectMut<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: the flag says that nobody else has it, and the argument keeps it alive.
        unsafe { &*self.object }
    }
}

impl<T> DerefMut for ObjectMut<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: as in `deref`.
        unsafe { &mut *self.object }
    }
}

impl<T> Drop for ObjectMut<'_, T> {
    fn drop(&mut self) {
        self.borrows.set(0);
    }
}

impl<'a> Call<'a> {
    /// Pushes a Rust value. Its memory and its descriptors are counted; at the limits garbage is collected first.
    ///
    /// # Errors
    /// At the memory limit or the limit of descriptors; the value is dropped then.
    pub fn push_object<T: Object>(&mut self, object: T) -> Result<(), Error> {
        let counted = object.memory().saturating_add(size_of::<T>());
        let descriptors = object.descriptors();
        self.check_memory(counted)?;
        self.check_descriptors(descriptors)?;
        self.room(4)?;
        let shared = self.shared();
        let slot = Slot {
            type_id: TypeId::of::<T>(),
            object: Box::new(object),
            borrows: Cell::new(0),
            counted: Cell::new(counted),
            counted_descriptors: Cell::new(descriptors),
        };
        let l = self.raw();
        // SAFETY: there is room; the block is aligned to 8 at least, as Slot needs, and belongs to the new userdata.
        // The metatable with the finalizer is set at once, and nothing raises an error in between.
        unsafe {
            push_metatable(l, &T::class());
            let block = ffi::lua_newuserdata(l, size_of::<Slot>()).cast::<Slot>();
            block.write(slot);
            ffi::lua_insert(l, -2);
            ffi::lua_setmetatable(l, -2);
        }
        shared.memory.add(counted);
        count_descriptors(shared, descriptors, 0);
        Ok(())
    }

    /// Fails when `extra` more descriptors are more than the plugin may hold, even after its garbage was collected.
    ///
    /// # Errors
    /// `more than N descriptors are open (descriptor_limit)`
    pub fn check_descriptors(&self, extra: usize) -> Result<(), Error> {
        let shared = self.shared();
        // SAFETY: Rust has control, and what it holds stands on the stack.
        if extra == 0 || unsafe { vm::has_descriptors(self.raw(), shared, extra) } {
            return Ok(());
        }
        let limit = shared.limits.descriptors;
        Err(Error::new(format!(
            "more than {limit} descriptors are open (descriptor_limit)"
        )))
    }

    /// Whether the value at `i` is an object of type `T`.
    pub fn is_object<T: Object>(&self, i: i32) -> bool {
        self.slot_at(i)
            .is_some_and(|slot| slot.type_id == TypeId::of::<T>())
    }

    /// Argument `i` as a `T`, for reading.
    ///
    /// # Errors
    /// When it is no `T`, or a native function further out is writing to it.
    pub fn check_object<T: Object>(&self, i: i32) -> Result<ObjectRef<'a, T>, Error> {
        let slot = self
            .argument_slot(i)
            .filter(|slot| slot.type_id == TypeId::of::<T>());
        let Some(slot) = slot else {
            return Err(self.type_error(i, T::class().name));
        };
        if slot.borrows.get() < 0 {
            return Err(Error::argument(i, "object is in use"));
        }
        slot.borrows.set(slot.borrows.get() + 1);
        let object: &dyn Any = &*slot.object;
        let object = object
            .downcast_ref::<T>()
            .expect("the type was checked above");
        Ok(ObjectRef { slot, object })
    }

    /// Runs `look` on the `T` at `i`, which need not be an argument; `None` if it is no `T`, or something further out is
    /// writing to it.
    pub fn with_object<T: Object, R>(&self, i: i32, look: impl FnOnce(&T) -> R) -> Option<R> {
        let slot = self
            .slot_at(i)
            .filter(|slot| slot.type_id == TypeId::of::<T>() && slot.borrows.get() >= 0)?;
        slot.borrows.set(slot.borrows.get() + 1);
        let object: &dyn Any = &*slot.object;
        let object = object
            .downcast_ref::<T>()
            .expect("the type was checked above");
        Some(look(&ObjectRef { slot, object }))
    }

    /// Argument `i` as a `T`, for writing.
    ///
    /// # Errors
    /// When it is no `T`, or is borrowed already.
    pub fn check_object_mut<T: Object>(&self, i: i32) -> Result<ObjectMut<'a, T>, Error> {
        let block = if self.is_argument(i) {
            self.slot_pointer(i)
        } else {
            None
        };
        let Some(block) = block.filter(|_| self.is_object::<T>(i)) else {
            return Err(self.type_error(i, T::class().name));
        };
        // SAFETY: the slot lives as long as the argument. Only its flag is touched before the flag is checked; then the
        // object is reached through a pointer, and the flag keeps every other borrow away.
        unsafe {
            let borrows: &'a Cell<i32> = &(*block).borrows;
            if borrows.get() != 0 {
                return Err(Error::argument(i, "object is in use"));
            }
            let object: &mut dyn Any = &mut *(*block).object;
            let object: *mut T = object
                .downcast_mut::<T>()
                .expect("the type was checked above");
            borrows.set(-1);
            Ok(ObjectMut {
                borrows,
                object,
                _object: PhantomData,
            })
        }
    }

    /// The value at `i`, which need not be an argument, as a `T`, for reading; `None` if it is none, or is being written to.
    pub fn object_at<T: Object>(&self, i: i32) -> Option<ObjectRef<'_, T>> {
        let slot = self.slot_at(i).filter(|slot| slot.borrows.get() >= 0)?;
        let object: &dyn Any = &*slot.object;
        let object = object.downcast_ref::<T>()?;
        slot.borrows.set(slot.borrows.get() + 1);
        Some(ObjectRef { slot, object })
    }

    /// Pops a table and makes it the companion of the object at `i`: it holds the Lua values that belong to the object,
    /// lives as long as the object, and is out of the plugin's sight.
    pub fn set_companion(&mut self, i: i32) {
        assert!(
            self.slot_pointer(i).is_some() && self.type_of(-1) == Type::Table,
            "no object, or no table to pop"
        );
        let i = self.at(i);
        // SAFETY: the index is that of a full userdata, whose environment the table becomes.
        unsafe { ffi::lua_setfenv(self.raw(), i) };
    }

    /// Pushes the companion of the object at `i`, which must have one.
    ///
    /// # Errors
    /// When the stack is full.
    pub fn push_companion(&mut self, i: i32) -> Result<(), Error> {
        assert!(self.slot_pointer(i).is_some(), "no object");
        let i = self.at(i);
        self.room(1)?;
        // SAFETY: the index is that of a full userdata, and there is room.
        unsafe { ffi::lua_getfenv(self.raw(), i) };
        Ok(())
    }

    /// Counts the memory and the descriptors of the object at `i` again, after they have become more or fewer.
    ///
    /// # Errors
    /// When they have grown beyond the limits.
    pub fn recount(&mut self, i: i32) -> Result<(), Error> {
        let Some(slot) = self.slot_at(i) else {
            return Ok(());
        };
        if slot.borrows.get() < 0 {
            return Err(Error::argument(i, "object is in use"));
        }
        let now = slot
            .object
            .memory()
            .saturating_add(size_of_val(&*slot.object));
        let before = slot.counted.replace(now);
        let descriptors = slot.object.descriptors();
        let descriptors_before = slot.counted_descriptors.replace(descriptors);
        let shared = self.shared();
        shared.memory.add(now);
        shared.memory.sub(before);
        count_descriptors(shared, descriptors, descriptors_before);
        self.check_memory(0)?;
        match descriptors > descriptors_before {
            true => self.check_descriptors(0),
            false => Ok(()),
        }
    }

    /// Appends the object at `i` as it goes into payloads and fields; `None` when it is no object with such a form.
    pub fn write_object(&self, i: i32, out: &mut Vec<u8>) -> Option<Result<(), String>> {
        let slot = self.slot_at(i).filter(|slot| slot.borrows.get() >= 0)?;
        slot.object.output(
            &Scope {
                shared: self.shared(),
            },
            out,
        )
    }

    /// As [`Call::write_object`], for the part of the object that the light userdata stands for.
    pub fn write_object_part(
        &self,
        i: i32,
        part: u64,
        out: &mut Vec<u8>,
    ) -> Option<Result<(), String>> {
        let slot = self.slot_at(i).filter(|slot| slot.borrows.get() >= 0)?;
        let scope = Scope {
            shared: self.shared(),
        };
        slot.object.output_part(part, &scope, out)
    }

    /// As [`Call::write_object`], for objects with zero-copy support only.
    pub fn write_zero_copy(&self, i: i32, out: &mut Vec<u8>) -> Option<Result<(), String>> {
        self.slot_at(i).filter(|slot| slot.object.zero_copy())?;
        self.write_object(i, out)
    }

    /// Appends the statements that restore the object at `i`; `None` when it is none that can be preserved.
    pub fn preserve_object(
        &self,
        i: i32,
        key: &[u8],
        out: &mut Vec<u8>,
    ) -> Option<Result<(), String>> {
        self.slot_at(i)
            .filter(|slot| slot.borrows.get() >= 0)?
            .object
            .preserve(key, out)
    }

    fn argument_slot(&self, i: i32) -> Option<&'a Slot> {
        let block = if self.is_argument(i) {
            self.slot_pointer(i)
        } else {
            None
        };
        // SAFETY: an argument stays on the stack, and so the slot alive, for the whole call.
        block.map(|block| unsafe { &*block })
    }

    fn slot_at(&self, i: i32) -> Option<&Slot> {
        // SAFETY: the value stays on the stack while `self` is borrowed.
        self.slot_pointer(i).map(|block| unsafe { &*block })
    }

    fn slot_pointer(&self, i: i32) -> Option<*mut Slot> {
        if self.type_of(i) != Type::Userdata {
            return None;
        }
        // SAFETY: the index is valid. All full userdata of a state are made by `push_object`: `newproxy`, `ffi` and Lua's
        // own io library, which make others, are never within reach.
        let block = unsafe { ffi::lua_touserdata(self.raw(), self.at(i)) };
        (!block.is_null()).then_some(block.cast())
    }
}

/// Counts descriptors that were opened and takes back those that were closed.
fn count_descriptors(shared: &vm::Shared, opened: usize, closed: usize) {
    let count = shared.descriptors.get().saturating_add(opened);
    shared.descriptors.set(count.saturating_sub(closed));
}

/// What `crate::preserve` calls: the object and the path to it; the statements, or nil if it cannot be preserved.
fn preserve(call: &mut Call<'_>) -> Result<usize, Error> {
    let mut statements = Vec::new();
    match call.preserve_object(1, call.check_bytes(2)?, &mut statements) {
        Some(Ok(())) => call.push_bytes(&statements)?,
        Some(Err(text)) => return Err(Error::bare(text)),
        None => call.push_nil()?,
    }
    Ok(1)
}

/// Pushes the metatable of a class, made at its first use in the state.
///
/// # Safety
/// There is room for four values, and Rust has control (nothing raises).
unsafe fn push_metatable(l: *mut lua_State, class: &Class) {
    // SAFETY: by the caller.
    unsafe {
        push_text(l, class.name);
        ffi::lua_rawget_(l, ffi::LUA_REGISTRYINDEX);
        if ffi::lua_type(l, -1) == ffi::LUA_TTABLE {
            return;
        }
        ffi::lua_settop(l, -2);
        ffi::lua_createtable(l, 0, 4);
        set_functions(l, class.metamethods);
        push_text(l, "__index");
        ffi::lua_createtable(l, 0, class.methods.len() as c_int);
        set_functions(l, class.methods);
        ffi::lua_rawset(l, -3);
        push_text(l, "__gc");
        ffi::lua_pushcclosure(l, finalize, 0);
        ffi::lua_rawset(l, -3);
        set_functions(l, &[("__preserve", super::function(preserve))]);
        // Hides the metatable from getmetatable, so that no plugin can call or change what is in it.
        push_text(l, "__metatable");
        push_text(l, class.name);
        ffi::lua_rawset(l, -3);
        push_text(l, class.name);
        ffi::lua_pushvalue(l, -2);
        ffi::lua_rawset(l, ffi::LUA_REGISTRYINDEX);
    }
}

unsafe fn push_text(l: *mut lua_State, text: &str) {
    // SAFETY: as the caller's.
    unsafe { ffi::lua_pushlstring_(l, text.as_ptr().cast(), text.len()) };
}

/// Sets functions in the table on top.
unsafe fn set_functions(l: *mut lua_State, functions: &[(&str, Function)]) {
    for (name, function) in functions {
        // SAFETY: as the caller's.
        unsafe {
            push_text(l, name);
            ffi::lua_pushcclosure(l, function.0, 0);
            ffi::lua_rawset(l, -3);
        }
    }
}

/// Drops the Rust value of a userdata that Lua has collected.
unsafe extern "C-unwind" fn finalize(l: *mut lua_State) -> c_int {
    // SAFETY: Lua calls this once, with the userdata; Lua code cannot reach the metatable that holds it.
    unsafe {
        let block = ffi::lua_touserdata(l, 1).cast::<Slot>();
        if !block.is_null() {
            let slot = block.read();
            let shared = vm::shared(l);
            shared.memory.sub(slot.counted.get());
            count_descriptors(shared, 0, slot.counted_descriptors.get());
            // A destructor that panics must not unwind into Lua's collector.
            let dropped = std::panic::AssertUnwindSafe(move || drop(slot));
            let _ = std::panic::catch_unwind(dropped);
        }
    }
    0
}
