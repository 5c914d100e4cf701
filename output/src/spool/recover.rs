//! Puts in order what an earlier run of a spool has left, whether it ended or was killed.

use std::collections::HashSet;
use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;

use sandbox::MessagePlace;
use sandbox::append_file::AppendFile;

use super::journal::{Done, Facts, Open};
use super::names::DONE;
use super::part::Part;
use super::{Packing, Spool, now_s};

/// What was found at the start.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recovery {
    /// What an operator should know, a line each.
    pub reports: Vec<String>,
    /// Files that are carried to the store now, though an earlier run has finished them.
    pub carried: usize,
}

/// Begins a spool with what the journal says and the folder holds.
pub(super) fn recover(spool: &mut Spool, facts: Option<Facts>) -> io::Result<Recovery> {
    let facts = facts.unwrap_or_default();
    let mut recovery = Recovery::default();
    let stale = |place: &MessagePlace| {
        spool
            .options
            .queues
            .as_deref()
            .is_some_and(|queues| is_stale(queues, *place))
    };
    let is_exact = !facts.places.iter().flatten().any(stale);
    if is_exact {
        spool.known = facts.places;
    } else {
        let text = "the queues are not those of the journal: all that the files hold is kept, and may come again";
        recovery.reports.push(text.into());
    }
    spool.stamp = facts.stamp;
    let mut recover = Recover {
        spool,
        recovery,
        is_exact,
    };
    for done in &facts.done {
        let goes_on = facts.open.iter().any(|open| open.name == done.name);
        recover.settle(done, goes_on)?;
    }
    for open in facts.open {
        recover.go_on(open)?;
    }
    recover.leftovers()?;
    Ok(recover.recovery)
}

struct Recover<'s> {
    spool: &'s mut Spool,
    recovery: Recovery,
    /// Whether what the journal does not know of comes again from the queues.
    is_exact: bool,
}

impl Recover<'_> {
    /// Gives a finished file its last name, if the earlier run did not come to that. When a file of the same name was begun
    /// again it did, and the file was carried away since.
    fn settle(&mut self, done: &Done, goes_on: bool) -> io::Result<()> {
        let dir = &self.spool.options.dir;
        let (path, last) = (dir.join(&done.name), dir.join(&done.done));
        if goes_on || last.exists() || !path.exists() {
            return Ok(());
        }
        match self.cut(&done.name, done.size)? {
            0 => std::fs::remove_file(path),
            _ => std::fs::rename(path, last),
        }
    }

    fn go_on(&mut self, open: Open) -> io::Result<()> {
        if !self.spool.options.dir.join(&open.name).exists() {
            if open.size > 0 {
                self.report(format!("{} is gone with {} bytes", open.name, open.size));
            }
            return Ok(());
        }
        let size = self.cut(&open.name, open.size)?;
        self.spool
            .add(open.group, Part::new(open.name, open.begun_s, size));
        Ok(())
    }

    /// Cuts off what the journal does not know of, if it comes again, otherwise only what is torn; the length then.
    fn cut(&mut self, name: &str, size: u64) -> io::Result<u64> {
        let path = self.spool.options.dir.join(name);
        let len = std::fs::metadata(&path)?.len();
        if self.is_exact && len >= size {
            if len > size {
                OpenOptions::new().write(true).open(&path)?.set_len(size)?;
            }
            return Ok(size);
        }
        if len < size {
            self.report(format!("{name} has lost {} of {size} bytes", size - len));
        }
        Ok(AppendFile::open(&path, self.spool.options.frames)?.size())
    }

    /// Finishes files that no journal knows, such as those of Hindsight, and gives all finished ones to the store.
    fn leftovers(&mut self) -> io::Result<()> {
        let growing: HashSet<String> = self
            .spool
            .parts
            .values()
            .map(|part| part.name.clone())
            .collect();
        let mut finished = Vec::new();
        for item in std::fs::read_dir(&self.spool.options.dir)? {
            let item = item?;
            let Ok(name) = item.file_name().into_string() else {
                continue;
            };
            let is_ours = !name.starts_with('.') && self.spool.options.naming.owns(&name);
            if !is_ours || growing.contains(&name) || !item.file_type()?.is_file() {
                continue;
            }
            if is_aside(&name) || self.spool.options.naming.is_unfinished(&name) {
                std::fs::remove_file(item.path())?;
            } else if name.ends_with(DONE) {
                finished.push(name);
            } else if !is_set_aside(&name) {
                finished.extend(self.finish(&name, &item.path())?);
            }
        }
        finished.sort();
        if let Some(carrier) = &mut self.spool.carrier {
            self.recovery.carried = finished.len();
            finished.iter().for_each(|name| carrier.take(name));
        }
        Ok(())
    }

    /// Finishes one; its last name, if it holds anything.
    fn finish(&mut self, name: &str, path: &Path) -> io::Result<Option<String>> {
        let size = AppendFile::open(path, self.spool.options.frames)?.size();
        if size == 0 {
            std::fs::remove_file(path)?;
            return Ok(None);
        }
        let stamp = self.spool.next_stamp(now_s());
        let options = &self.spool.options;
        let done = options.naming.done_name(name, stamp, &options.owner);
        File::open(path)?.sync_data()?;
        std::fs::rename(path, options.dir.join(&done))?;
        Ok(Some(done))
    }

    fn report(&mut self, text: String) {
        self.recovery.reports.push(text);
    }
}

/// What was being compressed when the earlier run ended.
fn is_aside(name: &str) -> bool {
    let aside = |packing: Packing| name.ends_with(&super::carry::aside_ending(packing));
    aside(Packing::Gzip) || aside(Packing::Zstd)
}

/// What was cut off a torn file, or is being written by somebody else.
fn is_set_aside(name: &str) -> bool {
    name.ends_with(".torn") || name.ends_with(".tmp")
}

/// Whether the queues below `queues` cannot be those that had a message at `place`: they were removed, or have lost their end.
fn is_stale(queues: &Path, place: MessagePlace) -> bool {
    let queue = queues.join(if place.in_analysis {
        "analysis"
    } else {
        "input"
    });
    let Ok(found) = std::fs::read_dir(&queue) else {
        return true;
    };
    let segments = found.flatten().filter_map(|item| {
        let name = item.file_name().into_string().ok()?;
        name.strip_suffix(".log")?.parse::<u64>().ok()
    });
    let Some(newest) = segments.max() else {
        return true;
    };
    if newest != place.segment {
        return newest < place.segment;
    }
    let len = std::fs::metadata(queue.join(format!("{newest}.log"))).map_or(0, |found| found.len());
    len <= place.offset
}
