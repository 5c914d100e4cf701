//! The `luasql.postgres` module of input and output plugins: PostgreSQL with LuaSQL's functions.
//!
//! Values are texts, as the server writes them. All rows of a result are in memory, counted to the plugin's. Differences:
//! connections and environments may be closed while cursors are open, and a commit or rollback that fails says so.

mod conninfo;
mod cursor;
mod secure;
mod session;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sandbox::Kind;
use sandbox::native::{Call, Class, Error, Function, Object, Registry, function};

use cursor::Cursor;
use session::{Outcome, Session};

/// What LuaSQL begins its words with.
const PREFIX: &str = "LuaSQL: ";
/// How long an output may still wait in one call after a stop: it may have to hand over its last data.
const GRACE: std::time::Duration = std::time::Duration::from_secs(8);

/// Offers `luasql.postgres` to input and output plugins.
pub fn register(registry: &mut Registry) {
    registry.add_io("luasql.postgres", function(open));
}

fn open(call: &mut Call<'_>) -> Result<usize, Error> {
    call.push_library(&[("postgres", function(environment))])?;
    for (name, text) in [
        ("_CLIENTVERSION", "tokio-postgres 0.7"),
        ("_VERSION", "LuaSQL 2.4.0"),
    ] {
        call.push_bytes(text)?;
        call.raw_set_field(-2, name)?;
    }
    Ok(1)
}

/// Where connections come from; holds nothing but whether it is open.
struct Environment {
    is_open: bool,
}

const ENVIRONMENT_METHODS: &[(&str, Function)] = &[
    ("close", function(close_environment)),
    ("connect", function(connect)),
];

impl Object for Environment {
    fn class() -> Class {
        Class {
            name: "PostgreSQL environment",
            methods: ENVIRONMENT_METHODS,
            metamethods: &[("__tostring", ENVIRONMENT_TEXT)],
        }
    }
}

const ENVIRONMENT_TEXT: Function = function(|call: &mut Call<'_>| {
    let is_open = call.check_object::<Environment>(1)?.is_open;
    push_text(call, Environment::class().name, is_open)
});

/// What LuaSQL shows for an object: its class, and which one it is while it is open.
fn push_text(call: &mut Call<'_>, class: &str, is_open: bool) -> Result<usize, Error> {
    let identity = call.identity(1)?;
    let number = match is_open {
        true => identity.rsplit(' ').next().unwrap_or(""),
        false => "closed",
    };
    call.push_bytes(format!("{class} ({number})"))?;
    Ok(1)
}

/// A session that a connection and its cursors share; none once it is closed.
type Shared = Arc<Mutex<Option<Session>>>;

fn lock(shared: &Shared) -> MutexGuard<'_, Option<Session>> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A connection of a plugin.
struct Connection {
    session: Shared,
    commits_itself: bool,
}

const METHODS: &[(&str, Function)] = &[
    ("close", function(close)),
    ("commit", function(commit)),
    ("escape", function(escape)),
    ("execute", function(execute)),
    ("rollback", function(rollback)),
    ("setautocommit", function(setautocommit)),
];

impl Object for Connection {
    fn class() -> Class {
        Class {
            name: "PostgreSQL connection",
            methods: METHODS,
            metamethods: &[("__tostring", CONNECTION_TEXT)],
        }
    }

    fn memory(&self) -> usize {
        session::MEMORY
    }

    fn descriptors(&self) -> usize {
        lock(&self.session)
            .as_ref()
            .map_or(0, |_| session::DESCRIPTORS)
    }
}

const CONNECTION_TEXT: Function = function(|call: &mut Call<'_>| {
    let is_open = lock(&call.check_object::<Connection>(1)?.session).is_some();
    push_text(call, Connection::class().name, is_open)
});

/// `postgres()`: an environment.
fn environment(call: &mut Call<'_>) -> Result<usize, Error> {
    call.push_object(Environment { is_open: true })?;
    Ok(1)
}

fn close_environment(call: &mut Call<'_>) -> Result<usize, Error> {
    let was_open = std::mem::replace(&mut call.check_object_mut::<Environment>(1)?.is_open, false);
    call.push_bool(was_open)?;
    Ok(1)
}

/// Says whether a wait that begins now may go on.
fn may_wait<'c>(call: &'c Call<'_>) -> impl FnMut() -> bool + 'c {
    let started = std::time::Instant::now();
    move || call.running() || (call.kind() != Kind::Input && started.elapsed() < GRACE)
}

/// Pushes nil and LuaSQL's words for what the server or the connection said.
fn push_failure(call: &mut Call<'_>, what: &str, reason: &str) -> Result<usize, Error> {
    call.push_nil()?;
    call.push_bytes(format!("{PREFIX}{what} PostgreSQL: {reason}"))?;
    Ok(2)
}

/// `connect(source[, user[, password[, host[, port]]]])`: a connection, or nil and the reason. The source is the name of
/// a database, or a text of options such as `host=localhost dbname=test`.
fn connect(call: &mut Call<'_>) -> Result<usize, Error> {
    if !call.check_object::<Environment>(1)?.is_open {
        return Err(Error::argument(1, format!("{PREFIX}environment is closed")));
    }
    let mut texts = Vec::new();
    for i in 2..=6 {
        let bytes = if i == 2 {
            Some(call.check_bytes(i)?)
        } else {
            call.opt_bytes(i)?
        };
        let text = bytes.map(std::str::from_utf8).transpose();
        texts.push(text.map_err(|_| Error::argument(i, "invalid UTF-8"))?);
    }
    let source = texts[0].unwrap_or("");
    let given = [
        ("user", texts[1]),
        ("password", texts[2]),
        ("host", texts[3]),
        ("port", texts[4]),
    ];
    call.check_memory(session::MEMORY)?;
    call.check_descriptors(session::DESCRIPTORS)?;
    let options = match call.arg_count() <= 2 || texts[1..].iter().all(Option::is_none) {
        true => conninfo::parse(source),
        false => conninfo::of_parts(source, &given),
    };
    let opened = options.and_then(|options| Session::open(&options, &mut may_wait(call)));
    match opened {
        Ok(session) => {
            call.push_object(Connection {
                session: Arc::new(Mutex::new(Some(session))),
                commits_itself: true,
            })?;
            Ok(1)
        }
        Err(reason) => push_failure(call, "error connecting to database.", &reason),
    }
}

fn connection<'a>(call: &Call<'a>) -> Result<sandbox::native::ObjectMut<'a, Connection>, Error> {
    let connection = call.check_object_mut::<Connection>(1)?;
    if lock(&connection.session).is_none() {
        return Err(Error::argument(1, format!("{PREFIX}connection is closed")));
    }
    Ok(connection)
}

/// `close()`: true, or false when it is closed already.
fn close(call: &mut Call<'_>) -> Result<usize, Error> {
    let connection = call.check_object_mut::<Connection>(1)?;
    let session = lock(&connection.session).take();
    drop(connection);
    call.recount(1)?;
    call.push_bool(session.is_some())?;
    Ok(1)
}

/// Runs statements; the reason when they fail.
fn run(call: &Call<'_>, shared: &Shared, sql: &str) -> Result<Outcome, String> {
    let fits = |len: usize| call.check_memory(len).is_ok();
    match &*lock(shared) {
        Some(session) => session.run(sql, &fits, &mut may_wait(call)),
        None => Err("connection not open".into()),
    }
}

/// `execute(statement)`: a cursor, or how many rows were changed; or nil and the reason.
fn execute(call: &mut Call<'_>) -> Result<usize, Error> {
    let sql = call.check_bytes(2)?;
    call.charge(u32::try_from(sql.len()).unwrap_or(u32::MAX))?;
    let connection = connection(call)?;
    let outcome = match std::str::from_utf8(sql) {
        Ok(sql) => run(call, &connection.session, sql),
        Err(_) => Err("ERROR:  invalid byte sequence for encoding \"UTF8\"\n".into()),
    };
    let session = Arc::clone(&connection.session);
    drop(connection);
    match outcome {
        Ok(Outcome::Changed(n)) => call.push_number(n as f64)?,
        Ok(Outcome::Rows(rows)) => {
            let sql = String::from_utf8_lossy(sql).into_owned();
            call.push_object(Cursor::new(rows, session, sql))?;
            // A session that only cursors know would be counted by nobody.
            call.push_table(1, 0)?;
            call.push_value(1)?;
            call.raw_set_index(-2, 1)?;
            call.set_companion(-2);
        }
        Err(reason) => return push_failure(call, "error executing statement.", &reason),
    }
    Ok(1)
}

/// `escape(text)`: the text as it stands between quotes; a NUL ends it.
fn escape(call: &mut Call<'_>) -> Result<usize, Error> {
    let text = call.check_bytes(2)?;
    call.charge(u32::try_from(text.len()).unwrap_or(u32::MAX))?;
    call.check_memory(2 * text.len())?;
    let connection = connection(call)?;
    let doubles_backslash = lock(&connection.session)
        .as_ref()
        .is_some_and(Session::has_backslash_escapes);
    drop(connection);
    let mut escaped = Vec::with_capacity(text.len());
    for &byte in text.iter().take_while(|&&byte| byte != 0) {
        if byte == b'\'' || (byte == b'\\' && doubles_backslash) {
            escaped.push(byte);
        }
        escaped.push(byte);
    }
    call.push_bytes(escaped)?;
    Ok(1)
}

/// Ends a transaction in one way or the other, and begins the next one unless each statement commits itself.
fn end_transaction(call: &mut Call<'_>, sql: &str) -> Result<usize, Error> {
    let connection = connection(call)?;
    let outcome = match connection.commits_itself {
        // There is nothing to end.
        true => Ok(Outcome::Changed(0)),
        false => run(call, &connection.session, &format!("{sql}; BEGIN")),
    };
    drop(connection);
    push_done(call, outcome)
}

fn push_done(call: &mut Call<'_>, outcome: Result<Outcome, String>) -> Result<usize, Error> {
    match outcome {
        Ok(_) => {
            call.push_bool(true)?;
            Ok(1)
        }
        Err(reason) => push_failure(call, "error executing statement.", &reason),
    }
}

fn commit(call: &mut Call<'_>) -> Result<usize, Error> {
    end_transaction(call, "COMMIT")
}

fn rollback(call: &mut Call<'_>) -> Result<usize, Error> {
    end_transaction(call, "ROLLBACK")
}

/// `setautocommit(on)`: whether each statement commits itself. To turn it on undoes what was not committed.
fn setautocommit(call: &mut Call<'_>) -> Result<usize, Error> {
    let on = call.is_true(2);
    let mut connection = connection(call)?;
    let outcome = match (connection.commits_itself, on) {
        (true, false) => run(call, &connection.session, "BEGIN"),
        (false, true) => run(call, &connection.session, "ROLLBACK"),
        _ => Ok(Outcome::Changed(0)),
    };
    if outcome.is_ok() {
        connection.commits_itself = on;
    }
    drop(connection);
    push_done(call, outcome)
}
