//! One connection to a server: statements run on the calling thread, and a wait ends soon after the host stops.

use std::cell::Cell;
use std::pin::pin;
use std::time::Duration;

use futures_util::StreamExt;
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_postgres::{Client, SimpleQueryMessage, SimpleQueryRow};

use super::conninfo::Options;

/// The longest time between two looks at whether the plugin has to stop.
const STEP: Duration = Duration::from_millis(100);
/// How long the server may take to hear that the connection ends.
const GOODBYE: Duration = Duration::from_secs(1);
/// Descriptors of a connection: its socket, and what its runtime waits with.
pub(super) const DESCRIPTORS: usize = 4;
/// What a connection holds, about: buffers and a runtime.
pub(super) const MEMORY: usize = 64 * 1024;
/// Memory of a value beside its bytes.
const VALUE_MEMORY: usize = 32;

/// What PostgreSQL's own library says when the other side is gone; plugins look for it to connect again.
const GONE: &str = "EOF detected";

/// Says whether waiting may go on.
pub(super) type Running<'r> = &'r mut dyn FnMut() -> bool;

/// An open connection.
pub(super) struct Session {
    /// None while it is dropped.
    runtime: Option<Runtime>,
    client: Option<Client>,
    connection: Option<JoinHandle<()>>,
    has_backslash_escapes: bool,
    /// Set by the first statement that noticed that the connection is gone, or was left alone.
    is_broken: Cell<bool>,
}

/// What statements gave: the last of them.
pub(super) enum Outcome {
    /// So many rows were changed.
    Changed(u64),
    /// Rows.
    Rows(Rows),
}

/// Rows that were read.
pub(super) struct Rows {
    /// Names of the columns.
    pub(super) names: Vec<String>,
    /// The rows.
    pub(super) rows: Vec<SimpleQueryRow>,
    /// About how much memory all of it takes.
    pub(super) bytes: usize,
}

impl Rows {
    /// The text of a column of a row; `None` for NULL.
    pub(super) fn value(&self, row: usize, column: usize) -> Option<&str> {
        self.rows.get(row)?.try_get(column).ok().flatten()
    }
}

impl Session {
    /// Connects.
    ///
    /// # Errors
    /// The reason in the server's words, or why there is no connection.
    pub(super) fn open(options: &Options, running: Running<'_>) -> Result<Session, String> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .enable_time()
            .build()
            .map_err(|error| error.to_string())?;
        let tls = options.tls()?;
        let opened = runtime.block_on(patiently(options.config.connect(tls), running));
        let opened = opened.map(|opened| {
            opened.map(|(client, connection)| {
                let escapes = connection.parameter("standard_conforming_strings") != Some("on");
                let connection = runtime.spawn(async move {
                    // What breaks the connection is told by the statement that notices.
                    let _ = connection.await;
                });
                (client, connection, escapes)
            })
        });
        let outcome = match opened {
            Some(Ok((client, connection, has_backslash_escapes))) => {
                return Ok(Session {
                    runtime: Some(runtime),
                    client: Some(client),
                    connection: Some(connection),
                    has_backslash_escapes,
                    is_broken: Cell::new(false),
                });
            }
            Some(Err(error)) => Err(text_of(&error)),
            None => Err("timeout".into()),
        };
        // A name server that hangs must not hold the plugin.
        runtime.shutdown_background();
        outcome
    }

    /// Whether a backslash in a text has a meaning to the server.
    pub(super) fn has_backslash_escapes(&self) -> bool {
        self.has_backslash_escapes
    }

    fn parts(&self) -> Result<(&Runtime, &Client), String> {
        match (&self.runtime, &self.client) {
            (Some(runtime), Some(client)) if !client.is_closed() && !self.is_broken.get() => {
                Ok((runtime, client))
            }
            _ => Err("connection not open\n".into()),
        }
    }

    /// Runs statements, as long as `fits` agrees to the size of the result.
    ///
    /// # Errors
    /// The server's words; `not enough memory`; `timeout` when the host stops.
    pub(super) fn run(
        &self,
        sql: &str,
        fits: &dyn Fn(usize) -> bool,
        running: Running<'_>,
    ) -> Result<Outcome, String> {
        let (runtime, client) = self.parts()?;
        let finished = runtime.block_on(patiently(collect(client, sql, fits), running));
        let outcome = finished.unwrap_or_else(|| Err("timeout".into()));
        if let Err(reason) = &outcome {
            let is_gone = reason.contains(GONE) || reason == "timeout";
            self.is_broken.set(is_gone);
        }
        outcome
    }

    /// The types of a statement's columns; none when it cannot be described.
    pub(super) fn types(&self, sql: &str, running: Running<'_>) -> Vec<String> {
        let Ok((runtime, client)) = self.parts() else {
            return Vec::new();
        };
        let prepared = runtime.block_on(patiently(client.prepare(sql), running));
        let Some(Ok(statement)) = prepared else {
            return Vec::new();
        };
        let names = statement.columns().iter().map(|column| {
            let name = column.type_().name();
            match name {
                // The length has the four bytes before the text in it.
                "bpchar" | "varchar" => format!("{name} ({})", column.type_modifier() - 4),
                _ => name.to_owned(),
            }
        });
        names.collect()
    }
}

/// Waits for `work`, and looks now and then whether waiting may go on: `None` when it may not.
async fn patiently<T>(work: impl Future<Output = T>, running: Running<'_>) -> Option<T> {
    let mut work = pin!(work);
    loop {
        match timeout(STEP, &mut work).await {
            Ok(done) => return Some(done),
            Err(_) if running() => {}
            Err(_) => return None,
        }
    }
}

async fn collect(
    client: &Client,
    sql: &str,
    fits: &dyn Fn(usize) -> bool,
) -> Result<Outcome, String> {
    let told = |error: tokio_postgres::Error| text_of(&error);
    let mut messages = pin!(client.simple_query_raw(sql).await.map_err(told)?);
    let mut outcome = Outcome::Changed(0);
    let mut current: Option<Rows> = None;
    while let Some(message) = messages.next().await {
        match message.map_err(told)? {
            SimpleQueryMessage::RowDescription(columns) => {
                let names = columns.iter().map(|column| column.name().to_owned());
                current = Some(Rows {
                    names: names.collect(),
                    rows: Vec::new(),
                    bytes: 0,
                });
            }
            SimpleQueryMessage::Row(row) => {
                let Some(rows) = &mut current else { continue };
                rows.bytes += size_of(&row);
                if !fits(rows.bytes) {
                    return Err("not enough memory".into());
                }
                rows.rows.push(row);
            }
            SimpleQueryMessage::CommandComplete(n) => {
                outcome = match current.take() {
                    Some(rows) => Outcome::Rows(rows),
                    None => Outcome::Changed(n),
                };
            }
            _ => {}
        }
    }
    Ok(outcome)
}

fn size_of(row: &SimpleQueryRow) -> usize {
    let values = (0..row.len()).map(|i| {
        let text = row.try_get(i).ok().flatten();
        VALUE_MEMORY + text.map_or(0, str::len)
    });
    VALUE_MEMORY + values.sum::<usize>()
}

/// An error in the words of PostgreSQL's own library, which plugins look for.
fn text_of(error: &tokio_postgres::Error) -> String {
    let Some(said) = error.as_db_error() else {
        let mut text = error.to_string();
        if let Some(cause) = std::error::Error::source(error) {
            text = format!("{text}: {cause}");
        }
        let is_gone = error.is_closed() || text.contains("communicating with the server");
        return if is_gone {
            format!("{text}: {GONE}\n")
        } else {
            text
        };
    };
    let mut text = format!("{}:  {}\n", said.severity(), said.message());
    for (name, more) in [("DETAIL", said.detail()), ("HINT", said.hint())] {
        if let Some(more) = more {
            text.push_str(&format!("{name}:  {more}\n"));
        }
    }
    // After these the server hangs up.
    if matches!(said.severity(), "FATAL" | "PANIC") {
        text.push_str(&format!(
            "server closed the connection unexpectedly: {GONE}\n"
        ));
    }
    text
}

impl Drop for Session {
    fn drop(&mut self) {
        // Without its client the connection says goodbye and ends.
        self.client = None;
        if let (Some(runtime), Some(connection)) = (self.runtime.take(), self.connection.take()) {
            let _ = runtime.block_on(async { timeout(GOODBYE, connection).await });
            runtime.shutdown_background();
        }
    }
}
