//! The rows of a result, in the hands of a plugin.

use sandbox::native::{Call, Class, Error, Function, Object, ObjectMut, Type, function};

use super::session::Rows;
use super::{PREFIX, Shared, lock, may_wait, push_text};

/// A result that is fetched row by row; closed after the last.
pub(super) struct Cursor {
    rows: Option<Rows>,
    at: usize,
    session: Shared,
    sql: String,
}

const METHODS: &[(&str, Function)] = &[
    ("close", function(close)),
    ("fetch", function(fetch)),
    ("getcolnames", function(getcolnames)),
    ("getcoltypes", function(getcoltypes)),
    ("numrows", function(numrows)),
];

impl Object for Cursor {
    fn class() -> Class {
        Class {
            name: "PostgreSQL cursor",
            methods: METHODS,
            metamethods: &[("__tostring", TEXT)],
        }
    }

    fn memory(&self) -> usize {
        self.sql.len() + self.rows.as_ref().map_or(0, |rows| rows.bytes)
    }
}

const TEXT: Function = function(|call: &mut Call<'_>| {
    let is_open = call.check_object::<Cursor>(1)?.rows.is_some();
    push_text(call, Cursor::class().name, is_open)
});

impl Cursor {
    /// A cursor before the first row of the result that `sql` gave.
    pub(super) fn new(rows: Rows, session: Shared, sql: String) -> Cursor {
        Cursor {
            rows: Some(rows),
            at: 0,
            session,
            sql,
        }
    }
}

fn cursor<'a>(call: &Call<'a>) -> Result<ObjectMut<'a, Cursor>, Error> {
    call.check_object_mut::<Cursor>(1)
}

/// The rows of an open cursor.
fn rows<'c>(cursor: &'c ObjectMut<'_, Cursor>) -> Result<&'c Rows, Error> {
    let closed = || Error::argument(1, format!("{PREFIX}cursor is closed"));
    cursor.rows.as_ref().ok_or_else(closed)
}

/// `close()`: true, or false when it is closed already.
fn close(call: &mut Call<'_>) -> Result<usize, Error> {
    let was_open = cursor(call)?.rows.take().is_some();
    call.recount(1)?;
    call.push_bool(was_open)?;
    Ok(1)
}

fn numrows(call: &mut Call<'_>) -> Result<usize, Error> {
    let count = rows(&cursor(call)?)?.rows.len();
    call.push_number(count as f64)?;
    Ok(1)
}

fn getcolnames(call: &mut Call<'_>) -> Result<usize, Error> {
    let names = rows(&cursor(call)?)?.names.clone();
    push_texts(call, &names)
}

/// `getcoltypes()`: asks the server, which can describe a single statement; `undefined` for others.
fn getcoltypes(call: &mut Call<'_>) -> Result<usize, Error> {
    let cursor = cursor(call)?;
    let count = rows(&cursor)?.names.len();
    let types = match &*lock(&cursor.session) {
        Some(session) => session.types(&cursor.sql, &mut may_wait(call)),
        None => Vec::new(),
    };
    drop(cursor);
    let types = match types.len() == count {
        true => types,
        false => vec!["undefined".to_owned(); count],
    };
    push_texts(call, &types)
}

fn push_texts(call: &mut Call<'_>, texts: &[String]) -> Result<usize, Error> {
    call.push_table(texts.len(), 0)?;
    for (i, text) in texts.iter().enumerate() {
        call.push_bytes(text)?;
        call.raw_set_index(-2, i as i64 + 1)?;
    }
    Ok(1)
}

/// `fetch([table[, mode]])`: the next row as results, or in the table: by number (`n`), by name (`a`), or both; nil after
/// the last, and the cursor is closed then.
fn fetch(call: &mut Call<'_>) -> Result<usize, Error> {
    let into_table = call.type_of(2) == Type::Table;
    let mode = if into_table {
        call.opt_bytes(3)?.unwrap_or(b"n")
    } else {
        b"n"
    };
    let (by_number, by_name) = (mode.contains(&b'n'), mode.contains(&b'a'));
    let mut cursor = cursor(call)?;
    let n = cursor.at;
    if n >= rows(&cursor)?.rows.len() {
        cursor.rows = None;
        drop(cursor);
        call.recount(1)?;
        call.push_nil()?;
        return Ok(1);
    }
    cursor.at += 1;
    let rows = rows(&cursor)?;
    call.charge(rows.names.len() as u32)?;
    for (i, name) in rows.names.iter().enumerate() {
        let value = rows.value(n, i);
        if !into_table {
            push_value(call, value)?;
            continue;
        }
        if by_number {
            push_value(call, value)?;
            call.raw_set_index(2, i as i64 + 1)?;
        }
        if by_name {
            push_value(call, value)?;
            call.raw_set_field(2, name)?;
        }
    }
    if into_table {
        call.push_value(2)?;
        return Ok(1);
    }
    Ok(rows.names.len())
}

fn push_value(call: &mut Call<'_>, value: Option<&str>) -> Result<(), Error> {
    match value {
        Some(text) => call.push_bytes(text),
        None => call.push_nil(),
    }
}
