//! Runs a configuration text, which is Lua without any library, and returns what it set as plain data.
//!
//! A configuration comes from outside: it may loop, eat memory or nest without end.
//! It therefore runs in a state of its own with nothing in it, as text only, within the limits below,
//! and always ends with a table or with an error that names the line.

mod outline;

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use mlua::chunk::ChunkMode;
use mlua::{HookTriggers, Lua, LuaOptions, StdLib, VmState};
use rustc_hash::FxHashMap;

use crate::value::{Entry, Key, Table, Value};
use outline::Outline;

/// Longest text in bytes; the longest real configurations hold look-up tables of some hundred kilobytes.
pub const MAX_TEXT: usize = 8 * 1024 * 1024;

/// Memory in bytes that the Lua state may use while it runs the text: several times [`MAX_TEXT`].
const MAX_MEMORY: usize = 64 * 1024 * 1024;

/// Lua instructions the text may use: enough to build large tables in loops, over in a fraction of a second.
const MAX_INSTRUCTIONS: u32 = 20_000_000;

/// How often the budget is looked at, in instructions.
const INSTRUCTIONS_PER_CHECK: u32 = 1_000;

/// Deepest nesting of tables; deeper ones cannot be printed or restored by anything that reads them.
pub const MAX_DEPTH: usize = 64;

/// Number of values the result may hold. A table that is mentioned many times counts each time,
/// so that a few lines cannot unfold into a tree that fills the memory.
const MAX_VALUES: usize = 500_000;

/// Bytes of all strings of the result together, for the same reason.
const MAX_STRING_BYTES: usize = 64 * 1024 * 1024;

/// Chunk name inside the state; short, so that Lua does not cut it and the line can be read back.
const CHUNK: &str = "cfg";

/// Why a text gave no configuration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigFileError {
    /// The text is not Lua.
    #[error("{message}")]
    Syntax {
        /// Line of the text, 0 when Lua did not say.
        line: u32,
        /// Lua's words, without the place.
        message: String,
    },
    /// A statement failed while it ran.
    #[error("{message}")]
    Runtime {
        /// Line of the text, 0 when Lua did not say.
        line: u32,
        /// Lua's words, without the place.
        message: String,
    },
    /// A limit of this module was reached.
    #[error("{what}")]
    Limit {
        /// Line of the text, 0 when unknown.
        line: u32,
        /// Which limit, with its value.
        what: String,
    },
}

impl ConfigFileError {
    /// The line the error belongs to, 0 when unknown.
    pub fn line(&self) -> u32 {
        match self {
            ConfigFileError::Syntax { line, .. }
            | ConfigFileError::Runtime { line, .. }
            | ConfigFileError::Limit { line, .. } => *line,
        }
    }

    fn limit(what: impl Into<String>) -> ConfigFileError {
        ConfigFileError::Limit {
            line: 0,
            what: what.into(),
        }
    }
}

/// A value or key that a configuration cannot hold and that was left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// The way to it, such as `headers.on_error`.
    pub path: String,
    /// Lua's name of its type, such as `function`.
    pub type_name: &'static str,
    /// Whether the key, rather than the value, was of that type.
    pub is_key: bool,
    /// Line of the text, 0 when unknown.
    pub line: u32,
}

/// What a configuration text set.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ConfigFile {
    /// The globals in the order of their first assignment, each with the line of its last one.
    /// Nested keys have the line they are written on, or that of the table around them.
    pub table: Table,
    /// What was left out.
    pub skipped: Vec<Skipped>,
}

/// Runs `text` and returns the globals it left.
///
/// # Errors
/// See [`ConfigFileError`]; nothing of a text that failed is used.
pub fn evaluate(text: &[u8]) -> Result<ConfigFile, ConfigFileError> {
    check_text(text)?;
    let state = match SPARE.take() {
        Some(spare) => spare.refilled(),
        None => State::new()?,
    };
    let names = Names::default();
    let found = run(&state.lua, text, &names)
        .map_err(|error| explain(&error))
        .and_then(|globals| Copier::new(text).copy_globals(&globals, &names.0.borrow()));
    if found.is_ok() && state.lua.used_memory() <= SPARE_MEMORY_MAX {
        SPARE.set(Some(state));
    }
    found
}

/// Checks that `text` is Lua source a sandbox could load, without running any of it.
///
/// # Errors
/// [`ConfigFileError::Syntax`] with the line, or [`ConfigFileError::Limit`].
pub fn compile(text: &[u8]) -> Result<(), ConfigFileError> {
    check_text(text)?;
    let state = State::new()?;
    let chunk = state
        .lua
        .load(text)
        .set_name(format!("={CHUNK}"))
        .set_mode(ChunkMode::Text);
    chunk
        .into_function()
        .map(drop)
        .map_err(|error| explain(&error))
}

fn check_text(text: &[u8]) -> Result<(), ConfigFileError> {
    if text.len() > MAX_TEXT {
        let what = format!("the text has {} bytes, the limit is {MAX_TEXT}", text.len());
        return Err(ConfigFileError::limit(what));
    }
    if text.first() == Some(&0x1b) {
        let message = "the file holds compiled Lua, which is not accepted".to_string();
        return Err(ConfigFileError::Syntax { line: 0, message });
    }
    Ok(())
}

/// A state that has run a text without a fault serves for the next one on this thread unless it is larger than this: making
/// one costs more than most texts. Texts run in environments of their own, so nothing of one is there for the next.
const SPARE_MEMORY_MAX: usize = 1024 * 1024;

thread_local! {
    static SPARE: Cell<Option<State>> = const { Cell::new(None) };
}

/// A state with limits. mlua always opens the base library, so texts run in an environment of their own.
struct State {
    lua: Lua,
    /// Looks at the budget that are still to come.
    left: Rc<Cell<u32>>,
}

impl State {
    fn new() -> Result<State, ConfigFileError> {
        let left = Rc::new(Cell::new(0));
        let lua = limited(left.clone()).map_err(|error| explain(&error))?;
        Ok(State { lua, left }.refilled())
    }

    /// The state with a whole budget.
    fn refilled(self) -> State {
        self.left.set(MAX_INSTRUCTIONS / INSTRUCTIONS_PER_CHECK);
        self
    }
}

fn limited(left: Rc<Cell<u32>>) -> mlua::Result<Lua> {
    let lua = Lua::new_with(StdLib::NONE, LuaOptions::default())?;
    lua.set_memory_limit(MAX_MEMORY)?;
    let triggers = HookTriggers::new().every_nth_instruction(INSTRUCTIONS_PER_CHECK);
    lua.set_hook(triggers, move |_, debug| {
        charge(&left, debug.current_line())
    })?;
    Ok(lua)
}

fn charge(left: &Cell<u32>, line: Option<usize>) -> mlua::Result<VmState> {
    match left.get().checked_sub(1) {
        Some(rest) => left.set(rest),
        None => {
            let line = line.unwrap_or(0);
            return Err(mlua::Error::runtime(format!(
                "{CHUNK}:{line}: {OUT_OF_INSTRUCTIONS}"
            )));
        }
    }
    Ok(VmState::Continue)
}

/// The hook's error, recognised again by [`explain`].
const OUT_OF_INSTRUCTIONS: &str = "instruction budget of a configuration used up";

/// The globals in the order of their first assignment, with the line of the last one.
#[derive(Default, Clone)]
struct Names(Rc<RefCell<Places>>);

/// By name: how many names came before it, and its line.
type Places = FxHashMap<Vec<u8>, (usize, u32)>;

impl Names {
    fn assigned(&self, name: &[u8], line: u32) {
        let mut names = self.0.borrow_mut();
        let next = names.len();
        match names.get_mut(name) {
            Some(place) => place.1 = line,
            None => drop(names.insert(name.to_vec(), (next, line))),
        }
    }
}

/// Runs the text in an environment that is always empty itself, so that every assignment passes
/// through `__newindex`, where its line is known.
fn run(lua: &Lua, text: &[u8], names: &Names) -> mlua::Result<mlua::Table> {
    let globals = lua.create_table()?;
    let meta = lua.create_table()?;
    meta.raw_set("__index", &globals)?;
    meta.raw_set(
        "__newindex",
        new_index(lua, globals.clone(), names.clone())?,
    )?;
    let environment = lua.create_table()?;
    environment.set_metatable(Some(meta))?;
    let chunk = lua
        .load(text)
        .set_name(format!("={CHUNK}"))
        .set_mode(ChunkMode::Text);
    chunk.set_environment(environment).exec()?;
    Ok(globals)
}

fn new_index(lua: &Lua, globals: mlua::Table, names: Names) -> mlua::Result<mlua::Function> {
    type Arguments = (mlua::Value, mlua::Value, mlua::Value);
    lua.create_function(move |lua, (_, key, value): Arguments| {
        let line = lua.inspect_stack(1, |debug| debug.current_line()).flatten();
        if let mlua::Value::String(name) = &key {
            let line = line.and_then(|line| u32::try_from(line).ok()).unwrap_or(0);
            names.assigned(&name.as_bytes(), line);
        }
        globals.raw_set(key, value)
    })
}

/// Copies Lua tables into plain ones, within the limits.
struct Copier {
    outline: Outline,
    path: Vec<Key>,
    skipped: Vec<Skipped>,
    values_left: usize,
    bytes_left: usize,
}

impl Copier {
    fn new(text: &[u8]) -> Copier {
        Copier {
            outline: Outline::read(text),
            path: Vec::new(),
            skipped: Vec::new(),
            values_left: MAX_VALUES,
            bytes_left: MAX_STRING_BYTES,
        }
    }

    fn copy_globals(
        mut self,
        globals: &mlua::Table,
        names: &Places,
    ) -> Result<ConfigFile, ConfigFileError> {
        let mut ordered = Vec::with_capacity(names.len());
        for pair in globals.pairs::<mlua::LuaString, mlua::Value>() {
            let (name, value) = pair.map_err(|error| explain(&error))?;
            let name = name.as_bytes().to_vec();
            let (order, line) = names.get(&name).copied().unwrap_or((usize::MAX, 0));
            ordered.push((order, line, name, value));
        }
        ordered.sort_unstable_by_key(|(order, ..)| *order);
        let mut table = Table::new();
        for (_, line, name, value) in ordered {
            let key = Key::Name(name);
            self.path.push(key.clone());
            let line = self.begin_of_statement(line);
            if let Some(value) = self.copy(value, line)? {
                table.push(Entry { key, value, line });
            }
            self.path.pop();
        }
        Ok(ConfigFile {
            table,
            skipped: self.skipped,
        })
    }

    /// Lua assigns a table constructor on its last line; the text shows the first.
    fn begin_of_statement(&self, assigned: u32) -> u32 {
        let written = self.outline.find(&self.path).map(|place| place.line);
        written.filter(|line| *line <= assigned).unwrap_or(assigned)
    }

    /// Copies one value; `None` for a value that a configuration cannot hold.
    fn copy(&mut self, value: mlua::Value, line: u32) -> Result<Option<Value>, ConfigFileError> {
        Ok(Some(match value {
            mlua::Value::Nil => return Ok(None),
            mlua::Value::Boolean(truth) => Value::Bool(truth),
            mlua::Value::Integer(number) => Value::Number(number as f64),
            mlua::Value::Number(number) => Value::Number(number),
            mlua::Value::String(text) => Value::String(self.copy_bytes(&text.as_bytes(), line)?),
            mlua::Value::Table(table) => Value::Table(self.copy_table(&table, line)?),
            other => {
                self.skip(other.type_name(), false, line);
                return Ok(None);
            }
        }))
    }

    fn copy_bytes(&mut self, bytes: &[u8], line: u32) -> Result<Vec<u8>, ConfigFileError> {
        match self.bytes_left.checked_sub(bytes.len()) {
            Some(left) => self.bytes_left = left,
            None => {
                let what = format!("the strings take more than {MAX_STRING_BYTES} bytes");
                return Err(ConfigFileError::Limit { line, what });
            }
        }
        Ok(bytes.to_vec())
    }

    fn copy_table(&mut self, from: &mlua::Table, line: u32) -> Result<Table, ConfigFileError> {
        if self.path.len() > MAX_DEPTH {
            let what = format!("tables are nested deeper than {MAX_DEPTH}, or contain themselves");
            return Err(ConfigFileError::Limit { line, what });
        }
        let mut entries: Vec<(usize, Entry)> = Vec::new();
        for pair in from.pairs::<mlua::Value, mlua::Value>() {
            let (key, value) = pair.map_err(|error| explain(&error))?;
            self.charge_value(line)?;
            let Some(key) = self.copy_key(key, line)? else {
                continue;
            };
            self.path.push(key.clone());
            let place = self.outline.find(&self.path);
            let line = place.map_or(line, |place| place.line);
            if let Some(value) = self.copy(value, line)? {
                let order = place.map_or(usize::MAX, |place| place.order);
                entries.push((order, Entry { key, value, line }));
            }
            self.path.pop();
        }
        Ok(in_written_order(entries))
    }

    fn charge_value(&mut self, line: u32) -> Result<(), ConfigFileError> {
        self.values_left = self.values_left.checked_sub(1).ok_or_else(|| {
            let what = format!("more than {MAX_VALUES} values");
            ConfigFileError::Limit { line, what }
        })?;
        Ok(())
    }

    fn copy_key(&mut self, key: mlua::Value, line: u32) -> Result<Option<Key>, ConfigFileError> {
        Ok(match key {
            mlua::Value::Integer(number) => Some(Key::Integer(number)),
            mlua::Value::Number(number) => Some(Key::Integer(number as i64)),
            mlua::Value::String(name) => Some(Key::Name(self.copy_bytes(&name.as_bytes(), line)?)),
            other => {
                self.skip(other.type_name(), true, line);
                None
            }
        })
    }

    fn skip(&mut self, type_name: &'static str, is_key: bool, line: u32) {
        let names: Vec<String> = self.path.iter().map(Key::to_string).collect();
        self.skipped.push(Skipped {
            path: names.join("."),
            type_name,
            is_key,
            line,
        });
    }
}

/// Keys found in the text come in its order; the others after them, numbers first.
/// (Lua's own order of string keys differs from run to run.)
fn in_written_order(mut entries: Vec<(usize, Entry)>) -> Table {
    entries.sort_by(|(a, x), (b, y)| a.cmp(b).then_with(|| x.key.cmp(&y.key)));
    // Keys that were cut to the same whole number: the last one stays.
    entries.dedup_by(|(_, later), (_, first)| {
        let same = later.key == first.key;
        if same {
            std::mem::swap(later, first);
        }
        same
    });
    entries.into_iter().map(|(_, entry)| entry).collect()
}

/// Turns mlua's error into ours: the line apart from the words, limits recognised.
fn explain(error: &mlua::Error) -> ConfigFileError {
    match error {
        mlua::Error::SyntaxError { message, .. } => {
            let (line, message) = split_line(message);
            ConfigFileError::Syntax { line, message }
        }
        mlua::Error::MemoryError(_) => {
            ConfigFileError::limit(format!("more than {MAX_MEMORY} bytes of memory used"))
        }
        mlua::Error::CallbackError { cause, traceback } => with_line(explain(cause), traceback),
        mlua::Error::RuntimeError(message) if message.contains(OUT_OF_INSTRUCTIONS) => {
            let what = format!("more than {MAX_INSTRUCTIONS} instructions used: an endless loop?");
            let (line, _) = split_line(message);
            ConfigFileError::Limit { line, what }
        }
        mlua::Error::RuntimeError(message) => {
            let (line, message) = split_line(message);
            ConfigFileError::Runtime { line, message }
        }
        other => ConfigFileError::Runtime {
            line: 0,
            message: other.to_string(),
        },
    }
}

/// Gives an error that came out of a callback the line of the Lua code that was running.
fn with_line(mut error: ConfigFileError, traceback: &str) -> ConfigFileError {
    let found = traceback
        .lines()
        .find_map(|frame| frame.trim().strip_prefix(CHUNK));
    let number = found
        .and_then(|rest| rest.strip_prefix(':'))
        .and_then(|rest| rest.split(':').next());
    let at = number.and_then(|digits| digits.parse().ok()).unwrap_or(0);
    match &mut error {
        ConfigFileError::Syntax { line, .. }
        | ConfigFileError::Runtime { line, .. }
        | ConfigFileError::Limit { line, .. } => *line = if *line == 0 { at } else { *line },
    }
    error
}

/// Splits `cfg:12: words` into 12 and the words, leaving a traceback behind.
fn split_line(message: &str) -> (u32, String) {
    let message = message
        .split("\nstack traceback:")
        .next()
        .unwrap_or(message);
    let placed = message
        .strip_prefix(CHUNK)
        .and_then(|rest| rest.strip_prefix(':'));
    let parts = placed.and_then(|rest| rest.split_once(": "));
    match parts.and_then(|(line, words)| Some((line.parse().ok()?, words))) {
        Some((line, words)) => (line, words.to_string()),
        None => (0, message.to_string()),
    }
}

#[cfg(test)]
mod tests;
