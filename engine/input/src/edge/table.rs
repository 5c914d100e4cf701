//! Reads the settings of a listener from a Lua table, and says exactly which key is wrong and what was expected.

use std::time::Duration;

use sandbox::native::{Call, Error, Type};

/// Longest list of texts in one key.
const LIST_MAX: i64 = 1_000;

/// A table of settings at a place of the stack, with the name that errors begin with.
pub struct Table<'c, 'a> {
    call: &'c mut Call<'a>,
    at: i32,
    name: String,
}

impl<'c, 'a> Table<'c, 'a> {
    /// The table at the absolute place `at`.
    ///
    /// # Errors
    /// When there is no table.
    pub fn new(call: &'c mut Call<'a>, at: i32, name: String) -> Result<Table<'c, 'a>, Error> {
        if call.type_of(at) != Type::Table {
            let found = call.type_name(at);
            return Err(Error::new(format!("{name} must be a table, found {found}")));
        }
        Ok(Table { call, at, name })
    }

    fn wrong(&mut self, key: &str, expected: &str) -> Error {
        let found = match self.call.text_at(-1) {
            Some(text) => format!("'{}'", String::from_utf8_lossy(&text)),
            None => self.call.type_name(-1).to_string(),
        };
        Error::new(format!(
            "{}.{key} must be {expected}, found {found}",
            self.name
        ))
    }

    /// An error about a key whose value has the right type.
    pub fn refuse(&self, key: &str, why: &str) -> Error {
        Error::new(format!("{}.{key} {why}", self.name))
    }

    /// Pushes the value, converts it with `take` unless it is nil, and removes it again.
    fn value<T>(
        &mut self,
        key: &str,
        expected: &str,
        take: impl FnOnce(&mut Call<'a>) -> Option<T>,
    ) -> Result<Option<T>, Error> {
        self.call.raw_get_field(self.at, key)?;
        if self.call.is_nil(-1) {
            self.call.pop(1);
            return Ok(None);
        }
        let taken = take(self.call);
        if taken.is_none() {
            return Err(self.wrong(key, expected));
        }
        self.call.pop(1);
        Ok(taken)
    }

    /// A text; `None` when the key is not set.
    ///
    /// # Errors
    /// When the value is no text in UTF-8.
    pub fn text(&mut self, key: &str) -> Result<Option<String>, Error> {
        self.value(key, "a text", |call| {
            (call.type_of(-1) == Type::String)
                .then(|| call.text_at(-1))
                .flatten()
                .and_then(|bytes| String::from_utf8(bytes).ok())
        })
    }

    /// A whole number within bounds.
    ///
    /// # Errors
    /// When the value is none.
    pub fn number(&mut self, key: &str, default: u64, min: u64, max: u64) -> Result<u64, Error> {
        let expected = format!("a whole number from {min} to {max}");
        let value = self.value(key, &expected, |call| {
            let number = call.number_at(-1)?;
            let whole = number.fract() == 0.0 && number >= min as f64 && number <= max as f64;
            whole.then_some(number as u64)
        })?;
        Ok(value.unwrap_or(default))
    }

    /// A share from 0 to 1.
    ///
    /// # Errors
    /// When the value is none.
    pub fn share(&mut self, key: &str, default: f64) -> Result<f64, Error> {
        let value = self.value(key, "a number from 0 to 1", |call| {
            call.number_at(-1)
                .filter(|share| (0.0..=1.0).contains(share))
        })?;
        Ok(value.unwrap_or(default))
    }

    /// A time in whole seconds within bounds.
    ///
    /// # Errors
    /// When the value is none.
    pub fn seconds(&mut self, key: &str, default: u64, max: u64) -> Result<Duration, Error> {
        Ok(Duration::from_secs(self.number(key, default, 1, max)?))
    }

    /// A truth value.
    ///
    /// # Errors
    /// When the value is none.
    pub fn truth(&mut self, key: &str, default: bool) -> Result<bool, Error> {
        let value = self.value(key, "true or false", |call| call.bool_at(-1))?;
        Ok(value.unwrap_or(default))
    }

    /// A list of texts; `None` when the key is not set.
    ///
    /// # Errors
    /// When the value is none, or longer than a thousand.
    pub fn texts(&mut self, key: &str) -> Result<Option<Vec<String>>, Error> {
        self.value(key, "a list of texts", |call| {
            if call.type_of(-1) != Type::Table || call.raw_len(-1) as i64 > LIST_MAX {
                return None;
            }
            let mut texts = Vec::new();
            for i in 1..=call.raw_len(-1) as i64 {
                call.raw_get_index(-1, i).ok()?;
                let text = call.text_at(-1);
                call.pop(1);
                texts.push(String::from_utf8(text?).ok()?);
            }
            Some(texts)
        })
    }

    /// A list of tables, each converted by `read`; empty when the key is not set.
    ///
    /// # Errors
    /// When the value is none, or `read` refuses an entry.
    pub fn tables<T>(
        &mut self,
        key: &str,
        mut read: impl FnMut(Table<'_, 'a>) -> Result<T, Error>,
    ) -> Result<Vec<T>, Error> {
        self.call.raw_get_field(self.at, key)?;
        if self.call.is_nil(-1) {
            self.call.pop(1);
            return Ok(Vec::new());
        }
        if self.call.type_of(-1) != Type::Table || self.call.raw_len(-1) as i64 > LIST_MAX {
            return Err(self.wrong(key, "a list of tables"));
        }
        let mut all = Vec::new();
        for i in 1..=self.call.raw_len(-1) as i64 {
            self.call.raw_get_index(-1, i)?;
            let name = format!("{}.{key}[{i}]", self.name);
            let at = self.call.top();
            all.push(read(Table::new(self.call, at, name)?)?);
            self.call.pop(1);
        }
        self.call.pop(1);
        Ok(all)
    }

    /// Refuses keys that nobody reads: most are misspelt.
    ///
    /// # Errors
    /// Names the first such key.
    pub fn only(&mut self, known: &[&str]) -> Result<(), Error> {
        let name = &self.name;
        self.call.push_value(self.at)?;
        self.call.for_each(-1, |call| {
            let key = call.text_at(-2).unwrap_or_default();
            let key = String::from_utf8_lossy(&key);
            if known.contains(&&*key) {
                return Ok(());
            }
            Err(Error::new(format!(
                "{name}.{key} is no setting; there are {}",
                known.join(", ")
            )))
        })?;
        self.call.pop(1);
        Ok(())
    }
}
