//! Configuration as plain data: an ordered tree of keys and values, without a Lua state behind it.
//!
//! `config_file` makes such trees out of configuration texts, the host merges its own entries into them,
//! and a sandbox serves the result through `read_config`.

/// A key of a [`Table`]: Hindsight keeps string and whole-number keys and no others.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    /// A whole number; Lua numbers with a fraction are cut, as Hindsight does.
    Integer(i64),
    /// A name or any other string, which may hold any byte.
    Name(Vec<u8>),
}

impl From<&str> for Key {
    fn from(name: &str) -> Key {
        Key::Name(name.as_bytes().to_vec())
    }
}

impl From<&[u8]> for Key {
    fn from(name: &[u8]) -> Key {
        Key::Name(name.to_vec())
    }
}

impl From<i64> for Key {
    fn from(number: i64) -> Key {
        Key::Integer(number)
    }
}

impl std::fmt::Display for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Key::Integer(number) => write!(f, "{number}"),
            Key::Name(name) => write!(f, "{}", name.escape_ascii()),
        }
    }
}

/// A value that a configuration can hold.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// `true` or `false`.
    Bool(bool),
    /// A Lua number.
    Number(f64),
    /// A Lua string: any bytes.
    String(Vec<u8>),
    /// A table, to any depth the maker of the tree allowed.
    Table(Table),
}

impl Value {
    /// The name Lua's `type` gives to this kind of value.
    pub fn type_name(&self) -> &'static str {
        match self {
            Value::Bool(_) => "boolean",
            Value::Number(_) => "number",
            Value::String(_) => "string",
            Value::Table(_) => "table",
        }
    }

    /// The bytes, if this is a string.
    pub fn as_bytes(&self) -> Option<&[u8]> {
        match self {
            Value::String(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// The number, if this is one.
    pub fn as_number(&self) -> Option<f64> {
        match self {
            Value::Number(number) => Some(*number),
            _ => None,
        }
    }

    /// The truth value, if this is one.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Value::Bool(truth) => Some(*truth),
            _ => None,
        }
    }

    /// The table, if this is one.
    pub fn as_table(&self) -> Option<&Table> {
        match self {
            Value::Table(table) => Some(table),
            _ => None,
        }
    }
}

impl From<bool> for Value {
    fn from(truth: bool) -> Value {
        Value::Bool(truth)
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Value {
        Value::Number(number)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::String(text.as_bytes().to_vec())
    }
}

impl From<Vec<u8>> for Value {
    fn from(bytes: Vec<u8>) -> Value {
        Value::String(bytes)
    }
}

impl From<Table> for Value {
    fn from(table: Table) -> Value {
        Value::Table(table)
    }
}

/// One key with its value, and where it was written.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The key, unique within its table.
    pub key: Key,
    /// The value.
    pub value: Value,
    /// The line of the configuration text that assigned it; 0 when unknown or not from a text.
    pub line: u32,
}

/// Two entries are equal when they say the same, wherever they were written.
impl PartialEq for Entry {
    fn eq(&self, other: &Entry) -> bool {
        self.key == other.key && self.value == other.value
    }
}

/// A table whose entries keep the order in which they were written.
///
/// Tables of configurations are small, so a look-up walks the entries.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    entries: Vec<Entry>,
}

impl Table {
    /// An empty table.
    pub fn new() -> Table {
        Table::default()
    }

    /// Number of entries.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The entries in order.
    pub fn iter(&self) -> std::slice::Iter<'_, Entry> {
        self.entries.iter()
    }

    /// The entry of the string key `name`.
    pub fn entry(&self, name: &str) -> Option<&Entry> {
        let matches = |entry: &&Entry| matches!(&entry.key, Key::Name(n) if n == name.as_bytes());
        self.entries.iter().find(matches)
    }

    /// The value of the string key `name`.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.entry(name).map(|entry| &entry.value)
    }

    /// Sets `key` to `value`; an existing entry keeps its place in the order and its line.
    pub fn set(&mut self, key: impl Into<Key>, value: impl Into<Value>) {
        let key = key.into();
        match self.entries.iter_mut().find(|entry| entry.key == key) {
            Some(entry) => entry.value = value.into(),
            None => self.push(Entry {
                key,
                value: value.into(),
                line: 0,
            }),
        }
    }

    /// Appends an entry whose key the caller knows to be new.
    pub fn push(&mut self, entry: Entry) {
        self.entries.push(entry);
    }

    /// Takes the entry of the string key `name` out.
    pub fn remove(&mut self, name: &str) -> Option<Entry> {
        let matches = |entry: &Entry| matches!(&entry.key, Key::Name(n) if n == name.as_bytes());
        let position = self.entries.iter().position(matches)?;
        Some(self.entries.remove(position))
    }
}

impl IntoIterator for Table {
    type Item = Entry;
    type IntoIter = std::vec::IntoIter<Entry>;

    fn into_iter(self) -> Self::IntoIter {
        self.entries.into_iter()
    }
}

impl<'t> IntoIterator for &'t Table {
    type Item = &'t Entry;
    type IntoIter = std::slice::Iter<'t, Entry>;

    fn into_iter(self) -> Self::IntoIter {
        self.entries.iter()
    }
}

impl FromIterator<Entry> for Table {
    fn from_iter<I: IntoIterator<Item = Entry>>(entries: I) -> Table {
        Table {
            entries: entries.into_iter().collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_keeps_order_and_replaces_in_place() {
        let mut table = Table::new();
        table.set("b", 1.0);
        table.set("a", "x");
        table.set(3i64, true);
        table.set("b", Table::new());
        let keys: Vec<String> = table.iter().map(|entry| entry.key.to_string()).collect();
        assert_eq!(keys, ["b", "a", "3"]);
        assert_eq!(
            table.get("b").and_then(Value::as_table),
            Some(&Table::new())
        );
        assert_eq!(table.get("3"), None, "a number and its text are two keys");
    }

    #[test]
    fn remove_takes_the_entry_out() {
        let mut table: Table = Table::new();
        table.set("a", false);
        assert_eq!(
            table.remove("a").map(|entry| entry.value),
            Some(Value::Bool(false))
        );
        assert!(table.is_empty() && table.remove("a").is_none());
    }
}
