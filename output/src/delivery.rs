//! The `destination` module of output plugins: messages in batches to a server of HTTP, or to the standard output.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hyper::Method;
use sandbox::DeadLetter;
use sandbox::native::{Call, Class, Error, Function, Object, ObjectMut, Registry, function};
use stdx::secret::Secret;

use crate::batch::{Answers, Batches, Limits, Options, Origin};
use crate::destination::{Destination, Outlook};
use crate::http::{Authorization, Endpoint, Settings};
use crate::object_store::{patience, text};
use crate::options::{Table, config};
use crate::record::gather;
use crate::runtime::runtime;
use crate::stdout::Stdout;

/// Memory of a destination beside what it delivers, about.
const MEMORY: usize = 4096;

/// How long a message waits for room before the plugin is told that there is none.
const ROOM_WAIT: Duration = Duration::from_secs(1);

/// Failures are logged so often at most.
const NEWS_EVERY: Duration = Duration::from_secs(10);

/// Headers in a configuration, at most.
const HEADERS_MAX: usize = 100;

/// Of the buffer in which records are put together so much is kept for the next, in bytes.
const RECORD_KEPT: usize = 64 * 1024;

/// Severities of syslog.
const ERROR: u8 = 3;
const WARNING: u8 = 4;

const FUNCTIONS: &[(&str, Function)] = &[("open", function(open))];

/// Offers `destination` to input and output plugins.
pub fn register(registry: &mut Registry) {
    registry.add_io("destination", function(library));
}

fn library(call: &mut Call<'_>) -> Result<usize, Error> {
    call.push_library(FUNCTIONS)?;
    Ok(1)
}

const METHODS: &[(&str, Function)] = &[
    ("flush", function(flush)),
    ("poll", function(poll)),
    ("status", function(status)),
    ("write", function(write)),
];

/// A destination as a plugin has it.
struct Handle {
    batches: Batches,
    /// The newest message that was given.
    newest: Option<u64>,
    /// Failures that were logged, and when.
    told: u64,
    told_at: Option<Instant>,
    /// The largest batch, in bytes.
    batch_size: usize,
    /// A record, while it is put together.
    record: Vec<u8>,
    /// Answers that Lua code was not told yet.
    answers: Answers,
}

impl Object for Handle {
    fn class() -> Class {
        Class {
            name: "foresight.destination",
            methods: METHODS,
            metamethods: &[],
        }
    }

    fn memory(&self) -> usize {
        let letters = self.answers.letters.iter();
        let letters: usize = letters.map(|letter| letter.message.len()).sum();
        MEMORY + self.batches.memory() + self.record.capacity() + letters
    }
}

/// `open(address[, options])`: a destination; nothing is asked of it yet.
fn open(call: &mut Call<'_>) -> Result<usize, Error> {
    let address = text(call, 1)?;
    let stream = stream_of(call)?;
    let ends = config(call, "output_path")?
        .map(|path| PathBuf::from(path).join(format!("{}.ends", call.plugin_name())));
    let keeps_originals = call.keeps_dead_letters()?;
    let mut table = Table::argument(call, 2)?;
    let limits = limits(&mut table)?;
    let packing = table.packing()?;
    let mut pace = table.pace()?;
    let destination: Arc<dyn Destination> = match address {
        "stdout:" => {
            // One write after the other, in the order of the messages; when nobody reads any more, that is the end.
            (pace.concurrency, pace.gives_up) = (1, Outlook::Lasting);
            Arc::new(Stdout::default())
        }
        _ => {
            pace.gives_up = Outlook::Refused;
            let mut settings =
                Settings::new(address).map_err(|reason| Error::argument(1, reason))?;
            settings.packing = packing;
            http_settings(&mut table, &mut settings)?;
            Arc::new(Endpoint::open(settings).map_err(Error::new)?)
        }
    };
    table.done()?;
    let options = Options {
        limits,
        packing,
        stream,
        ends,
        keeps_originals,
    };
    let runtime = runtime().map_err(Error::new)?;
    let batches = Batches::new(runtime, destination, pace, options)
        .map_err(|error| Error::new(format!("the file of ends: {error}")))?;
    call.push_object(Handle {
        batches,
        newest: None,
        told: 0,
        told_at: None,
        batch_size: limits.size,
        record: Vec::new(),
        answers: Answers::default(),
    })?;
    Ok(1)
}

/// What all keys begin with: the host and the plugin, in letters that can stand in a header.
fn stream_of(call: &mut Call<'_>) -> Result<String, Error> {
    let host = config(call, "Hostname")?.unwrap_or_else(|| "unknown".into());
    let clean = |text: &str| -> String {
        let is_good = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        text.chars()
            .take(100)
            .map(|c| if is_good(&c) { c } else { '_' })
            .collect()
    };
    Ok(format!("{}/{}/", clean(&host), clean(call.plugin_name())))
}

fn limits(table: &mut Table<'_, '_>) -> Result<Limits, Error> {
    let default = Limits::default();
    let size = table.number("batch_size", 1.0, 1e9)?;
    let count = table.number("batch_count", 1.0, 1e6)?;
    let age = table.time("batch_age", 1.0)?;
    Ok(Limits {
        size: size.map_or(default.size, |size| size as usize),
        count: count.map_or(default.count, |count| count as usize),
        age: age.unwrap_or(default.age),
    })
}

fn http_settings(table: &mut Table<'_, '_>, settings: &mut Settings) -> Result<(), Error> {
    if let Some(method) = table.text("method")? {
        settings.method = match method.as_str() {
            "POST" => Method::POST,
            "PUT" => Method::PUT,
            _ => return Err(table.wrong("method", "'POST' or 'PUT'")),
        };
    }
    if let Some(kind) = table.text("content_type")? {
        let added = settings.add_header("content-type", &kind);
        added.map_err(|reason| table.refuse(reason))?;
    }
    for (name, value) in table.pairs("headers", HEADERS_MAX)?.unwrap_or_default() {
        let added = settings.add_header(&name, &value);
        added.map_err(|reason| table.refuse(reason))?;
    }
    let secrets = table.pairs("secret_headers", HEADERS_MAX)?;
    for (name, place) in secrets.unwrap_or_default() {
        let added = settings.add_secret_header(&name, &place);
        added.map_err(|reason| table.refuse(reason))?;
    }
    settings.authorization = authorization(table)?;
    if let Some(timeout) = table.time("timeout", 1.0)? {
        settings.timeout = timeout;
    }
    settings.refused = table.statuses("refused")?.unwrap_or_default();
    settings.tls.cafile = table.text("cafile")?.map(PathBuf::from);
    settings.tls.certificate = table.text("certificate")?.map(PathBuf::from);
    settings.tls.key = table.text("key")?.map(PathBuf::from);
    if table.flag("verify")? == Some(false) {
        settings.tls.verify = tls::Verify::None;
    }
    Ok(())
}

fn authorization(table: &mut Table<'_, '_>) -> Result<Option<Authorization>, Error> {
    let token = secret(table, "token")?;
    let user = table.text("user")?;
    let password = secret(table, "password")?;
    match (token, user, password) {
        (None, None, None) => Ok(None),
        (Some(token), None, None) => Ok(Some(Authorization::Bearer(token))),
        (None, Some(user), Some(password)) if !user.contains(':') => {
            Ok(Some(Authorization::Basic { user, password }))
        }
        _ => Err(table.refuse("either token, or user (without ':') and password")),
    }
}

fn secret(table: &mut Table<'_, '_>, name: &'static str) -> Result<Option<Secret>, Error> {
    let Some(place) = table.text(name)? else {
        return Ok(None);
    };
    Secret::from_text(&place)
        .map(Some)
        .map_err(|what| table.wrong(name, &what))
}

fn handle<'a>(call: &Call<'a>) -> Result<ObjectMut<'a, Handle>, Error> {
    call.check_object_mut::<Handle>(1)
}

/// `write(sequence_id, record...)`: takes the record of the current message; true, or nil and `full`.
fn write(call: &mut Call<'_>) -> Result<usize, Error> {
    let mut record = std::mem::take(&mut handle(call)?.record);
    record.clear();
    let Some(sequence) = call.light_at(2) else {
        return Err(call.type_error(2, "lightuserdata"));
    };
    gather(call, 3, &mut record)?;
    let has_room = wait_for_room(call, record.len())?;
    let mut handle = handle(call)?;
    if has_room {
        if handle.newest.is_some_and(|newest| sequence <= newest) {
            return Err(Error::argument(
                2,
                "a message is written once, in its order",
            ));
        }
        let place = call.message_place();
        let added = call.with_message(|view| {
            let origin = Origin {
                sequence,
                place,
                message: view.bytes(),
            };
            handle.batches.add(&record, origin);
        });
        added.ok_or("no active message")?;
        handle.newest = Some(sequence);
    }
    record.shrink_to(RECORD_KEPT);
    handle.record = record;
    drop(handle);
    call.recount(1)?;
    if has_room {
        call.push_bool(true)?;
        return Ok(1);
    }
    call.push_nil()?;
    call.push_bytes("full")?;
    Ok(2)
}

/// Waits until another batch may be under way, and the plugin has the memory for it.
fn wait_for_room(call: &mut Call<'_>, record: usize) -> Result<bool, Error> {
    let runtime = runtime().map_err(Error::new)?;
    let until = Instant::now() + ROOM_WAIT;
    loop {
        let handle = self::handle(call)?;
        // The open batch, its copy for the destination, and the record in it.
        let needed = 2 * (handle.batch_size.min(handle.batches.memory()) + record);
        let fits = call.memory_left().is_none_or(|left| left >= needed);
        if handle.batches.has_room() && fits {
            return Ok(true);
        }
        let is_idle = handle.batches.pending() == 0;
        drop(handle);
        if !fits && is_idle {
            // Nothing will make room.
            call.check_memory(needed)?;
        }
        let mut handle = self::handle(call)?;
        if !fits {
            // What is gathered goes on its way, so that it is over some time.
            handle.batches.seal_early();
        }
        let left = until.saturating_duration_since(Instant::now());
        let next = async {
            tokio::time::timeout(left, handle.batches.next())
                .await
                .unwrap_or(false)
        };
        let came = patience(call).wait(runtime, next).unwrap_or(false);
        broken(&handle)?;
        drop(handle);
        call.recount(1)?;
        if !came {
            return Ok(false);
        }
    }
}

fn broken(handle: &Handle) -> Result<(), Error> {
    match handle.batches.broken() {
        Some(reason) => Err(Error::new(reason.to_owned())),
        None => Ok(()),
    }
}

/// `poll()`: sends what has become too old, and tells `update_checkpoint` what has happened.
fn poll(call: &mut Call<'_>) -> Result<usize, Error> {
    let mut handle = handle(call)?;
    handle.batches.tick();
    drop(handle);
    tell(call)?;
    Ok(0)
}

/// `flush([seconds])`: sends everything and waits for the answers, as long as the plugin may wait; how many are missing.
fn flush(call: &mut Call<'_>) -> Result<usize, Error> {
    /// A day is longer than anybody wants to wait.
    const LONGEST_S: f64 = 86_400.0;
    let seconds = call.opt_number(2)?.unwrap_or(LONGEST_S);
    // What is no number is no time.
    let seconds = if seconds > 0.0 { seconds } else { 0.0 };
    let longest = Duration::from_secs_f64(seconds.min(LONGEST_S));
    let runtime = runtime().map_err(Error::new)?;
    let patience = patience(call);
    let mut handle = handle(call)?;
    handle.batches.seal_early();
    let all = async {
        let all = async { while handle.batches.next().await {} };
        // What has no answer then comes again at the next start.
        let _ = tokio::time::timeout(longest, all).await;
    };
    let _ = patience.wait(runtime, all);
    let pending = handle.batches.pending();
    drop(handle);
    tell(call)?;
    call.push_number(pending as f64)?;
    Ok(1)
}

/// Hands on what has happened: to the engine, to the log, among the dead letters.
fn tell(call: &mut Call<'_>) -> Result<(), Error> {
    let mut handle = handle(call)?;
    let news = handle.batches.take_answers();
    let held = std::mem::take(&mut handle.answers.done);
    let newest = handle.newest;
    let is_given = call.has_message();
    // While a message is processed the engine does not know yet that it is under way.
    let (now, later): (Vec<_>, Vec<_>) = held
        .into_iter()
        .chain(news.done)
        .partition(|(sequence, _)| !(is_given && Some(*sequence) == newest));
    handle.answers.done = later;
    let failures = failures(&mut handle);
    let broken = broken(&handle);
    drop(handle);
    call.recount(1)?;
    for text in &news.problems {
        call.log(WARNING, text);
    }
    if let Some((severity, text)) = failures {
        call.log(severity, &text);
    }
    for letter in &news.letters {
        call.dead_letter(DeadLetter::Message(&letter.message), &letter.reason);
    }
    for (sequence, has_arrived) in now {
        call.acknowledge(sequence, u64::from(!has_arrived))?;
    }
    broken
}

/// What went wrong since it was told last; seldom, since attempts go on.
fn failures(handle: &mut Handle) -> Option<(u8, String)> {
    if handle
        .told_at
        .is_some_and(|told| told.elapsed() < NEWS_EVERY)
    {
        return None;
    }
    let troubles = handle.batches.troubles();
    let more = troubles.count - handle.told;
    if more == 0 {
        return None;
    }
    (handle.told, handle.told_at) = (troubles.count, Some(Instant::now()));
    let text = format!("{more} attempts failed, the last: {}", troubles.last);
    Some((if troubles.lasts { ERROR } else { WARNING }, text))
}

/// `status()`: a table of numbers, and the last failure.
fn status(call: &mut Call<'_>) -> Result<usize, Error> {
    let handle = handle(call)?;
    let troubles = handle.batches.troubles();
    let (arrived, refused) = handle.batches.counts();
    let numbers = [
        ("pending", handle.batches.pending() as f64),
        ("arrived", arrived as f64),
        ("refused", refused as f64),
        ("failures", troubles.count as f64),
        ("memory", handle.batches.memory() as f64),
    ];
    drop(handle);
    call.push_table(0, numbers.len() + 1)?;
    for (name, number) in numbers {
        call.push_number(number)?;
        call.raw_set_field(-2, name)?;
    }
    if troubles.count > 0 {
        call.push_bytes(troubles.last)?;
        call.raw_set_field(-2, "last_failure")?;
    }
    Ok(1)
}
