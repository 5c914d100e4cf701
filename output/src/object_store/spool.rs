//! `object_store.spool`: growing files that end in a store, for output plugins.

use std::io;
use std::path::PathBuf;

use sandbox::DeadLetter;
use sandbox::append_file::Frames;
use sandbox::native::{Call, Class, Error, Function, Object, ObjectMut, function};

use super::{StoreHandle, patience, text};
use crate::courier::{Courier, Pace};
use crate::destination::Outlook;
use crate::options::{Table, config};
use crate::packing::Packing;
use crate::record::gather;
use crate::runtime::runtime;
use crate::spool::{Naming, Options, Owner, PARTS_MAX, Problem, Spool, now_s};

/// The defaults of the public output plugin.
const ROLL_SIZE: f64 = 314_572_800.0;
const ROLL_AGE_S: f64 = 3600.0;
const HANDLES: f64 = 1000.0;

/// Severities of syslog.
const ERROR: u8 = 3;
const WARNING: u8 = 4;

const METHODS: &[(&str, Function)] = &[
    ("commit", function(commit)),
    ("fits", function(fits)),
    ("is_known", function(is_known)),
    ("keep", function(keep)),
    ("note", function(note)),
    ("status", function(status)),
    ("tick", function(tick)),
    ("wait", function(wait)),
    ("write", function(write)),
];

/// A spool as a plugin has it.
struct SpoolHandle {
    spool: Spool,
    /// Troubles that were logged.
    told: u64,
    /// A record, while it is put together.
    record: Vec<u8>,
}

impl Object for SpoolHandle {
    fn class() -> Class {
        Class {
            name: "foresight.object_store.spool",
            methods: METHODS,
            metamethods: &[],
        }
    }

    fn memory(&self) -> usize {
        self.spool.memory() + self.record.capacity()
    }
}

/// `spool(options)`
pub(super) fn open(call: &mut Call<'_>) -> Result<usize, Error> {
    call.check_table(1)?;
    let owner = owner(call)?;
    let queues = config(call, "output_path")?.map(PathBuf::from);
    let plugin = call.plugin_name();
    let mut table = Table::argument(call, 1)?;
    let dir: PathBuf = table
        .text("dir")?
        .ok_or_else(|| Error::argument(1, "dir must be a string"))?
        .into();
    let name = table
        .text("name")?
        .map_or(String::new(), |name| format!(".{name}"));
    let file = format!("{plugin}{}.spool", name.replace('/', "_"));
    let packing = table.packing()?;
    let options = Options {
        journal: queues.as_ref().unwrap_or(&dir).join(file),
        naming: naming(&mut table)?,
        roll_size: table.number("roll_size", 1.0, 1e15)?.unwrap_or(ROLL_SIZE) as u64,
        roll_age_s: table.number("roll_age", 0.0, 1e12)?.unwrap_or(ROLL_AGE_S) as i64,
        handles_max: table.number("handles", 1.0, 1e6)?.unwrap_or(HANDLES) as usize,
        sync: table.flag("sync")?.unwrap_or(true),
        frames: frames(&mut table)?,
        dir,
        queues,
        owner,
        packing,
    };
    let store = table.with("store", |call| {
        let found = call.with_object::<StoreHandle, _>(-1, |store| {
            let destination = std::sync::Arc::clone(&store.access.store);
            (
                destination as std::sync::Arc<dyn crate::destination::Destination>,
                store.pace.clone(),
            )
        });
        found.ok_or_else(|| Error::argument(1, "store must be a store"))
    })?;
    table.done()?;
    if store.is_none() && options.packing != Packing::None {
        return Err(Error::argument(1, "compression needs a store"));
    }
    let runtime = runtime().map_err(Error::new)?;
    let courier = store.map(|(destination, pace)| {
        // What lies on the disk is only set aside when the store does not want it.
        let pace = Pace {
            gives_up: Outlook::Refused,
            ..pace
        };
        Courier::new(runtime, destination, pace)
    });
    let dir = options.dir.display().to_string();
    let (spool, recovery) =
        Spool::open(options, courier).map_err(|error| Error::new(format!("{dir}: {error}")))?;
    for report in &recovery.reports {
        call.log(WARNING, report);
    }
    call.push_object(SpoolHandle {
        spool,
        told: 0,
        record: Vec::new(),
    })?;
    Ok(1)
}

fn owner(call: &mut Call<'_>) -> Result<Owner, Error> {
    let host = config(call, "Hostname")?.unwrap_or_else(|| "unknown".into());
    let pid = config(call, "Pid")?
        .and_then(|pid| pid.parse::<f64>().ok())
        .unwrap_or(0.0);
    Ok(Owner {
        // It goes into file names and keys.
        host: host.replace(['/', '+'], "_"),
        pid: pid as i64,
    })
}

fn naming(table: &mut Table<'_, '_>) -> Result<Naming, Error> {
    let ending = table.text("ending")?;
    Ok(match (table.texts("groups")?, table.text("part")?) {
        (None, None) => Naming::Stamped,
        (Some(groups), None) => Naming::Dated(groups),
        (None, Some(part)) if part.len() > 1 => Naming::Whole {
            part,
            ending: ending.unwrap_or_default(),
        },
        _ => return Err(Error::argument(1, "part must be an ending, without groups")),
    })
}

fn frames(table: &mut Table<'_, '_>) -> Result<Frames, Error> {
    match table.text("frames")?.as_deref() {
        None | Some("heka") => Ok(Frames::Heka),
        Some("lines") => Ok(Frames::Lines),
        Some("none") => Ok(Frames::None),
        Some(_) => Err(Error::argument(
            1,
            "frames must be 'lines', 'heka' or 'none'",
        )),
    }
}

fn handle<'a>(call: &Call<'a>) -> Result<ObjectMut<'a, SpoolHandle>, Error> {
    call.check_object_mut::<SpoolHandle>(1)
}

fn push_outcome(call: &mut Call<'_>, outcome: io::Result<()>) -> Result<usize, Error> {
    call.recount(1)?;
    match outcome {
        Ok(()) => {
            call.push_bool(true)?;
            Ok(1)
        }
        Err(error) => {
            call.push_nil()?;
            call.push_bytes(error.to_string())?;
            Ok(2)
        }
    }
}

/// `write(group, record...)`: the parts, texts or zero-copy readers, make one record of the current message.
fn write(call: &mut Call<'_>) -> Result<usize, Error> {
    let group = text(call, 2)?;
    let place = call.message_place();
    let mut record = std::mem::take(&mut handle(call)?.record);
    record.clear();
    gather(call, 3, &mut record)?;
    let mut handle = handle(call)?;
    let outcome = handle.spool.write(group, &record, place);
    record.shrink_to(RECORD_KEPT);
    handle.record = record;
    drop(handle);
    push_outcome(call, outcome)
}

/// Of the buffer in which records are put together so much is kept for the next, in bytes.
const RECORD_KEPT: usize = 64 * 1024;

/// `fits(group)`: whether the name of its file is not too long and otherwise good.
fn fits(call: &mut Call<'_>) -> Result<usize, Error> {
    let group = text(call, 2)?;
    let fits = handle(call)?.spool.fits(group);
    call.push_bool(fits)?;
    Ok(1)
}

/// `is_known()`: whether an earlier run has the current message.
fn is_known(call: &mut Call<'_>) -> Result<usize, Error> {
    let known = handle(call)?.spool.is_known(call.message_place());
    call.push_bool(known)?;
    Ok(1)
}

/// `note()`: the current message is in what the next `keep` takes.
fn note(call: &mut Call<'_>) -> Result<usize, Error> {
    handle(call)?.spool.note(call.message_place());
    Ok(0)
}

/// `keep(files)`: takes whole files, a table from their names to their groups.
fn keep(call: &mut Call<'_>) -> Result<usize, Error> {
    call.check_table(2)?;
    let mut files = Vec::new();
    call.for_each(2, |call| {
        let word = |i| {
            call.bytes_at(i)
                .and_then(|word| std::str::from_utf8(word).ok())
        };
        let (Some(name), Some(group)) = (word(-2), word(-1)) else {
            return Err(Error::argument(2, "names and groups must be strings"));
        };
        if files.len() >= PARTS_MAX {
            return Err(Error::argument(2, format!("more than {PARTS_MAX} files")));
        }
        files.push((name.to_owned(), group.to_owned()));
        Ok(())
    })?;
    files.sort();
    let mut handle = handle(call)?;
    let is_good =
        |(name, group): &(String, String)| !name.contains('/') && handle.spool.fits(group);
    if !files.iter().all(is_good) {
        return Err(Error::argument(
            2,
            "a name or group cannot be that of a file",
        ));
    }
    let outcome = handle.spool.keep(&files);
    drop(handle);
    push_outcome(call, outcome)
}

/// `commit()`: true, once nothing that was written can be lost.
fn commit(call: &mut Call<'_>) -> Result<usize, Error> {
    let outcome = handle(call)?.spool.commit();
    push_outcome(call, outcome)
}

/// `tick([all])`: finishes files that are due, or all, and commits; sees to what was carried.
fn tick(call: &mut Call<'_>) -> Result<usize, Error> {
    let all = call.is_true(2);
    let mut handle = handle(call)?;
    let outcome = handle.spool.tick(now_s(), all);
    let problems = handle.spool.carrier().map(crate::spool::Carrier::settle);
    let news = news(&mut handle);
    drop(handle);
    tell(call, problems.unwrap_or_default(), news);
    push_outcome(call, outcome)
}

/// Logs what went wrong; what the store refused goes among the dead letters, as the path of its file.
fn tell(call: &Call<'_>, problems: Vec<Problem>, news: Option<String>) {
    for problem in problems {
        match problem {
            Problem::Told(text) => call.log(WARNING, &text),
            Problem::Refused(path, reason) => {
                call.log(ERROR, &format!("the store refuses {path}: {reason}"));
                call.dead_letter(DeadLetter::File(&path), &reason);
            }
        }
    }
    if let Some(text) = news {
        call.log(WARNING, &text);
    }
}

/// What went wrong since it was told last.
fn news(handle: &mut SpoolHandle) -> Option<String> {
    let troubles = handle.spool.carrier()?.troubles();
    let more = troubles.count - handle.told;
    handle.told = troubles.count;
    (more > 0).then(|| format!("{more} attempts failed, the last: {}", troubles.last))
}

/// `wait()`: waits until all finished files are carried, as long as the plugin may wait; how many are not.
fn wait(call: &mut Call<'_>) -> Result<usize, Error> {
    let patience = patience(call);
    let runtime = runtime().map_err(Error::new)?;
    let mut handle = handle(call)?;
    let mut problems = Vec::new();
    let mut pending = 0;
    if let Some(carrier) = handle.spool.carrier() {
        problems = carrier.wait(runtime, &patience);
        pending = carrier.pending();
    }
    let news = news(&mut handle);
    drop(handle);
    tell(call, problems, news);
    call.push_number(pending as f64)?;
    Ok(1)
}

/// `status()`: a table of numbers, and the last failure.
fn status(call: &mut Call<'_>) -> Result<usize, Error> {
    let mut handle = handle(call)?;
    let mut numbers = vec![
        ("growing", handle.spool.growing() as f64),
        ("handles", handle.spool.handles() as f64),
        ("memory", handle.spool.memory() as f64),
    ];
    let mut last = None;
    if let Some(carrier) = handle.spool.carrier() {
        let troubles = carrier.troubles();
        numbers.push(("carried", carrier.carried() as f64));
        numbers.push(("pending", carrier.pending() as f64));
        numbers.push(("refused", carrier.refused() as f64));
        numbers.push(("failures", troubles.count as f64));
        last = (troubles.count > 0).then_some(troubles.last);
    }
    drop(handle);
    call.push_table(0, numbers.len() + 1)?;
    for (name, number) in numbers {
        call.push_number(number)?;
        call.raw_set_field(-2, name)?;
    }
    if let Some(last) = last {
        call.push_bytes(last)?;
        call.raw_set_field(-2, "last_failure")?;
    }
    Ok(1)
}
