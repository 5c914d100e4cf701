//! Files that grow side by side on the local disk, are finished by size and age, and are carried into a store: every message
//! is in them once, whatever happens to the program.
//!
//! At a commit all files are brought to the disk, then the journal says how long each is and which message of the queues was
//! the last. Only then may a plugin say that it has delivered. After a crash each file is cut to the length that the journal
//! says, and messages that come again though the journal has them are left out. A file gets its last name, and is given to
//! the store, only after a commit has it; from then on its key and its bytes are fixed, so that carrying it a second time
//! changes nothing. It is removed here when the store has it for good.

mod carry;
mod journal;
mod names;
mod part;
mod recover;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io;
use std::path::PathBuf;

use sandbox::MessagePlace;
use sandbox::append_file::{Frames, sync_folder};

use crate::courier::Courier;
use crate::packing::Packing;

use journal::{Done, Facts, Journal, Open};
use part::{BUFFER, Part};

pub use carry::{Carrier, Problem, REFUSED};
pub use names::{Naming, Owner};
pub use recover::Recovery;

/// Files that grow at once, at most; beyond, those that were not written to for longest are finished early.
pub const PARTS_MAX: usize = 10_000;

/// How many are finished then: one part in so many, so that it is rare.
const EARLY_SHARE: usize = 10;

/// Memory of a growing file beside its names and its buffer, in bytes.
const PART_MEMORY: usize = 320;

/// How a spool works.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where the files are.
    pub dir: PathBuf,
    /// Where the journal is; it belongs to the places in the queues, and so beside the engine's checkpoints.
    pub journal: PathBuf,
    /// The engine's output path, whose queues the journal speaks of; none if it is not known.
    pub queues: Option<PathBuf>,
    /// How files are called.
    pub naming: Naming,
    /// What goes into names.
    pub owner: Owner,
    /// A file is finished when it has so many bytes.
    pub roll_size: u64,
    /// A file is finished when it is so old, in seconds.
    pub roll_age_s: i64,
    /// Files that are open at once.
    pub handles_max: usize,
    /// Whether a commit waits for the disk itself.
    pub sync: bool,
    /// Where a record ends, for files that a crash has left and no journal knows.
    pub frames: Frames,
    /// What files are compressed with for the store.
    pub packing: Packing,
}

/// Growing files and those that are carried away.
pub struct Spool {
    options: Options,
    parts: HashMap<String, Part>,
    /// Groups of open files by the count of writes at their last one.
    open: BTreeMap<u64, String>,
    writes: u64,
    /// Everything up to and with these messages was written.
    places: [Option<MessagePlace>; 2],
    /// What an earlier run has written and comes again.
    known: [Option<MessagePlace>; 2],
    /// The message written last.
    current: Option<MessagePlace>,
    has_full: bool,
    is_dirty: bool,
    stamp: (i64, u64),
    /// Whole files that the journal has and whose last names the system has refused so far.
    unnamed: Vec<Done>,
    journal: Journal,
    carrier: Option<Carrier>,
    memory: usize,
    n_buffers: usize,
}

impl Spool {
    /// Puts in order what an earlier run has left, and goes on with it.
    ///
    /// # Errors
    /// The system's.
    pub fn open(options: Options, courier: Option<Courier>) -> io::Result<(Spool, Recovery)> {
        std::fs::create_dir_all(&options.dir)?;
        let (journal, facts) = Journal::open(options.journal.clone())?;
        let carrier = courier.map(|courier| {
            let ending = options.naming.ending().to_owned();
            Carrier::new(courier, options.dir.clone(), ending, options.packing)
        });
        let mut spool = Spool {
            options,
            parts: HashMap::new(),
            open: BTreeMap::new(),
            writes: 0,
            places: [None; 2],
            known: [None; 2],
            current: None,
            has_full: false,
            is_dirty: true,
            stamp: (0, 0),
            unnamed: Vec::new(),
            journal,
            carrier,
            memory: 0,
            n_buffers: 0,
        };
        let recovery = recover::recover(&mut spool, facts)?;
        spool.commit()?;
        Ok((spool, recovery))
    }

    /// Adds a record of the message at `place` to the file of a group. What is there already is not added again.
    ///
    /// # Errors
    /// When the group cannot be a file's name; the system's, after which nothing was written.
    pub fn write(
        &mut self,
        group: &str,
        record: &[u8],
        place: Option<MessagePlace>,
    ) -> io::Result<()> {
        if self.is_known(place) {
            return Ok(());
        }
        if self.has_full && (place.is_none() || place != self.current) {
            self.roll(|part| part.is_full)?;
        }
        if !self.parts.contains_key(group) {
            self.begin(group)?;
        }
        self.use_handle(group)?;
        let part = self
            .parts
            .get_mut(group)
            .expect("it was looked up or begun above");
        let had_buffer = part.has_buffer();
        let written = part.append(&self.options.dir, record);
        self.n_buffers = self.n_buffers + usize::from(part.has_buffer()) - usize::from(had_buffer);
        written?;
        if part.size() >= self.options.roll_size {
            (part.is_full, self.has_full) = (true, true);
        }
        self.note(place);
        Ok(())
    }

    /// Remembers that the message at `place` is in a file, or in what will be one at the next commit or [`Spool::keep`].
    pub fn note(&mut self, place: Option<MessagePlace>) {
        if let Some(place) = place {
            self.places[usize::from(place.in_analysis)] = Some(place);
        }
        (self.current, self.is_dirty) = (place, true);
    }

    /// Takes whole files, by name and group, that hold everything noted until now. They must be on the disk already if commits
    /// wait for it. When this returns they are the spool's, and their messages are in the lake once.
    ///
    /// # Errors
    /// The system's; then nothing has changed, and the same files can be kept later.
    pub fn keep(&mut self, files: &[(String, String)]) -> io::Result<()> {
        let now = now_s();
        let mut done = Vec::with_capacity(files.len());
        for (name, group) in files {
            let size = std::fs::metadata(self.options.dir.join(name))?.len();
            done.push(Done {
                size,
                name: name.clone(),
                done: self.unused_name(group, now),
            });
        }
        self.write_down(done.clone())?;
        self.unnamed.append(&mut done);
        // What the system refuses now is in the journal, and is tried again at the next tick.
        let _ = self.name_kept();
        Ok(())
    }

    /// A last name that nothing in the folder has: somebody else's file may lie there.
    fn unused_name(&mut self, group: &str, now_s: i64) -> String {
        loop {
            let stamp = self.next_stamp(now_s);
            let (naming, owner) = (&self.options.naming, &self.options.owner);
            let name = naming.done_name(group, stamp, owner);
            if !self.options.dir.join(&name).exists() {
                return name;
            }
        }
    }

    /// Gives files that were kept their last names.
    fn name_kept(&mut self) -> io::Result<()> {
        while let Some(done) = self.unnamed.pop() {
            if let Err(error) = self.give_last_name(&done) {
                self.unnamed.push(done);
                return Err(error);
            }
        }
        self.sync_dir()
    }

    /// Whether an earlier run has written this message.
    pub fn is_known(&self, place: Option<MessagePlace>) -> bool {
        place.is_some_and(|place| Some(place) <= self.known[usize::from(place.in_analysis)])
    }

    /// Whether a group's file can have a name.
    pub fn fits(&self, group: &str) -> bool {
        let is_good = |c: char| !c.is_control() && c != '/';
        !group.is_empty()
            && !group.starts_with('.')
            && group.chars().all(is_good)
            && self.options.naming.fits(group, &self.options.owner)
    }

    /// Brings everything to the disk; from then on nothing of it is lost or written twice.
    ///
    /// # Errors
    /// The system's; nothing is lost, and the next commit tries again.
    pub fn commit(&mut self) -> io::Result<()> {
        match self.is_dirty {
            true => self.write_down(Vec::new()),
            false => Ok(()),
        }
    }

    /// Finishes the files that are `roll_age_s` old at `now_s`, or all, and commits.
    ///
    /// # Errors
    /// As [`Spool::commit`].
    pub fn tick(&mut self, now_s: i64, all: bool) -> io::Result<()> {
        if !self.unnamed.is_empty() {
            self.name_kept()?;
        }
        let age = self.options.roll_age_s;
        let is_due = |part: &Part| all || part.is_full || now_s.saturating_sub(part.begun_s) >= age;
        match self.parts.values().any(is_due) {
            true => self.roll(is_due),
            false => self.commit(),
        }
    }

    /// Files that grow.
    pub fn growing(&self) -> usize {
        self.parts.len()
    }

    /// Handles that are open.
    pub fn handles(&self) -> usize {
        self.open.len()
    }

    /// What brings files to the store, if there is one.
    pub fn carrier(&mut self) -> Option<&mut Carrier> {
        self.carrier.as_mut()
    }

    /// Bytes of memory it holds, about.
    pub fn memory(&self) -> usize {
        self.memory + self.n_buffers * BUFFER
    }

    fn begin(&mut self, group: &str) -> io::Result<()> {
        if !self.fits(group) {
            let shown: String = group.chars().take(80).collect();
            let text = format!("{shown:?} cannot be the name of a file");
            return Err(io::Error::new(io::ErrorKind::InvalidFilename, text));
        }
        if self.parts.len() >= PARTS_MAX {
            self.finish_early()?;
        }
        let begun_s = now_s();
        let name = match &self.options.naming {
            Naming::Stamped => group.to_owned(),
            Naming::Dated(_) => {
                let stamp = self.next_stamp(begun_s);
                names::dated_name(group, stamp, &self.options.owner)
            }
            Naming::Whole { .. } => {
                let text = "the files of this spool are made by others";
                return Err(io::Error::new(io::ErrorKind::Unsupported, text));
            }
        };
        // There is none of this name, unless somebody else has made it since the start; then it is gone on with.
        let found = std::fs::metadata(self.options.dir.join(&name));
        let size = found.map_or(0, |found| found.len());
        let open = Open {
            size,
            begun_s,
            group: group.to_owned(),
            name: name.clone(),
        };
        self.journal.add(&open)?;
        self.add(group.to_owned(), Part::new(name, begun_s, size));
        Ok(())
    }

    fn add(&mut self, group: String, part: Part) {
        self.memory += PART_MEMORY + 2 * group.len() + part.name.len();
        self.parts.insert(group, part);
    }

    /// Makes sure that a group's file may be open now: closes the one that was not written to for longest.
    fn use_handle(&mut self, group: &str) -> io::Result<()> {
        self.writes += 1;
        let part = self.parts.get_mut(group).expect("the caller has looked");
        let key = match self.open.remove(&part.used) {
            Some(key) => key,
            None => {
                if self.open.len() >= self.options.handles_max
                    && let Some((used, oldest)) = self.open.pop_first()
                    && let Err(error) = self.close(&oldest)
                {
                    self.open.insert(used, oldest);
                    return Err(error);
                }
                group.to_owned()
            }
        };
        self.parts
            .get_mut(group)
            .expect("the caller has looked")
            .used = self.writes;
        self.open.insert(self.writes, key);
        Ok(())
    }

    fn close(&mut self, group: &str) -> io::Result<()> {
        let Some(part) = self.parts.get_mut(group) else {
            return Ok(());
        };
        let had_buffer = part.has_buffer();
        let closed = part.close(&self.options.dir);
        self.n_buffers = self.n_buffers + usize::from(part.has_buffer()) - usize::from(had_buffer);
        closed
    }

    /// A second and number that were never given before, not even by an earlier run or before the clock was put back.
    fn next_stamp(&mut self, now_s: i64) -> (i64, u64) {
        self.stamp = match now_s > self.stamp.0 {
            true => (now_s, 0),
            false => (self.stamp.0, self.stamp.1 + 1),
        };
        self.stamp
    }

    fn finish_early(&mut self) -> io::Result<()> {
        let mut used: Vec<u64> = self.parts.values().map(|part| part.used).collect();
        used.sort_unstable();
        let limit = used[used.len() / EARLY_SHARE];
        self.roll(|part| part.used <= limit)
    }

    /// Finishes files: commits, gives them their last names, and hands them to the store.
    fn roll(&mut self, is_due: impl Fn(&Part) -> bool) -> io::Result<()> {
        let due = self.parts.iter().filter(|(_, part)| is_due(part));
        let groups: Vec<String> = due.map(|(group, _)| group.clone()).collect();
        self.finish(groups)
    }

    fn finish(&mut self, groups: Vec<String>) -> io::Result<()> {
        let now = now_s();
        let mut done = Vec::with_capacity(groups.len());
        for group in &groups {
            let stamp = self.next_stamp(now);
            let part = &self.parts[group];
            done.push(Done {
                size: part.size(),
                name: part.name.clone(),
                done: self
                    .options
                    .naming
                    .done_name(&part.name, stamp, &self.options.owner),
            });
        }
        self.write_down(done.clone())?;
        for group in &groups {
            self.close(group)?;
            if let Some(part) = self.parts.remove(group) {
                self.open.remove(&part.used);
                self.memory -= PART_MEMORY + 2 * group.len() + part.name.len();
            }
        }
        self.has_full = self.parts.values().any(|part| part.is_full);
        for done in &done {
            self.give_last_name(done)?;
        }
        self.sync_dir()
    }

    /// A file without a byte is removed.
    fn give_last_name(&mut self, done: &Done) -> io::Result<()> {
        let (path, last) = (
            self.options.dir.join(&done.name),
            self.options.dir.join(&done.done),
        );
        if done.size == 0 {
            return match std::fs::remove_file(path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
                _ => Ok(()),
            };
        }
        std::fs::rename(path, last)?;
        if let Some(carrier) = &mut self.carrier {
            carrier.take(&done.done);
        }
        Ok(())
    }

    fn sync_dir(&self) -> io::Result<()> {
        match self.options.sync {
            // The folder that holds this path is the spool's.
            true => sync_folder(&self.options.dir.join("any")),
            false => Ok(()),
        }
    }

    /// Brings all files to the disk, then writes the journal. Those that are `done` grow no more in it.
    fn write_down(&mut self, done: Vec<Done>) -> io::Result<()> {
        let dir = &self.options.dir;
        for part in self.parts.values_mut() {
            match self.options.sync {
                true => part.sync(dir)?,
                false => part.flush(dir)?,
            }
        }
        self.n_buffers = self.parts.values().filter(|part| part.has_buffer()).count();
        self.sync_dir()?;
        let ending: HashSet<&str> = done.iter().map(|done| done.name.as_str()).collect();
        let grows = |part: &Part| !ending.contains(part.name.as_str());
        let open = self
            .parts
            .iter()
            .filter(|(_, part)| grows(part))
            .map(|(group, part)| Open {
                size: part.size(),
                begun_s: part.begun_s,
                group: group.clone(),
                name: part.name.clone(),
            });
        // Until messages that come again have passed those known, the journal must not say less than before.
        let places = [0, 1].map(|queue: usize| self.places[queue].max(self.known[queue]));
        let facts = Facts {
            places,
            stamp: self.stamp,
            open: open.collect(),
            done: self.unnamed.iter().chain(&done).cloned().collect(),
        };
        self.journal.replace(&facts, self.options.sync)?;
        self.is_dirty = false;
        Ok(())
    }
}

/// Reads the text of a journal and writes it again; none when it is no journal. For tests that try every text.
pub fn journal_again(text: &str) -> Option<String> {
    Some(Facts::parse(text)?.text())
}

/// Seconds since 1970.
pub fn now_s() -> i64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.map_or(0, |now| i64::try_from(now.as_secs()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests;
