//! Looks at the values in tables where they lie, without pushing them: for those who take many tables apart by known keys.

use super::walk::Item;
use super::{Call, Type};
use crate::heap::{Table, Value};

impl Call<'_> {
    /// The value at `i`: an argument from 1, or from the top with -1, -2, ...
    #[inline]
    pub fn item(&self, i: i32) -> Item<'_> {
        // SAFETY: the value stays on the stack while `self` is borrowed.
        if let Some(item) = self.look(i).and_then(|word| unsafe { item(word.value()) }) {
            return item;
        }
        match self.type_of(i) {
            Type::None | Type::Nil => Item::Nil,
            Type::Boolean => Item::Boolean(self.is_true(i)),
            Type::Number => Item::Number(self.number_at(i).unwrap_or_default()),
            Type::String => Item::String(self.bytes_at(i).unwrap_or_default()),
            Type::Table => Item::Table,
            Type::LightUserdata if self.light_at(i) == Some(0) => Item::Null,
            other => Item::Other(other),
        }
    }

    /// What the table at `table` has under the string that lies at `i` of the table at `keys`. None where that has to be asked
    /// by [`Call::get`]: values that are seldom in tables, and nothing in a table with a metatable.
    #[inline]
    pub fn field_item(&self, table: i32, keys: i32, i: i32) -> Option<Item<'_>> {
        let i = u32::try_from(i).ok()?;
        let (table, keys) = (self.peek_table(table)?, self.peek_table(keys)?);
        // SAFETY: both lie on the stack, and so live while `self` is borrowed, as the strings in them do: no code of a plugin
        // runs meanwhile, and the collector, which may, takes no string out of a table.
        unsafe {
            let Some(Value::String(key)) = keys.array_get(i) else {
                return None;
            };
            match table.get(key) {
                Value::Nil if table.has_metatable() => None,
                value => item(value),
            }
        }
    }

    /// What the table at `table` has at `i`, as [`Call::raw_get_index`] finds it. None where that has to be asked: values that
    /// are seldom in tables, and where the array part has ended.
    #[inline]
    pub fn array_item(&self, table: i32, i: usize) -> Option<Item<'_>> {
        let (table, i) = (self.peek_table(table)?, u32::try_from(i).ok()?);
        // SAFETY: as in `field_item`.
        unsafe { item(table.array_get(i)?) }
    }

    /// The table at `i`, if it can be read where it lies.
    #[inline(always)]
    fn peek_table(&self, i: i32) -> Option<Table> {
        match self.look(i)?.value() {
            Value::Table(table) => Some(table),
            _ => None,
        }
    }
}

/// A value of the heap as an item; none for what cannot be told from it alone.
///
/// # Safety
/// A string is alive for `'v`.
#[inline(always)]
unsafe fn item<'v>(value: Value) -> Option<Item<'v>> {
    Some(match value {
        Value::Nil => Item::Nil,
        Value::Bool(truth) => Item::Boolean(truth),
        Value::Number(number) => Item::Number(number),
        // SAFETY: by the caller.
        Value::String(text) => Item::String(unsafe { text.bytes() }),
        Value::Table(_) => Item::Table,
        Value::Other => return None,
    })
}
