//! Reads the keys of one table of a configuration, and notes every fault instead of stopping at the first.

use std::path::Path;
use std::str::FromStr;

use sandbox::value::{Key, Table, Value};
use stdx::size::Size;

use super::InitialPosition;
use super::fault::{Fault, nearest};
use super::keys::{self, Absent, KeySpec, Type, UINT_MAX};
use crate::number::general;

/// Significant digits of a number that Lua turns into text.
const LUA_DIGITS: usize = 14;

/// Longest part of a value that a message shows.
const SHOWN_MAX: usize = 60;

/// One table of a file while it is read.
pub(super) struct Section<'a> {
    file: &'a Path,
    /// The table's name with a dot, "" for the file itself.
    prefix: String,
    lists: &'a [&'static [KeySpec]],
    table: &'a Table,
    /// The line the table begins on, for keys that are missing; 0 for the file itself.
    line: u32,
    faults: &'a mut Vec<Fault>,
}

impl<'a> Section<'a> {
    /// The whole of `table` as read from `file`, with the keys of `lists`.
    pub fn file(
        file: &'a Path,
        table: &'a Table,
        lists: &'a [&'static [KeySpec]],
        faults: &'a mut Vec<Fault>,
    ) -> Section<'a> {
        Section {
            file,
            prefix: String::new(),
            lists,
            table,
            line: 0,
            faults,
        }
    }

    /// The table under `name`; `None`, with a fault if it is required or something else, when there is none.
    pub fn table(&mut self, name: &str) -> Option<Section<'_>> {
        let spec = self.spec(name);
        let Type::Table(lists) = spec.holds else {
            unreachable!("only tables are read as tables")
        };
        match self.table.entry(name) {
            Some(entry) => match &entry.value {
                Value::Table(table) => {
                    let prefix = format!("{name}.");
                    let line = entry.line;
                    return Some(Section {
                        file: self.file,
                        prefix,
                        lists,
                        table,
                        line,
                        faults: self.faults,
                    });
                }
                _ => self.wrong(spec, format!("{name} must be a table")),
            },
            None if spec.absent == Absent::Required => {
                self.wrong(spec, format!("{name} must be a table"));
            }
            None => {}
        }
        None
    }

    /// The number under `name`, or `fallback`.
    pub fn number(&mut self, name: &str, fallback: u64) -> u64 {
        let spec = self.spec(name);
        let Type::Number { min, max } = spec.holds else {
            unreachable!("only numbers are read as numbers")
        };
        let number = match self.table.get(name) {
            None => return fallback,
            Some(Value::Number(number)) => *number,
            Some(Value::String(text)) => match size(spec, text) {
                Some(bytes) => bytes as f64,
                None => return self.wrong_number_type(spec, text, fallback),
            },
            Some(_) => {
                self.wrong(spec, format!("{name} must be set to a number"));
                return fallback;
            }
        };
        // Written so that NaN fails. The fraction is cut, as Hindsight cuts it.
        if !(number >= 0.0 && number <= max.max(UINT_MAX) as f64)
            && (min == 0 || max == UINT_MAX)
            && max >= UINT_MAX
        {
            self.wrong(spec, format!("{name} must be an unsigned int"));
        } else if !(number >= min as f64 && number < max as f64 + 1.0) {
            let range = if max == UINT_MAX {
                format!("> {}", min - 1)
            } else {
                format!("{min}-{max}")
            };
            self.wrong(spec, format!("{name} must be {range}"));
        } else {
            return number as u64;
        }
        fallback
    }

    fn wrong_number_type(&mut self, spec: &KeySpec, text: &[u8], fallback: u64) -> u64 {
        let message = format!("{} must be set to a number", spec.name);
        let digits = std::str::from_utf8(text)
            .ok()
            .filter(|text| text.trim().parse::<f64>().is_ok());
        let hint = digits.map(|text| format!("write {} without quotes", text.trim()));
        self.wrong_with_hint(spec, message, hint.unwrap_or_default());
        fallback
    }

    /// The number under `name`, or the default of its description.
    pub fn number_or_default(&mut self, name: &str) -> u64 {
        let Absent::Number(default) = self.spec(name).absent else {
            unreachable!("the key has a default")
        };
        self.number(name, default)
    }

    /// The truth value under `name`, or `fallback`.
    pub fn truth(&mut self, name: &str, fallback: bool) -> bool {
        match self.table.get(name) {
            None => fallback,
            Some(Value::Bool(truth)) => *truth,
            Some(_) => {
                self.wrong(self.spec(name), format!("{name} must be set to a bool"));
                fallback
            }
        }
    }

    /// The string under `name`, or its default; `None` when there is neither, with a fault if it is required.
    /// A number is taken as its text, as Lua does.
    pub fn text(&mut self, name: &str) -> Option<Vec<u8>> {
        let spec = self.spec(name);
        match (self.table.get(name), spec.absent) {
            (Some(Value::String(text)), _) => return Some(text.clone()),
            (Some(Value::Number(number)), _) => {
                return Some(general(*number, LUA_DIGITS).into_bytes());
            }
            (None, Absent::Text(default)) => return Some(default.as_bytes().to_vec()),
            (None, Absent::Nothing) => {}
            _ => self.wrong(spec, format!("{name} must be set to a string")),
        }
        None
    }

    /// As [`Section::text`], for what must be UTF-8.
    pub fn utf8(&mut self, name: &str) -> Option<String> {
        match String::from_utf8(self.text(name)?) {
            Ok(text) => Some(text),
            Err(_) => {
                self.wrong(self.spec(name), format!("{name} must be UTF-8 text"));
                None
            }
        }
    }

    /// The word under `name`, or `fallback`.
    pub fn choice(&mut self, name: &str, fallback: &'static str) -> &'static str {
        let spec = self.spec(name);
        let Type::Choice(words) = spec.holds else {
            unreachable!("only choices are read as choices")
        };
        let message = match self.table.get(name) {
            None => return fallback,
            Some(Value::String(text)) => {
                if let Some(word) = words.iter().find(|word| word.as_bytes() == text) {
                    return word;
                }
                format!("{name} invalid option {}", shown(text))
            }
            Some(_) => format!("{name} must be set to a string"),
        };
        let near = match self.table.get(name) {
            Some(Value::String(text)) => {
                nearest(&String::from_utf8_lossy(text), words.iter().copied())
            }
            _ => None,
        };
        let hint = near.map(|word| format!("did you mean \"{word}\"?"));
        self.wrong_with_hint(spec, message, hint.unwrap_or_default());
        fallback
    }

    /// The place under `name`, or `fallback`.
    pub fn place(&mut self, name: &str, fallback: InitialPosition) -> InitialPosition {
        let place = match self.table.get(name) {
            None => return fallback,
            Some(Value::Number(seconds)) => InitialPosition::from_seconds(*seconds),
            Some(Value::String(text)) => InitialPosition::from_text(text),
            Some(_) => None,
        };
        place.unwrap_or_else(|| {
            self.wrong(
                self.spec(name),
                format!("{name} must be a place in the queue"),
            );
            fallback
        })
    }

    /// Notes every key that is not in the lists.
    pub fn refuse_unknown(&mut self) {
        for entry in self.table {
            let fault = match &entry.key {
                Key::Integer(_) => Fault::new(self.file, "non string key"),
                Key::Name(name) => match std::str::from_utf8(name) {
                    Ok(name) if keys::find(self.lists, name).is_some() => continue,
                    _ => self.unknown(&shown(name)),
                },
            };
            let key = format!("{}{}", self.prefix, entry.key);
            self.faults.push(Fault {
                key,
                ..fault.at(entry.line)
            });
        }
    }

    fn unknown(&self, name: &str) -> Fault {
        let fault = Fault::new(
            self.file,
            format!("invalid option: '{}{name}'", self.prefix),
        );
        let known = self
            .lists
            .iter()
            .flat_map(|list| list.iter())
            .map(|spec| spec.name);
        match nearest(name, known) {
            Some(near) => fault.hint(format!("did you mean {}{near}?", self.prefix)),
            None => fault,
        }
    }

    /// Whether the table has the key.
    pub fn has(&self, name: &str) -> bool {
        self.table.get(name).is_some()
    }

    fn spec(&self, name: &str) -> &'static KeySpec {
        keys::find(self.lists, name).expect("only keys that are described are read")
    }

    /// Notes a fault of the key of `spec`, with what was found and what is expected.
    pub fn wrong(&mut self, spec: &KeySpec, message: String) {
        self.wrong_with_hint(spec, message, String::new());
    }

    fn wrong_with_hint(&mut self, spec: &KeySpec, message: String, hint: String) {
        let entry = self.table.entry(spec.name);
        let hint = if entry.is_none() && hint.is_empty() {
            spec.doc.to_string()
        } else {
            hint
        };
        self.faults.push(Fault {
            key: format!("{}{}", self.prefix, spec.name),
            found: entry.map_or("nothing".to_string(), |entry| describe(&entry.value)),
            expected: spec.expected(),
            hint,
            ..Fault::new(self.file, message).at(entry.map_or(self.line, |entry| entry.line))
        });
    }

    /// Notes a fault of the key `name`, whose value is of the right type but not usable.
    pub fn unusable(&mut self, name: &str, message: String, hint: String) {
        self.wrong_with_hint(self.spec(name), message, hint);
    }
}

/// A number of bytes may also be written as people do: `"64 MiB"`.
fn size(spec: &KeySpec, text: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(text)
        .ok()
        .filter(|_| spec.unit == "bytes")?;
    let has_unit = text.bytes().any(|byte| byte.is_ascii_alphabetic());
    Size::from_str(text)
        .ok()
        .filter(|_| has_unit)
        .map(|size| size.0)
}

/// A value as a message shows it.
fn describe(value: &Value) -> String {
    match value {
        Value::Bool(truth) => truth.to_string(),
        Value::Number(number) => general(*number, LUA_DIGITS),
        Value::String(text) => format!("\"{}\"", shown(text)),
        Value::Table(_) => "a table".to_string(),
    }
}

/// Bytes of a file, made harmless and short enough for a message.
pub(super) fn shown(text: &[u8]) -> String {
    let cut = &text[..text.len().min(SHOWN_MAX)];
    let dots = if cut.len() < text.len() { "…" } else { "" };
    let valid = String::from_utf8_lossy(cut);
    let clean: String = valid
        .chars()
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect();
    format!("{clean}{dots}")
}
